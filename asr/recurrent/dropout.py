"""Dropout of rows: a unit is left out in one frame, or in all frames of an utterance."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from asr.recurrent.layout import Layout

KINDS = ("frame", "utterance")


class RowDropout(nn.Module):
    """Zeroes values in training and scales the others up.

    Args:
        share: of the values that are zeroed, within [0, 1).
        per: `frame`: each value for itself. `utterance`: the same values in all frames of an utterance, drawn anew in
            each step (Gal and Ghahramani 2016, "A theoretically grounded application of dropout in recurrent neural
            networks"): a recurrent layer above cannot average it away over time.
    """

    def __init__(self, share: float, per: str = "frame") -> None:
        super().__init__()
        self.share, self.per = share, per

    def forward(self, rows: Tensor, layout: Layout) -> Tensor:
        """(N, F) to (N, F)."""
        if self.per == "frame" or not self.training or self.share == 0.0:
            return F.dropout(rows, self.share, self.training)
        kept = F.dropout(rows.new_ones(layout.batch_size, rows.shape[1]), self.share)  # (B, F): 0 or 1 / (1 - share)
        return rows * kept[layout.utterances]
