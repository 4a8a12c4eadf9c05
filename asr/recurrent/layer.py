"""One layer of one or two directions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from asr.recurrent import paths
from asr.recurrent.cells.cell import Cell
from asr.recurrent.layout import Layout


class RecurrentLayer(nn.Module):
    """Runs a cell over each utterance forwards, backwards, or both.

    The backward direction begins at each utterance's own last frame, so that every length is exact.

    Args:
        forward_cell: reads from the first frame to the last; None: no forward direction.
        backward_cell: reads from the last frame to the first; None: no backward direction.

    Attributes:
        output_size: O, size of an output frame, both directions together.
        prepared: runs the layer when no gradient is needed, see `RecurrentStack.prepare`; None: `paths.choose` decides.
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
            rows: (N, F) float, the frames of a batch without padding.
            layout: the layout of the rows.

        Returns:
            (N, O): the outputs of the forward direction, then those of the backward direction.
        """
        if self.forward_cell is None:
            return layout.reverse(self._run(layout.reverse(rows), layout))
        return self._run(rows, layout)

    def train(self, mode: bool = True) -> RecurrentLayer:
        """Drop prepared weights when training begins: the weights are about to change."""
        self.prepared = None if mode else self.prepared
        return super().train(mode)

    def _apply(self, *arguments: Any, **more: Any) -> RecurrentLayer:
        """Drop prepared weights when the layer moves to another device or type."""
        self.prepared = None
        return super()._apply(*arguments, **more)  # type: ignore[no-untyped-call, no-any-return]

    def __getstate__(self) -> dict[str, Any]:
        """Leave prepared weights out of copies and pickles; prepare a copy again."""
        return self.__dict__ | {"prepared": None}

    def _run(self, rows: Tensor, layout: Layout) -> Tensor:
        """Run a single cell forwards, or two cells in both directions."""
        if self.prepared is not None and not torch.is_grad_enabled() and rows.dtype == torch.float32:
            return self.prepared(rows, layout)
        return paths.choose(self.cells, rows, layout)(self.cells, rows, layout)
