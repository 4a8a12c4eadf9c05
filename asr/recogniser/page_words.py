"""Divide the ink of a line between its words.

A network that reads ink emits a letter near its beginning. So the end of a word's ink lies between its last letter and
the first letter of the next word. If the pen is lifted there (or within `SLACK` points), the border is the lift after
which the pen continues farthest to the right of the word. If it is not lifted, the border is at `SHARE` of the way, and
the stroke belongs to both words. A small stroke that was added later, such as a dot or the bar of a t, then moves to
the word in or above which it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from asr.decoding.hypothesis import Span
from asr.ink import Ink

SHARE = 0.8  # as between letters, see `alignment_ink`
SLACK = 3  # points
_SMALL = 0.5  # height of a stroke that may have been added later / height of the line
_OUTSIDE = 0.1  # distance of such a stroke from its word / height of the line

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WordInk:
    """The ink of a word.

    Attributes:
        strokes: indices of its strokes in the line, rising; a stroke may be in two words.
        points: (N, 2) points of the word; of a stroke in two words, only the part in this word.
    """

    strokes: tuple[int, ...]
    points: Floats


@dataclass(frozen=True)
class _Piece:
    """A stroke or a part of it."""

    stroke: int
    points: Floats
    is_whole: bool

    @property
    def sides(self) -> tuple[float, float]:
        return float(self.points[:, 0].min()), float(self.points[:, 0].max())

    @property
    def middle(self) -> float:
        return sum(self.sides) / 2


def words_in(ink: Ink, words: Sequence[Span]) -> list[WordInk]:
    """Divide the ink of a line between its words. All ink is assigned to a word.

    Args:
        ink: of the line.
        words: the words, whose spans count the points of the ink in the order of writing.

    Returns:
        The ink of each word; empty if no point is left for it.
    """
    if not words:
        return []
    borders = [0, *_borders(ink, words), ink.n_points]
    pieces = [_pieces(ink, first, last) for first, last in pairwise(borders)]
    moved = _with_late_strokes(pieces, float(np.ptp(ink.points()[:, 1])))
    return [_word(own) for own in moved]


def _borders(ink: Ink, words: Sequence[Span]) -> list[int]:
    """Return the index of the first point of each word except the first, rising."""
    ends = ink.stroke_ends()
    lefts = np.array([stroke.points[:, 0].min() for stroke in ink.strokes])
    rights = np.array([stroke.points[:, 0].max() for stroke in ink.strokes])
    borders: list[int] = []
    begin = 0
    for word, following in pairwise(words):
        low, high = max(int(word.end), begin), max(int(following.start), begin)
        first = int(np.searchsorted(ends, begin, side="right"))  # the stroke that the word begins in
        lifts = [n for n in range(first + 1, len(ends)) if low - SLACK <= ends[n - 1] <= high + SLACK]
        if lifts:
            gaps = [float(lefts[n] - rights[first:n].max()) for n in lifts]
            begin = int(ends[lifts[int(np.argmax(gaps))] - 1])
        else:
            begin = min(int(low + round(SHARE * max(high - low, 0))), ink.n_points)
        borders.append(begin)
    return borders


def _pieces(ink: Ink, first: int, last: int) -> list[_Piece]:
    pieces, begin = [], 0
    for number, stroke in enumerate(ink.strokes):
        low, high = max(first - begin, 0), min(last - begin, len(stroke))
        if low < high:
            pieces.append(_Piece(number, stroke.points[low:high], high - low == len(stroke)))
        begin += len(stroke)
    return pieces


def _with_late_strokes(words: list[list[_Piece]], height: float) -> list[list[_Piece]]:
    """Return the pieces of each word, after moving small strokes to the word that they are in."""
    late = [[piece for piece in own if _is_small(piece, height)] for own in words]
    large = [[piece for piece in own if not _is_small(piece, height)] for own in words]
    sides = [_sides(own) for own in large]
    for number, own in enumerate(late):
        for piece in own:
            near = sides[number]
            home = number
            if near is not None and not _within(piece.middle, near, _OUTSIDE * height):
                others = [n for n, one in enumerate(sides) if one is not None and _within(piece.middle, one, 0.0)]
                home = others[0] if others else number
            large[home].append(piece)
    return large


def _is_small(piece: _Piece, height: float) -> bool:
    return piece.is_whole and float(np.ptp(piece.points[:, 1])) < _SMALL * height


def _sides(pieces: Sequence[_Piece]) -> tuple[float, float] | None:
    sides = [piece.sides for piece in pieces]
    return (min(left for left, _ in sides), max(right for _, right in sides)) if sides else None


def _within(x: float, sides: tuple[float, float], room: float) -> bool:
    return sides[0] - room <= x <= sides[1] + room


def _word(pieces: list[_Piece]) -> WordInk:
    points = [piece.points for piece in pieces]
    strokes = tuple(sorted({piece.stroke for piece in pieces}))
    return WordInk(strokes, np.concatenate(points) if points else np.zeros((0, 2)))
