"""A picture of a line of ink with each letter in its colour, as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from asr.decoding.hypothesis import Hypothesis, Span
from asr.errors import DataError
from asr.ink import Ink
from asr.recogniser.picture_theme import TEXT, framed, number, text, theme_of

MOST_POINTS = 20_000
"""Points of a line that is drawn."""

_WIDTH, _MARGIN = 720.0, 20.0
_HIGHEST = 300.0  # of the ink
_PEN = 3.0
_BELOW = 1.3 * TEXT  # room for the letters below the ink

Floats = NDArray[np.float64]


def letter_lines(found: Hypothesis, ink: Ink, name: str, theme: str = "light") -> Iterator[str]:
    """Yield the lines of an SVG file.

    Args:
        found: an alignment of the ink, see `asr.recogniser.alignment.align_transcript`: its spans count points.
        ink: one word or line.
        name: of the file, for the title.
        theme: `light` or `dark`.

    Raises:
        ConfigError: there is no such theme.
        DataError: the ink has more than `MOST_POINTS` points.
    """
    if ink.n_points > MOST_POINTS:
        raise DataError(f"{name}: {ink.n_points} points; a picture shows {MOST_POINTS} at most, cut the ink into lines")
    colours = theme_of(theme)
    strokes, height = _fitted(ink)
    letters = [span for span in found.spans if not span.label.isspace()]

    def content() -> Iterator[str]:
        right = 0.0
        for place, letter in enumerate(letters):
            parts = list(_parts(strokes, letter))
            yield _path(parts, colours.colour(place))
            if parts:
                half = len(letter.label) * 0.4 * TEXT
                x = max(float(np.concatenate(parts)[:, 0].mean()), right + half)
                if x + half > _WIDTH:  # a text that would leave the picture is left out
                    continue
                yield text(letter.label, x, height + 0.5 * TEXT, colours.colour(place))
                right = x + half

    return framed(content(), _WIDTH, height + _BELOW, f"{name}: {found.text}", colours)


def _parts(strokes: Sequence[Floats], letter: Span) -> Iterator[Floats]:
    """Yield the pieces of strokes that belong to a letter; a piece goes on from the last point of the one before it."""
    begin = 0
    for stroke in strokes:
        first, last = max(int(letter.start) - begin, 0), min(int(letter.end) - begin, len(stroke))
        if first < last:
            yield stroke[max(first - 1, 0) : last]
        begin += len(stroke)


def _fitted(ink: Ink) -> tuple[list[Floats], float]:
    """Return the strokes in units of the picture, y downwards, and the y of their lower edge."""
    left, bottom, right, top = (side / 2 for side in ink.bounds())  # halves: a whole width may overflow
    wide, high = right - left, top - bottom
    largest = max(wide / (_WIDTH - 2 * _MARGIN), high / _HIGHEST) or 1.0
    strokes = []
    for stroke in ink.strokes:
        xs, ys = stroke.points[:, 0] / 2 - left, top - stroke.points[:, 1] / 2
        strokes.append(np.column_stack([xs, ys]) / largest + _MARGIN)
    return strokes, high / largest + 2 * _MARGIN


def _path(parts: Sequence[Floats], colour: str) -> str:
    drawn = []
    for part in parts:
        places = [f"{number(x)} {number(y)}" for x, y in part.tolist()]
        drawn.append("M" + "L".join(places if len(places) > 1 else places * 2))
    style = f'stroke="{colour}" stroke-width="{number(_PEN)}" stroke-linecap="round" stroke-linejoin="round"'
    return f'<path fill="none" {style} d="{"".join(drawn)}"/>'
