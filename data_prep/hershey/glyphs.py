"""Letters made of single strokes: the Hershey fonts, rounded and scaled to an x-height of 1.

A. V. Hershey drew them (U.S. Naval Weapons Laboratory, 1967); the package `Hershey-Fonts` contains them. Two of its
fonts have Latin letters of single lines: `futural` (print) and `scripts` (cursive); the others have double strokes or
serifs, or are variants of these two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.extras import require

FONTS = ("print", "script")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'"

_SOURCES = {"print": ("futural", 9, -5), "script": ("scripts", 9, 0)}  # name, y of the base line and of the height of x
_CORNER = 1.0  # radians; sharper turns are corners, which are not rounded

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Glyph:
    """A letter of a font, in x-heights.

    Attributes:
        strokes: (N, 2) for each stroke, in the order of writing; x from the letter's left border, y upwards from the
            base line.
        marks: strokes that may be written later: the dots of i and j, the bar of t.
        width: distance to the next letter's left border.
    """

    strokes: tuple[Floats, ...]
    marks: tuple[Floats, ...]
    width: float


@lru_cache(maxsize=len(FONTS))
def font(name: str) -> dict[str, Glyph]:
    """Return all `LETTERS` of a font, `print` or `script`.

    Raises:
        MissingExtra: the package `Hershey-Fonts` is not installed.
    """
    require("HersheyFonts", what="the embedded pen corpus")
    from HersheyFonts import HersheyFonts

    source, base, top = _SOURCES[name]
    fonts = HersheyFonts()
    fonts.load_default_font(source)
    drawn = fonts.all_glyphs
    return {letter: _glyph(letter, drawn[letter], base, base - top) for letter in LETTERS}


def _glyph(letter: str, drawn: Any, base: int, height: int) -> Glyph:
    strokes = []
    for stroke in drawn.strokes:
        points = np.array(stroke, dtype=np.float64)
        points = np.column_stack([points[:, 0] - drawn.left_offset, base - points[:, 1]]) / height
        strokes.append(points)
    marks = [stroke for stroke in strokes if _is_mark(letter, stroke)]
    others = _joined([stroke for stroke in strokes if not _is_mark(letter, stroke)])
    return Glyph(
        tuple(rounded(stroke) for stroke in others), tuple(rounded(mark) for mark in marks), drawn.char_width / height
    )


def _is_mark(letter: str, stroke: Floats) -> bool:
    width, height = np.ptp(stroke, axis=0)
    if letter in "ij":
        return bool(stroke[:, 1].min() > 1.0 and height < 0.5)
    return letter == "t" and bool(width > 2 * height)


def _joined(strokes: list[Floats]) -> list[Floats]:
    """Join strokes that begin where the previous one ends."""
    result: list[Floats] = []
    for stroke in strokes:
        if result and np.hypot(*(stroke[0] - result[-1][-1])) < 0.01:
            result[-1] = np.concatenate([result[-1], stroke[1:]])
        else:
            result.append(stroke)
    return result


def rounded(points: Floats) -> Floats:
    """Smooth a polyline by three rounds of Chaikin's corner cutting; sharp corners stay."""
    if len(points) < 3:
        return points
    steps = np.diff(points, axis=0)
    angles = np.arctan2(steps[:, 1], steps[:, 0])
    turns = np.abs((np.diff(angles) + np.pi) % (2 * np.pi) - np.pi)
    corners = [0, *(np.flatnonzero(turns > _CORNER) + 1).tolist(), len(points) - 1]
    parts = [_cut(points[a : b + 1]) for a, b in pairwise(corners)]
    return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])


def _cut(points: Floats) -> Floats:
    for _ in range(3):
        if len(points) < 3:
            break
        a, b = points[:-1], points[1:]
        cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut[1:-1], points[-1:]])
    return points
