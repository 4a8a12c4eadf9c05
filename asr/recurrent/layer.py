"""One bidirectional layer."""

from __future__ import annotations

from torch import Tensor, nn

from asr.recurrent import paths
from asr.recurrent.cells.cell import Cell
from asr.recurrent.layout import Layout


class BidirectionalLayer(nn.Module):
    """Reads each utterance in both directions, from its first frame to its last and back.

    Exact for every length: the backward direction begins at each utterance's own last frame.

    Args:
        forward_cell: reads from the first frame to the last.
        backward_cell: reads from the last frame to the first.
    """

    def __init__(self, forward_cell: Cell, backward_cell: Cell) -> None:
        super().__init__()
        self.forward_cell = forward_cell
        self.backward_cell = backward_cell

    def forward(self, rows: Tensor, layout: Layout) -> Tensor:
        """Run both directions.

        Args:
            rows: (N, F) float, the frames of a batch without padding.
            layout: of the rows.

        Returns:
            (N, 2H): [..., :H] forward in time, [..., H:] backward.
        """
        cells = (self.forward_cell, self.backward_cell)
        run = paths.choose(cells, rows, layout)
        return run(cells, rows, layout)
