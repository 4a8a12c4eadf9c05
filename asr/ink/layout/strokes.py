"""The strokes of a page as arrays, and their pieces of about one letter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PIECE = 3.0  # h of ink: about one letter
_MOST_PIECES = 64  # of a stroke
_MOST_PIECES_OF_A_PAGE = 60_000


@dataclass(frozen=True)
class Strokes:
    """All strokes of a page.

    Attributes:
        points: (N, 2) points of all strokes, one stroke after the other.
        starts: (S,) index of the first point of each stroke.
        owner: (N,) stroke of each point.
        ink: (N,) distance to the next point; 0 at the last point of a stroke.
    """

    points: Floats
    starts: Ints
    owner: Ints
    ink: Floats

    @classmethod
    def of(cls, points: Floats, counts: Ints) -> Strokes:
        """Build from all points (N, 2) and the number of points of each stroke (S,)."""
        owner = np.repeat(np.arange(len(counts)), counts)
        ends = np.cumsum(counts)
        ink = np.append(np.hypot(*np.diff(points, axis=0).T), 0.0)
        ink[ends - 1] = 0.0
        return cls(points, ends - counts, owner, ink)

    def __len__(self) -> int:
        return len(self.starts)

    def turned(self, turn: Floats) -> Strokes:
        """Return the strokes with every point multiplied by a (2, 2) rotation."""
        return Strokes(self.points @ turn.T, self.starts, self.owner, self.ink)

    def chosen(self, strokes: Ints) -> Strokes:
        """Return some of the strokes, given by their indices, in their order."""
        is_chosen = np.zeros(len(self), dtype=bool)
        is_chosen[strokes] = True
        counts = np.diff(np.append(self.starts, len(self.points)))
        return Strokes.of(self.points[is_chosen[self.owner]], counts[is_chosen])

    def path(self, stroke: int) -> Floats:
        """Return the points (n, 2) of one stroke."""
        end = self.starts[stroke + 1] if stroke + 1 < len(self) else len(self.points)
        return self.points[self.starts[stroke] : end]

    def boxes(self) -> Floats:
        """Return (S, 4) left, bottom, right and top of each stroke."""
        return _boxes(self.points, self.starts)

    def lengths(self) -> Floats:
        """Return (S,) the length of the ink of each stroke."""
        return np.asarray(np.add.reduceat(self.ink, self.starts))


@dataclass(frozen=True)
class Pieces:
    """Strokes cut into pieces of about one letter, in the order of writing.

    Attributes:
        owner: (P,) stroke of each piece, rising.
        boxes: (P, 4) left, bottom, right, top.
        height: (P,) mean height of the ink.
        ink: (P,) length of the ink.
    """

    owner: Ints
    boxes: Floats
    height: Floats
    ink: Floats

    def __len__(self) -> int:
        return len(self.owner)

    def chosen(self, which: NDArray[np.bool_]) -> Pieces:
        """Return the pieces for which a mask (P,) is true."""
        return Pieces(self.owner[which], self.boxes[which], self.height[which], self.ink[which])


def pieces(strokes: Strokes, size: float) -> Pieces:
    """Cut strokes at their points into pieces of about 3 h of ink.

    Args:
        strokes: to cut.
        size: h, above 0.
    """
    totals = strokes.lengths()
    before = np.cumsum(strokes.ink) - strokes.ink
    along = before - before[strokes.starts][strokes.owner]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        most = max(1, min(_MOST_PIECES, _MOST_PIECES_OF_A_PAGE // len(strokes)))
        wanted = np.clip(np.round(totals / (_PIECE * size)), 1, most).astype(np.int64)
        share = along / totals[strokes.owner]
    place = np.nan_to_num(share) * wanted[strokes.owner]
    number = np.minimum(place.astype(np.int64), wanted[strokes.owner] - 1)
    new = np.ones(len(number), dtype=bool)
    new[1:] = (np.diff(strokes.owner) != 0) | (np.diff(number) != 0)
    starts = np.flatnonzero(new)
    weight = strokes.ink + np.append(0.0, strokes.ink[:-1]) + 1e-9 * size  # equal weights where there is no ink
    ink = np.add.reduceat(weight, starts)
    height = np.add.reduceat(weight * strokes.points[:, 1], starts) / ink
    return Pieces(strokes.owner[starts], _boxes(strokes.points, starts), height, ink / 2)


def _boxes(points: Floats, starts: Ints) -> Floats:
    low, high = np.minimum.reduceat(points, starts, axis=0), np.maximum.reduceat(points, starts, axis=0)
    return np.concatenate([low, high], axis=1)
