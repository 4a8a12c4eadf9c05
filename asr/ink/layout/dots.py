"""Stray dots and touches: small strokes far from all writing."""

from __future__ import annotations

import numpy as np

from asr.ink.layout.shapes import Flags, Shapes
from asr.ink.layout.writing import Writing

_DOT = 0.55  # h
_STRAY, _STRAY_IN_LINE = 1.0, 2.5  # h from the nearest writing; from writing at the same height
_IN_LINE = (1.0, 1.4)  # h below and above the middle of the writing beside it: full stops, apostrophes
_ABOVE = (1.5, 1.5)  # h beside and above a letter, within which its dot may be
_NEXT = 3.2  # h from the stroke written just before, at the same height: a full stop
_HIGHEST = 4.0  # h: the middle of a letter is not farther below its dot


def small_strokes(form: Shapes, size: float) -> Flags:
    """Return which strokes (S,) may be stray dots by their size.

    Args:
        form: the shapes of all strokes.
        size: h.
    """
    return np.asarray(np.maximum(form.width, form.height) <= _DOT * size)


def is_stray(writing: Writing, form: Shapes, stroke: int) -> bool:
    """Return whether a small stroke is far from all writing.

    Args:
        writing: the lines of the page without small strokes.
        form: the shapes of all strokes.
        stroke: which of them is judged.
    """
    size = writing.size
    box = form.boxes[stroke]
    if _has_companion(form, stroke, size):
        return False
    y = (box[1] + box[3]) / 2
    near = writing.between(y - _HIGHEST * size, y + _HIGHEST * size)
    boxes = writing.parts.boxes[near]
    across = np.maximum(np.maximum(boxes[:, 0] - box[2], box[0] - boxes[:, 2]), 0.0)
    up = np.maximum(np.maximum(boxes[:, 1] - box[3], box[1] - boxes[:, 3]), 0.0)
    far = np.hypot(across, up)
    above = y - writing.parts.height[near]
    level = (above >= -_IN_LINE[0] * size) & (above <= _IN_LINE[1] * size)
    below = (across <= _ABOVE[0] * size) & (up <= _ABOVE[1] * size) & (boxes[:, 1] < box[1])
    in_line = level & (far <= _STRAY_IN_LINE * size)
    spaced = level & (far <= 2 * _STRAY_IN_LINE * size)  # writing with wide gaps has some on both sides
    is_left = boxes[:, 2] < box[0]
    in_line |= spaced & (spaced & is_left).any() & (spaced & ~is_left).any()
    return not ((far <= _STRAY * size) | in_line | below).any()


def _has_companion(form: Shapes, stroke: int, size: float) -> bool:
    """Return whether the stroke before or after a small stroke is near it, or it ends what was written before."""
    box = form.boxes[stroke]
    for k in (stroke - 1, stroke + 1):
        if not 0 <= k < len(form.boxes):
            continue
        other = form.boxes[k]
        across = max(other[0] - box[2], box[0] - other[2], 0.0)
        up = max(other[1] - box[3], box[1] - other[3], 0.0)
        is_stop = k < stroke and up == 0.0 and other[2] < box[0] and across <= _NEXT * size
        if np.hypot(across, up) <= _STRAY * size or is_stop:
            return True
    return False
