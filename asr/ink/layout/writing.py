"""The writing of a page, by which marks are judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.ink.layout.lines import strong_pieces
from asr.ink.layout.strokes import Floats, Ints, Pieces, Strokes, pieces


@dataclass(frozen=True)
class Writing:
    """Pieces of writing with their lines.

    Attributes:
        parts: pieces of strokes that surely are writing.
        line: (P,) line of each piece.
        size: h.
        order: (P,) pieces from the lowest to the highest, so that few are looked at.
        heights: (P,) their heights, rising.
    """

    parts: Pieces
    line: Ints
    size: float
    order: Ints
    heights: Floats

    @classmethod
    def of(cls, strokes: Strokes, line: Ints, size: float) -> Writing:
        """Cut strokes into pieces, and leave out those that do not show the height of their line.

        Args:
            strokes: of the writing.
            line: (S,) line of each.
            size: h.
        """
        parts = pieces(strokes, size)
        strong = strong_pieces(parts, size)
        parts = parts.chosen(strong) if strong.any() else parts
        order = np.argsort(parts.height, kind="stable")
        return cls(parts, line[parts.owner], size, order, parts.height[order])

    def between(self, low: float, high: float) -> Ints:
        """Return the pieces whose middle is between two heights."""
        return self.order[np.searchsorted(self.heights, low) : np.searchsorted(self.heights, high)]
