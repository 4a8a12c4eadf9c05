"""Margins and brackets: tall strokes beside lines."""

from __future__ import annotations

import numpy as np

from asr.ink.layout.shapes import Shapes
from asr.ink.layout.writing import Writing

_SPANNED = 2  # lines beside a margin or a bracket at least; one beside a tall one
_ASIDE = 15.0  # h from it to these lines at most
_REACHED, _REACHED_BY_TALL = 0.5, 0.15  # h by which it goes past the middles of the lines that it spans
_SURELY_TALL = 3.3  # h: letters with a loop above and one below are lower
_BESIDE = (0.35, -0.1, -0.3)  # h to the nearest writing: of what may be a letter by its height, of a taller one, of one
# that is as high as two lines, whose arms may reach over letters
_CLOSE = 2.0  # h to its right, where no line may go on that is on its left too
_LEAN = 0.12  # width / height of a margin; a slash leans more
_MARGIN = 5.0  # h: a straight stroke of this height is no letter, whatever is beside it


def judged_tall(writing: Writing, form: Shapes, stroke: int) -> str | None:
    """Return the kind of a tall stroke, None if it is writing.

    A margin or a bracket stands beside two lines or more, and none of them continues close by on its other side.

    Args:
        writing: the lines of the page.
        form: the shapes of all strokes.
        stroke: which of them is judged.
    """
    size = writing.size
    left, bottom, right, top = form.boxes[stroke]
    tall = form.height[stroke] / size
    kind = "margin" if form.straight[stroke] else "bracket"
    if form.straight[stroke] and tall >= _MARGIN and right - left <= _LEAN * (top - bottom):
        return kind
    reach = _REACHED if tall < _SURELY_TALL else _REACHED_BY_TALL
    near = writing.between(bottom + reach * size, top - reach * size)
    boxes = writing.parts.boxes[near]
    aside = np.maximum(boxes[:, 0] - right, left - boxes[:, 2])
    is_aside = aside < _ASIDE * size
    near, aside, boxes = near[is_aside], aside[is_aside], boxes[is_aside]
    least = _BESIDE[0] if tall < _SURELY_TALL else _BESIDE[1] if tall < _MARGIN else _BESIDE[2]
    spanned = _SPANNED if tall < _MARGIN else 1
    if len(np.unique(writing.line[near])) < spanned or aside.min() < least * size:
        return None
    is_right = boxes[:, 0] > (left + right) / 2
    split = np.intersect1d(writing.line[near[is_right & (aside < _CLOSE * size)]], writing.line[near[~is_right]])
    return None if len(split) else kind
