"""Bullets: small strokes before lines, one below the other.

Arrows are found by their shape (`arrows.py`), wherever they stand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.ink.layout.shapes import Shapes, is_box
from asr.ink.layout.strokes import Floats, Ints, Strokes
from asr.ink.layout.types import Mark
from asr.ink.layout.writing import Writing

_LARGEST = 1.35  # h
_DOT, _DASH = 0.4, 0.25  # h: greatest side of a dot, greatest height of a dash
_ROUND_ONCE = (1.3, 2.2)  # ink of a ring or a box / (width + height)
_CLOSED = 0.2  # gap of a ring or a box / its ink
_WIDTH = (0.6, 1.7)  # of a ring or a box / height
_GAP, _GAP_OF_SURE = (0.2, 16.0), 0.45  # h from a bullet to the writing after it; the least if it is sure
_FREE = 3.0  # h before a bullet without other ink at its height
_BESIDE = 0.8  # h up and down, in which writing is at the height of a bullet
_FIRST = 5.0  # h of a line after its bullet, which show the height of its letters
_LEVEL = 0.1  # h by which a bullet is above the foot and below the top of these letters
_ALIKE_X, _ALIKE = 0.8, 0.15  # h by which bullets of a list differ in place and height
_ALIKE_Y = 1.0  # h between bullets of a list at least; two dashes that are nearer are the sign of equality
_ROUND = ("dot", "ring")
_SMALL_RING = 0.65  # of the height of the letters after it; a larger ring may be one of them
_MOST = 4000


@dataclass(frozen=True)
class _Bullet:
    """A stroke that may be a bullet.

    Attributes:
        stroke: its index.
        kind: its shape.
        x, y: its middle.
        height: of its box.
        is_sure: it is at the middle of the letters after it, apart from them, and too small for a letter; else it is a
            bullet only below or above others that are sure.
    """

    stroke: int
    kind: str
    x: float
    y: float
    height: float
    is_sure: bool


def bullets(strokes: Strokes, form: Shapes, some: Ints, writing: Writing) -> list[Mark]:
    """Find the bullets among some strokes. When they were written does not matter.

    Args:
        strokes: of a level page.
        form: their shapes.
        some: (n,) the strokes that are writing so far.
        writing: the same strokes in lines.
    """
    size = writing.size
    small = np.maximum(form.width[some], form.height[some]) <= _LARGEST * size
    boxes = form.boxes[some]
    found = []
    for at in _with_free_neighbours(np.flatnonzero(small)[:_MOST], boxes, size):
        kind = _shape(strokes.path(int(some[at])), size)
        if kind is None or np.count_nonzero(_takes(boxes, boxes[at], size)) > 1:  # a stroke takes its own place
            continue
        bullet = _before_line(writing, form, int(some[at]), int(at), kind)
        if bullet is not None:
            found.append(bullet)
    return [Mark("bullet", (one.stroke,)) for one in found if _is_kept(one, found, size)]


def _is_kept(one: _Bullet, found: list[_Bullet], size: float) -> bool:
    """Return whether a bullet is one of a list; a dot may stand alone."""
    alike = [
        other
        for other in found
        if (other.kind == one.kind or (other.kind in _ROUND and one.kind in _ROUND))
        and abs(other.x - one.x) <= _ALIKE_X * size
        and abs(other.y - one.y) >= _ALIKE_Y * size
        and abs(other.height - one.height) <= _ALIKE * size
    ]
    is_listed = len(alike) >= 1 and (one.is_sure or any(other.is_sure for other in alike))
    return is_listed or (one.kind == "dot" and one.is_sure)


def _shape(path: Floats, size: float) -> str | None:
    """Return `dot`, `dash`, `ring` or `box` if a small stroke has such a shape."""
    width, height = np.ptp(path, axis=0)
    if max(width, height) <= _DOT * size:
        return "dot"
    if height <= _DASH * size:
        return "dash"
    ink = float(np.hypot(*np.diff(path, axis=0).T).sum())
    is_closed = np.hypot(*(path[-1] - path[0])) <= _CLOSED * ink
    goes_round = _ROUND_ONCE[0] * (width + height) <= ink <= _ROUND_ONCE[1] * (width + height)
    if is_closed and goes_round and _WIDTH[0] * height < width < _WIDTH[1] * height:
        return "box" if is_box(path) else "ring"
    return None


def _with_free_neighbours(places: Ints, boxes: Floats, size: float) -> Ints:
    """Return the strokes that are free of their neighbours in the order of writing, which rules out most letters."""
    last = len(boxes) - 1
    free = np.ones(len(places), dtype=bool)
    for step in (-1, 1):
        has_one = (places + step >= 0) & (places + step <= last)
        others = boxes[np.clip(places + step, 0, last)]
        free &= ~(has_one & _takes(others, boxes[places], size))
    return places[free]


def _takes(boxes: Floats, box: Floats, size: float) -> NDArray[np.bool_]:
    """Return which ink is before a stroke at its height, or so near that it belongs to it.

    Args:
        boxes: (n, 4) of other ink.
        box: (4,) of the stroke, or (n, 4) of a stroke for each.
        size: of the writing.
    """
    y = box[..., [1, 3]].mean(axis=-1)
    beside = (boxes[:, 1] <= y + _BESIDE * size) & (boxes[:, 3] >= y - _BESIDE * size)
    is_near = (boxes[:, 2] > box[..., 0] - _FREE * size) & (boxes[:, 0] < box[..., 2] + _GAP[0] * size)
    return np.asarray(beside & is_near)


def _before_line(writing: Writing, form: Shapes, stroke: int, at: int, kind: str) -> _Bullet | None:
    """Return a bullet if a stroke is apart before the first letters of a line.

    Args:
        at: its place among the strokes of the writing.
    """
    size, box = writing.size, form.boxes[stroke]
    y = float(box[[1, 3]].mean())
    near = writing.between(y - 2 * size, y + 2 * size)
    near = near[writing.parts.owner[near] != at]
    boxes = writing.parts.boxes[near]
    beside = (boxes[:, 1] <= y + _BESIDE * size) & (boxes[:, 3] >= y - _BESIDE * size)
    after = boxes[:, 0] - box[2]
    beside &= (after >= _GAP[0] * size) & (after <= _GAP[1] * size)
    if not beside.any():
        return None
    nearest = np.flatnonzero(beside)[int(np.argmin(after[beside]))]
    own = (writing.line[near] == writing.line[near[nearest]]) & (after >= 0)
    letters = boxes[own & (boxes[:, 0] <= boxes[nearest, 0] + _FIRST * size)]
    if not letters[:, 1].min() <= y <= letters[:, 3].max():
        return None
    low, high = float(np.median(letters[:, 1])), float(np.median(letters[:, 3]))
    is_apart = float(after[nearest]) >= _GAP_OF_SURE * size
    is_level = low + _LEVEL * size <= y <= high - _LEVEL * size
    is_small = kind != "ring" or form.height[stroke] <= _SMALL_RING * float(np.median(letters[:, 3] - letters[:, 1]))
    is_sure = is_level and is_apart and is_small
    return _Bullet(stroke, kind, float(box[[0, 2]].mean()), y, float(form.height[stroke]), is_sure)
