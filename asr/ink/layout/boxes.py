"""Boxes and ellipses around writing."""

from __future__ import annotations

import numpy as np

from asr.ink.layout.candidates import MOST
from asr.ink.layout.shapes import Shapes, is_box, is_frame, within
from asr.ink.layout.strokes import Ints, Strokes
from asr.ink.layout.types import Mark

_FRAME = (0.9, 1.3)  # h: least width and height of a frame
_BOX = (0.75, 1.1)  # h: the same with corners, which letters do not have
_FRAMED = 1.2  # h: least ink in a frame
_RINGED, _ROUND = 9.0, 1.6  # h: least ink in a ring, which may be the sign of copyright if it is not this much wider
# than high
_PAST = 0.3  # h by which letters may reach out of their box
_SIDE = (0.85, 1.1)  # h: least width and height of a box in four strokes
_LEAN = (0.15, 0.3)  # height / width of a level side, width / height of an upright one
_CORNER, _CORNER_OF_SMALL = 0.7, 0.35  # h, and share of a level side, by which the sides of a box may miss each other
_AT_ONCE = 5  # strokes within which the four sides of a box are drawn
_ABOVE_EACH_OTHER = 12  # level strokes that are compared with each


def boxes(strokes: Strokes, form: Shapes, height: float) -> list[Mark]:
    """Find boxes and ellipses around writing, in one stroke or in four.

    Args:
        strokes: of a level page.
        form: their shapes.
        height: h.
    """
    return _in_one_stroke(strokes, form, height) + _in_four_strokes(form, height)


def _in_one_stroke(strokes: Strokes, form: Shapes, height: float) -> list[Mark]:
    found = []
    large = (form.width >= _BOX[0] * height) & (form.height >= _BOX[1] * height)
    for k in np.flatnonzero(large & form.closed)[:MOST]:
        path = strokes.path(k)
        if not is_frame(path):
            continue
        has_corners = is_box(path)
        if not has_corners and (form.width[k] < _FRAME[0] * height or form.height[k] < _FRAME[1] * height):
            continue
        inside = within(form.boxes, form.boxes[k], _PAST * height)
        inside[k] = False
        is_wide = form.width[k] >= _ROUND * form.height[k]
        least = _FRAMED if is_wide or has_corners else _RINGED
        if float(form.ink[inside].sum()) >= least * height:
            found.append(Mark("box", (int(k),)))
    return found


def _in_four_strokes(form: Shapes, height: float) -> list[Mark]:
    is_level = form.level | (form.straight & (form.height <= _LEAN[0] * form.width))
    level = np.flatnonzero(is_level & (form.width >= _SIDE[0] * height))
    is_upright = form.straight & (form.width <= _LEAN[1] * form.height)
    upright = np.flatnonzero(is_upright & (form.height >= _SIDE[1] * height))
    found: list[Mark] = []
    used: set[int] = set()
    order = level[np.argsort(form.boxes[level, 0], kind="stable")][:MOST]
    for at, one in enumerate(order):
        for other in order[at + 1 : at + _ABOVE_EACH_OTHER]:
            near = min(_CORNER * height, _CORNER_OF_SMALL * float(form.width[one]))
            sides = _sides(form, int(one), int(other), upright, near)
            if sides and not used & set(sides) and _has_ink_inside(form, sides, height):
                used |= set(sides)
                found.append(Mark("box", tuple(sorted(sides))))
    return found


def _sides(form: Shapes, one: int, other: int, upright: Ints, near: float) -> tuple[int, ...]:
    """Return the four strokes of a box with these two level sides; empty if there is none.

    Args:
        near: distance by which sides may miss each other.
    """
    a, b = form.boxes[one], form.boxes[other]
    if max(abs(a[0] - b[0]), abs(a[2] - b[2])) > 1.5 * near:
        return ()
    low, high = sorted([(a[1] + a[3]) / 2, (b[1] + b[3]) / 2])
    if high - low < 1.2 * near:
        return ()
    ends = (np.abs(form.boxes[upright, 1] - low) <= near) & (np.abs(form.boxes[upright, 3] - high) <= near)
    middle = form.boxes[upright][:, [0, 2]].mean(axis=1)
    left = upright[ends & (np.abs(middle - (a[0] + b[0]) / 2) <= near)]
    right = upright[ends & (np.abs(middle - (a[2] + b[2]) / 2) <= near)]
    for first in left[:3].tolist():
        for last in right[:3].tolist():
            sides = (one, other, first, last)
            if len(set(sides)) == 4 and max(sides) - min(sides) <= _AT_ONCE:
                return sides
    return ()


def _has_ink_inside(form: Shapes, sides: tuple[int, ...], height: float) -> bool:
    own = form.boxes[list(sides)]
    box = np.concatenate([own[:, :2].min(axis=0), own[:, 2:].max(axis=0)])
    inside = within(form.boxes, box, _PAST * height)
    inside[list(sides)] = False
    return bool(form.ink[inside].sum() >= height)
