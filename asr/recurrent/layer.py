"""One recurrent layer with one or two directions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from asr.recurrent import paths
from asr.recurrent.cells.cell import Cell
from asr.recurrent.layout import Layout


class RecurrentLayer(nn.Module):
    """A layer that runs cells over each utterance forwards, backwards, or both.

    The backward direction starts at each utterance's own last frame, not in the padding.

    Args:
        forward_cell: the cell that reads from the first frame to the last; None for no forward direction.
        backward_cell: the cell that reads from the last frame to the first; None for no backward direction.

    Attributes:
        output_size: O, the size of an output frame, both directions together.
        prepared: a function that runs the layer if no gradient is needed, see `RecurrentStack.prepare`; None to let
            `paths.choose` decide.
    """

    def __init__(self, forward_cell: Cell | None, backward_cell: Cell | None) -> None:
        super().__init__()
        self.forward_cell = forward_cell
        self.backward_cell = backward_cell
        self.output_size = sum(cell.output_size for cell in self.cells)
        self.prepared: paths.PreparedRun | None = None

    @property
    def cells(self) -> list[Cell]:
        """The cells of this layer, the forward one first."""
        return [cell for cell in (self.forward_cell, self.backward_cell) if cell is not None]

    def forward(self, rows: Tensor, layout: Layout) -> Tensor:
        """Run all directions over the rows of a batch.

        Args:
            rows: (N, F) float, the frames of a batch without padding, in the order of `layout`.
            layout: the layout of the rows.

        Returns:
            (N, O): the outputs of the forward direction, then those of the backward direction.
        """
        if self.forward_cell is None:
            return layout.reverse(self._run(layout.reverse(rows), layout))
        return self._run(rows, layout)

    def train(self, mode: bool = True) -> RecurrentLayer:
        """Switch between training and evaluation; training drops prepared weights, because the weights will change."""
        self.prepared = None if mode else self.prepared
        return super().train(mode)

    def _apply(self, *arguments: Any, **more: Any) -> RecurrentLayer:
        """Drop prepared weights when the layer moves to another device or type."""
        self.prepared = None
        return super()._apply(*arguments, **more)  # type: ignore[no-untyped-call, no-any-return]

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes for copies and pickles, without prepared weights; prepare a copy again."""
        return self.__dict__ | {"prepared": None}

    def _run(self, rows: Tensor, layout: Layout) -> Tensor:
        """Run a single cell forwards, or two cells in both directions."""
        if self.prepared is not None and not torch.is_grad_enabled() and rows.dtype == torch.float32:
            return self.prepared(rows, layout)
        return paths.choose(self.cells, rows, layout)(self.cells, rows, layout)
