"""One layer of one or two directions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from asr.recurrent import paths
from asr.recurrent.cells.cell import Cell
from asr.recurrent.layout import Layout


class RecurrentLayer(nn.Module):
    """Reads each utterance from its first frame to its last, from its last to its first, or both ways.

    Exact for every length: the backward direction begins at each utterance's own last frame.

    Args:
        forward_cell: reads from the first frame to the last; None: nobody does.
        backward_cell: reads from the last frame to the first; None: nobody does.

    Attributes:
        output_size: O, of both directions together.
        prepared: what runs the layer where no gradient is asked for, see `RecurrentStack.prepare`; None: as ever.
    """

    def __init__(self, forward_cell: Cell | None, backward_cell: Cell | None) -> None:
        super().__init__()
        self.forward_cell = forward_cell
        self.backward_cell = backward_cell
        self.output_size = sum(cell.output_size for cell in self.cells)
        self.prepared: paths.PreparedRun | None = None

    @property
    def cells(self) -> list[Cell]:
        """Those there are, the forward one first."""
        return [cell for cell in (self.forward_cell, self.backward_cell) if cell is not None]

    def forward(self, rows: Tensor, layout: Layout) -> Tensor:
        """Run the directions.

        Args:
            rows: (N, F) float, the frames of a batch without padding.
            layout: of the rows.

        Returns:
            (N, O): what reads forward in time, then what reads backward.
        """
        if self.forward_cell is None:
            return layout.reverse(self._run(layout.reverse(rows), layout))
        return self._run(rows, layout)

    def train(self, mode: bool = True) -> RecurrentLayer:
        """Weights that are trained are not those that were prepared."""
        self.prepared = None if mode else self.prepared
        return super().train(mode)

    def _apply(self, *arguments: Any, **more: Any) -> RecurrentLayer:
        """Nor are those on another device, or of another type."""
        self.prepared = None
        return super()._apply(*arguments, **more)  # type: ignore[no-untyped-call, no-any-return]

    def __getstate__(self) -> dict[str, Any]:
        """A copy, or what another process is given, is to be prepared anew."""
        return self.__dict__ | {"prepared": None}

    def _run(self, rows: Tensor, layout: Layout) -> Tensor:
        """A single direction forwards, two in either direction."""
        if self.prepared is not None and not torch.is_grad_enabled() and rows.dtype == torch.float32:
            return self.prepared(rows, layout)
        return paths.choose(self.cells, rows, layout)(self.cells, rows, layout)
