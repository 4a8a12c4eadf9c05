"""Compose ink: place signs or words of one writer in a row as if they had been written together.

The unit is h, the height of an x; y is measured from the base line. The result depends only on the pieces and on the
random generator, so the same seed composes the same ink.
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
"""Units of composed ink per h; coordinates are whole numbers that fit into two bytes."""

_BAND = 0.25  # h; height of the bands in which the outlines of two pieces are compared
_MOST_UNITS = 32_000  # largest coordinate in two bytes


@dataclass(frozen=True)
class Piece:
    """The ink of a sign or a word in h; x has any origin, y is measured from the base line.

    Attributes:
        text: the sign or word.
        strokes: (N, 2) for each stroke, in the order of writing.
    """

    text: str
    strokes: Strokes


@dataclass(frozen=True)
class Spacing:
    """The distances in a row, in h.

    Attributes:
        gap: distance of neighbouring pieces without a space between them.
        blank: distance of the boxes of pieces with a space between them.
        by_outline: 0 if gaps are measured between the pieces' boxes, 1 if between their outlines, so that a piece may
            extend above or below its neighbour; or any value between.
        evenness: standard deviation of the logarithm of each distance.
    """

    gap: float
    blank: float
    by_outline: float = 0.0
    evenness: float = 0.0


def draw_spacing(random: Random) -> Spacing:
    """Draw the distances of one row.

    Spaces are slightly narrower than those between neighbours in category 6 (9,000 measured: the median is 2.1 h, and
    nine of ten are between 0.5 and 5.5 h). A third of the rows has narrow gaps between signs, half has natural ones,
    and the others have wide ones.
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
    """Scale an isolated sign and place it relative to the base line.

    Isolated signs differ less in size than signs on a line. Their size is therefore moved towards the sign's size in
    ordinary handwriting.

    Args:
        sign: one of `EXTENTS`.
        strokes: the strokes as recorded.
        h: the height of this writer's x in the unit of `strokes`.
        keeps: 1 keeps the sign's own size, 0 gives it the size of ordinary writing; values between mix both.
        random: draws small changes of position and shape.
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
    """Return the y by which a sign is placed: its bottom if it is on the line, its top if it is high, or its middle.

    Args:
        extent: box of the sign in ordinary writing, which decides between the three.
        bottom, top: y of the ink.
    """
    return bottom if extent.bottom == 0.0 else top if extent.bottom > 0.9 else 0.5 * (bottom + top)


def _bent(random: Random) -> NDArray[np.float64]:
    """Draw a matrix (2, 2) that slightly changes width, height and slant."""
    wide, high = np.exp(random.normal(0.0, 0.08, size=2))
    lean = random.normal(0.0, 0.06)
    return np.array([[wide, 0.0], [lean, high]])


def widest_gap(piece: Piece) -> float:
    """Return the widest gap in a word, in h: a range of x without ink; 0 if there is none."""
    order, gaps = _gaps(piece)
    return float(gaps.max(initial=0.0)) if len(order) > 1 else 0.0


def loosened(piece: Piece, factor: float) -> Piece:
    """Multiply the gaps in a word by `factor`; strokes are moved but keep their shape."""
    order, gaps = _gaps(piece)
    moves = np.zeros(len(order))
    moves[order] = np.cumsum((factor - 1.0) * gaps)
    return Piece(piece.text, tuple(one + np.array([x, 0.0]) for one, x in zip(piece.strokes, moves, strict=True)))


def _gaps(piece: Piece) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the order of strokes from left to right, (S,), and the gap before each, (S,); 0 if there is none."""
    left = np.array([one[:, 0].min() for one in piece.strokes])
    order = np.argsort(left, kind="stable")
    right = np.maximum.accumulate([piece.strokes[at][:, 0].max() for at in order])
    gaps = np.zeros(len(order))
    gaps[1:] = np.maximum(0.0, left[order][1:] - right[:-1])
    return order, gaps


def joined(pieces: Sequence[Sequence[Piece]], spacing: Spacing, random: Random) -> Ink:
    """Place pieces in a row.

    Args:
        pieces: groups of pieces, with a space between groups; at least one piece.
        spacing: the distances.
        random: draws the variation of the distances.

    Returns:
        The ink in `UNITS`, with whole numbers as coordinates.
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
    """Return the units per h: `UNITS`, or fewer if the row is too long for two bytes."""
    widest = max(float(np.abs(one).max()) for one in placed)
    return min(UNITS, _MOST_UNITS / widest) if widest > 0 else UNITS


def _distance(left: Strokes, right: Strokes, by_outline: float) -> float:
    """Return the distance from `left` to `right`: of their boxes (`by_outline` 0), of their outlines (1), or a mix."""
    a, b = np.concatenate(left), np.concatenate(right)
    boxes = float(b[:, 0].min() - a[:, 0].max())
    outlines = _outline_distance(a, b)
    return boxes if outlines is None else boxes + by_outline * (outlines - boxes)


def _outline_distance(left: NDArray[np.float64], right: NDArray[np.float64]) -> float | None:
    """Return the smallest horizontal distance of ink at about the same height; None if there is no such ink."""
    bands = [np.floor(one[:, 1] / _BAND).astype(np.int64) for one in (left, right)]
    lowest = min(int(one.min()) for one in bands)
    count = max(int(one.max()) for one in bands) - lowest + 3
    rightmost, leftmost = np.full(count, -np.inf), np.full(count, np.inf)
    for off in (0, 1, 2):  # each point counts in its own band and in the two next to it
        np.maximum.at(rightmost, bands[0] - lowest + off, left[:, 0])
    np.minimum.at(leftmost, bands[1] - lowest + 1, right[:, 0])
    distance = float((leftmost - rightmost).min())
    return distance if np.isfinite(distance) else None
