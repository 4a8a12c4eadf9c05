"""Divide the points of ink between letters, with borders at lifts of the pen if there are any nearby.

A network for ink emits a letter near its beginning. So most frames between the emissions of two letters belong to the
first letter: `SHARE` of them. A border moves to the nearest beginning of a stroke, up to `REACH` points away. Every
point belongs to one letter, in the order of writing: a dot that is written at the end of a word belongs to the letter
that is written there. Spaces have no points.

Both numbers were chosen on the embedded pen corpus, on writers who do not join letters, so that the borders are known:
`python -m benchmarks.alignment --ink`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from asr.decoding.hypothesis import Hypothesis, Span, words_of

SHARE = 0.8
REACH = 20  # points


def frames_of_letters(
    labels: Sequence[str], start: NDArray[np.int64], end: NDArray[np.int64], n_frames: int
) -> list[tuple[int, int]]:
    """Divide all frames between the letters; a space has no frames and begins and ends at a border.

    Args:
        labels: (U,) letters and spaces.
        start: (U,) the first frame of the emission of each label.
        end: (U,) the frame after the emission of each label.
        n_frames: T, how many frames there are.

    Returns:
        The first frame of each label, and the frame after its last.

    >>> frames_of_letters(["t", "o"], np.array([2, 7]), np.array([3, 8]), n_frames=10)
    [(0, 6), (6, 10)]
    """
    letters = [number for number, label in enumerate(labels) if not label.isspace()]
    inner = [int(end[one] + round(SHARE * float(start[other] - end[one]))) for one, other in pairwise(letters)]
    borders = [0, *inner, n_frames]
    divided, passed = [], 0
    for label in labels:
        divided.append((borders[passed], borders[passed] if label.isspace() else borders[passed + 1]))
        passed += not label.isspace()
    return divided


def at_lifts(found: Hypothesis, stroke_ends: NDArray[np.int64]) -> Hypothesis:
    """Divide all points between the letters, with borders at lifts of the pen if there is one nearby.

    Args:
        found: an alignment of characters whose spans count points.
        stroke_ends: (S,) the number of the point after each stroke, rising, S >= 1.

    Returns:
        The alignment with new spans; each letter has at least one point, if there are enough.
    """
    letters = [span for span in found.spans if not span.label.isspace()]
    lifts, n_points = stroke_ends[:-1], int(stroke_ends[-1])
    borders = [0]
    for number, letter in enumerate(letters[1:], start=1):
        border = int(letter.start)
        if len(lifts):
            nearest = int(lifts[np.abs(lifts - border).argmin()])
            border = nearest if abs(nearest - border) <= REACH else border
        left = n_points - (len(letters) - number)  # a point for each letter from here on
        borders.append(max(min(max(border, borders[-1] + 1), left), borders[-1]))
    borders.append(n_points)
    spans: list[Span] = []
    passed = 0
    for span in found.spans:
        last = passed if span.label.isspace() else passed + 1
        spans.append(replace(span, start=float(borders[passed]), end=float(borders[last])))
        passed = last
    return replace(found, spans=tuple(spans), words=words_of(spans, "characters"))
