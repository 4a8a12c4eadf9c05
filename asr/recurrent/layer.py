"""One bidirectional layer."""

from __future__ import annotations

from torch import Tensor, nn

from asr.recurrent import paths
from asr.recurrent.cells.cell import Cell
from asr.recurrent.layout import Layout


class BidirectionalLayer(nn.Module):
    """Reads each utterance in both directions; padding reaches neither.

    The backward direction sees each utterance reversed within its own length, so its padding comes last in both
    directions: exact for every length, without packed sequences.

    Args:
        forward_cell: reads from the first frame to the last.
        backward_cell: reads from the last frame to the first.
    """

    def __init__(self, forward_cell: Cell, backward_cell: Cell) -> None:
        super().__init__()
        self.forward_cell = forward_cell
        self.backward_cell = backward_cell

    def forward(self, frames: Tensor, layout: Layout) -> Tensor:
        """Run both directions.

        Args:
            frames: (T, B, F) float, finite on the padding too.
            layout: where the frames are.

        Returns:
            (T, B, 2H): [..., :H] forward in time, [..., H:] backward; exactly 0 on the padding.
        """
        cells = (self.forward_cell, self.backward_cell)
        run = paths.choose(cells, frames)
        return layout.mask(run(cells, frames, layout))
