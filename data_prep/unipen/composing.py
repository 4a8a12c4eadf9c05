"""Compose ink: one writer's own signs in a row, or words in a line, at the places where they would have been written.

Everything is in h, the height of an x, above the base line. What a piece of ink becomes depends on the random numbers
that are given, so the same seed composes the same ink.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.ink import Ink, Stroke
from data_prep.unipen.sizes import EXTENTS, Extent

Random = np.random.Generator
Strokes = tuple[NDArray[np.float64], ...]

UNITS = 100.0
"""Units of composed ink in h; whole numbers of them are stored in two bytes."""

_BAND = 0.25  # h: ink of two pieces is side by side where it is as high as this
_MOST_UNITS = 32_000  # what two bytes hold


@dataclass(frozen=True)
class Piece:
    """A sign or a word in h: x from anywhere on, y from the base line on.

    Attributes:
        text: what it is.
        strokes: (N, 2) each, in the order of writing.
    """

    text: str
    strokes: Strokes


@dataclass(frozen=True)
class Spacing:
    """Distances in a row, in h.

    Attributes:
        gap: between pieces that stand side by side.
        blank: between the boxes of pieces with a blank between them.
        by_outline: 0: gaps are those of the pieces' boxes; 1: of their outlines, so that a piece may reach below or
            above its neighbour.
        evenness: standard deviation of the logarithm of each distance.
    """

    gap: float
    blank: float
    by_outline: float = 0.0
    evenness: float = 0.0


def draw_spacing(random: Random) -> Spacing:
    """Draw the distances of one row.

    Blanks are like those between neighbours in category 6 (9,000 measured: a middle of 2.1 h, nine of ten between 0.5
    and 5.5), a little narrower. Of the gaps between signs a third is narrow, half is natural, the others are wide.
    """
    kind = random.random()
    if kind < 0.35:
        gap = float(random.uniform(-0.05, 0.25))
    elif kind < 0.85:
        gap = float(np.clip(0.4 * np.exp(random.normal(0.0, 0.4)), 0.1, 1.0))
    else:
        gap = float(random.uniform(0.6, 1.0))
    blank = max(gap + 0.5, float(np.clip(1.7 * np.exp(random.normal(0.0, 0.5)), 0.6, 5.0)))
    return Spacing(gap, blank, float(random.uniform(0.0, 1.0)), 0.25)


def sized_sign(sign: str, strokes: Strokes, h: float, keeps: float, random: Random) -> Piece:
    """Bring an isolated sign to its size and place above the base line.

    Isolated signs fill their boxes more evenly than signs on a line: their size is drawn towards that of the sign in
    ordinary writing, by a share that is drawn anew for each row.

    Args:
        sign: one of `EXTENTS`.
        strokes: as recorded.
        h: the height of an x of this writer in the unit of `strokes`.
        keeps: 1 keeps the sign's own size, 0 gives it the size of ordinary writing; between them, a mean of both.
        random: draws how far it is off its place, and how it differs from the sample.
    """
    extent = EXTENTS[sign]
    points = np.concatenate(strokes) / h
    low, high = points.min(axis=0), points.max(axis=0)
    own = float((high - low).max())
    wanted = extent.size * float(np.clip(own / extent.size, 0.4, 2.0)) ** keeps
    factor = wanted / own if own > 0 else 1.0
    bottom, top = factor * low[1], factor * high[1]
    shift = _anchor(extent, extent.bottom, extent.top) - _anchor(extent, bottom, top)
    shift += float(random.normal(0.0, 0.08))
    matrix = _bent(random)
    middle = np.array([factor * low[0], 0.5 * (bottom + top)])
    foot = np.array([0.0, middle[1] + shift])
    return Piece(sign, tuple((one / h * factor - middle) @ matrix + foot for one in strokes))


def _anchor(extent: Extent, bottom: float, top: float) -> float:
    """Return the height that places a sign: its foot if it stands on the line, its top if it hangs, else its middle.

    Args:
        extent: of the sign in ordinary writing, which says how it is placed.
        bottom, top: of the ink.
    """
    return bottom if extent.bottom == 0.0 else top if extent.bottom > 0.9 else 0.5 * (bottom + top)


def _bent(random: Random) -> NDArray[np.float64]:
    """(2, 2) a little other width, height and slant, as no sign is written twice alike."""
    wide, high = np.exp(random.normal(0.0, 0.08, size=2))
    lean = random.normal(0.0, 0.06)
    return np.array([[wide, 0.0], [lean, high]])


def widest_gap(piece: Piece) -> float:
    """Find the widest gap in a word, in h: between ink and all that stands to its right; 0 without any."""
    order, gaps = _gaps(piece)
    return float(gaps.max(initial=0.0)) if len(order) > 1 else 0.0


def loosened(piece: Piece, factor: float) -> Piece:
    """Widen (or below 1 narrow) the gaps in a word: what stands to their right is moved, strokes keep their shape."""
    order, gaps = _gaps(piece)
    moves = np.zeros(len(order))
    moves[order] = np.cumsum((factor - 1.0) * gaps)
    return Piece(piece.text, tuple(one + np.array([x, 0.0]) for one, x in zip(piece.strokes, moves, strict=True)))


def _gaps(piece: Piece) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(S,) the strokes from left to right, and the gap before each: 0 where ink further left reaches over it."""
    left = np.array([one[:, 0].min() for one in piece.strokes])
    order = np.argsort(left, kind="stable")
    right = np.maximum.accumulate([piece.strokes[at][:, 0].max() for at in order])
    gaps = np.zeros(len(order))
    gaps[1:] = np.maximum(0.0, left[order][1:] - right[:-1])
    return order, gaps


