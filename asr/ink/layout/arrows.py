"""Arrows: a shaft with a head of two sides, in one stroke, two or three."""

from __future__ import annotations

import numpy as np

from asr.ink.layout.shapes import Flags, Shapes
from asr.ink.layout.strokes import Floats, Strokes
from asr.ink.layout.surroundings import stands_alone
from asr.ink.layout.types import Mark

_SHAFT, _HEAD = 0.9, 1.7  # h: least length of a shaft, greatest of a side of a head
_STEEP = ((2.0, 25.0), (3.0, 50.0), (np.inf, 60.0))  # length of a shaft in h; up to there it is less steep, in degrees
_HEADED = 1.15  # width / height of a shaft and its head in one stroke
_MOST_INK = 12.0  # h of a shaft that is not straight
_AT_TIP = 0.3  # h between a tip and its head
_PAST_TIP = 0.35  # h by which a head may go beyond the tip
_LONGER = 1.15  # a shaft / its head
_SIDE = 0.12  # h: least distance of the ends of a head from the shaft
_BACK = (0.5, 5.0)  # way back of a side of a head / its way aside
_TIP = 0.97  # of the greatest distance from the tail
_BENT = 1.1  # ink of a shaft / its length


def arrows(strokes: Strokes, form: Shapes, height: float) -> list[Mark]:
    """Find shafts whose next strokes, or whose own end, are a head: two sides that go back from the tip.

    No other ink may be in the box of an arrow: an `x` or an `e` in a word may look like one.

    Args:
        strokes: of a level page.
        form: their shapes.
        height: h.
    """
    found, used = [], -1
    small = np.maximum(form.width, form.height) <= _HEAD * height
    for k in np.flatnonzero(_shafts(form, height)):
        if k <= used:
            continue
        heads = _heads(strokes, form, int(k), small, height)
        if heads is not None:
            own = np.arange(k, k + heads + 1)
            if stands_alone(strokes, form, own, height):
                used = int(k) + heads
                found.append(Mark("arrow", tuple(own.tolist())))
    return found


def _shafts(form: Shapes, height: float) -> Flags:
    """Return which strokes may be shafts, alone or with their head: long, and not steep."""
    length = np.hypot(form.width, form.height)
    steepest = np.select([length < most * height for most, _ in _STEEP], [degrees for _, degrees in _STEEP])
    level = form.width >= np.cos(np.radians(steepest)) * length
    level |= ~form.straight & (form.width >= _HEADED * form.height)
    return np.asarray(level & (length >= _SHAFT * height) & ((form.ink <= _MOST_INK * height) | form.straight))


def _heads(strokes: Strokes, form: Shapes, k: int, small: Flags, height: float) -> int | None:
    """Return how many strokes after a shaft are its head: 0 if the shaft includes it, None if there is none."""
    path = strokes.path(k)
    if form.straight[k]:
        for count in (1, 2):
            after = range(k + 1, min(k + 1 + count, len(strokes)))
            if len(after) == count and all(small[one] for one in after):
                head = np.concatenate([strokes.path(one) for one in after])
                for tail, tip in ((path[0], path[-1]), (path[-1], path[0])):
                    if _is_head(head, tail, tip, height):
                        return count
        return None
    away = np.hypot(*(path - path[0]).T)
    far = int(np.argmax(away >= _TIP * away.max()))  # the pen comes to the tip twice
    if not 2 <= far < len(path) - 2 or not _is_straight(path[: far + 1], height):
        return None
    return 0 if _is_head(path[far + 1 :], path[0], path[far], height) else None


def _is_straight(path: Floats, height: float) -> bool:
    chord = path[-1] - path[0]
    length = float(np.hypot(*chord))
    steps = float(np.hypot(*np.diff(path, axis=0).T).sum())
    return length >= 1.2 * _SHAFT * height and steps <= _BENT * length


def _is_head(head: Floats, tail: Floats, tip: Floats, height: float) -> bool:
    """Return whether points (N, 2) go back from the tip of a shaft on both of its sides."""
    shaft = tip - tail
    length = float(np.hypot(*shaft))
    if length < _SHAFT * height:
        return False
    unit = shaft / length
    away = head - tip
    along, beside = away @ unit, away @ np.array([-unit[1], unit[0]])
    reach = np.hypot(along, beside)
    if reach.max() > _HEAD * height or reach.min() > _AT_TIP * height or along.max() > _PAST_TIP * height:
        return False
    if length < _LONGER * reach.max():
        return False
    left, right = int(np.argmax(beside)), int(np.argmin(beside))
    sides = [(beside[left], along[left]), (-beside[right], along[right])]
    return all(
        side >= _SIDE * height and -back >= _BACK[0] * side and -back <= min(_BACK[1] * side, length)
        for side, back in sides
    )