def joined(pieces: Sequence[Sequence[Piece]], spacing: Spacing, random: Random) -> Ink:
    """Set pieces in a row.

    Args:
        pieces: groups of pieces side by side, with a blank between the groups; at least one piece.
        spacing: the distances.
        random: makes them uneven.

    Returns:
        the ink in `UNITS`, in whole numbers.
    """
    placed: list[NDArray[np.float64]] = []
    before: Strokes = ()
    for group in pieces:
        for number, piece in enumerate(group):
            wanted = (spacing.gap if number else spacing.blank) * float(np.exp(random.normal(0.0, spacing.evenness)))
            by_outline = spacing.by_outline if number else 0.0
            x = wanted - _distance(before, piece.strokes, by_outline) if before else 0.0
            before = tuple(one + np.array([x, 0.0]) for one in piece.strokes)
            placed += before
    return Ink(tuple(Stroke(np.rint(one * _units(placed))) for one in placed))


def _units(placed: Sequence[NDArray[np.float64]]) -> float:
    """Units of h; fewer for a row that is so long that its numbers would need more than two bytes."""
    widest = max(float(np.abs(one).max()) for one in placed)
    return min(UNITS, _MOST_UNITS / widest) if widest > 0 else UNITS


def _distance(left: Strokes, right: Strokes, by_outline: float) -> float:
    """How far `right` stands to the right of `left`: of their boxes (0), of their outlines (1), or between."""
    a, b = np.concatenate(left), np.concatenate(right)
    boxes = float(b[:, 0].min() - a[:, 0].max())
    outlines = _outline_distance(a, b)
    return boxes if outlines is None else boxes + by_outline * (outlines - boxes)


def _outline_distance(left: NDArray[np.float64], right: NDArray[np.float64]) -> float | None:
    """The least distance of ink at about the same height; None where none is."""
    bands = [np.floor(one[:, 1] / _BAND).astype(np.int64) for one in (left, right)]
    lowest = min(int(one.min()) for one in bands)
    count = max(int(one.max()) for one in bands) - lowest + 3
    rightmost, leftmost = np.full(count, -np.inf), np.full(count, np.inf)
    for off in (0, 1, 2):  # each point counts in its band and the two beside it
        np.maximum.at(rightmost, bands[0] - lowest + off, left[:, 0])
    np.minimum.at(leftmost, bands[1] - lowest + 1, right[:, 0])
    distance = float((leftmost - rightmost).min())
    return distance if np.isfinite(distance) else None
