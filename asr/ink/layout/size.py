"""The size h of the writing: the height of its ups and downs."""

from __future__ import annotations

import numpy as np

from asr.ink.layout.shapes import Shapes, is_frame, shapes, within
from asr.ink.layout.strokes import Floats, Strokes

_TREMBLE = 0.2  # h: lower ups and downs do not count
_MOST_FRAMES = 4000  # strokes that are looked at, the longest


def writing_size(strokes: Strokes) -> float:
    """Return h of a page, measured on the strokes that may be letters.

    Straight strokes, and frames with other ink inside, are used only if there are no other strokes.

    Returns:
        h, or 0 if nothing rises or falls.
    """
    form = shapes(strokes)
    plain = ~form.straight & ~form.level
    frames = np.zeros(len(strokes), dtype=bool)
    long = np.argsort(-form.ink, kind="stable")[:_MOST_FRAMES]
    for k in long[(plain & form.closed)[long]]:
        frames[k] = is_frame(strokes.path(k)) and _holds(form, k)
    for some in (plain & ~frames, plain, np.ones(len(strokes), dtype=bool)):
        if some.any() and (found := size(strokes.chosen(np.flatnonzero(some)))) > 0:
            return found
    return 0.0


def _holds(form: Shapes, k: int) -> bool:
    """Return whether other strokes are in the box of this one."""
    return int(within(form.boxes, form.boxes[k], 0.0).sum()) > 1


def size(strokes: Strokes) -> float:
    """Return h: the median vertical distance between two turns of the pen, each weighted by its length.

    It is about the height of small letters, in printed and in joined writing alike, because it does not depend on how
    many letters a stroke has.

    Returns:
        h, or 0 if nothing rises or falls.
    """
    found = 0.0
    for _ in range(2):
        sweeps = _sweeps(strokes, _TREMBLE * found)
        if not len(sweeps):
            return found
        found = _median_by_height(sweeps)
    return found


def _median_by_height(sweeps: Floats) -> float:
    ordered = np.sort(sweeps)
    below = np.cumsum(ordered)
    return float(ordered[np.searchsorted(below, below[-1] / 2)])


def _sweeps(strokes: Strokes, least: float) -> Floats:
    """Return the heights of all ups and downs; those below `least` are removed from the sweep they interrupt."""
    height, owner = strokes.points[:, 1], strokes.owner
    for _ in range(3):
        moves = np.ones(len(height), dtype=bool)
        moves[1:] = (np.diff(height) != 0) | (np.diff(owner) != 0)
        height, owner = height[moves], owner[moves]
        rising = np.diff(height) > 0
        within = np.diff(owner) == 0
        turns = np.ones(len(height), dtype=bool)
        turns[1:-1] = (rising[1:] != rising[:-1]) | ~within[1:] | ~within[:-1]
        height, owner = height[turns], owner[turns]
        within = np.diff(owner) == 0
        small = within & (np.abs(np.diff(height)) < least)
        inner = np.zeros(len(height), dtype=bool)
        inner[1:-1] = within[1:] & within[:-1]
        drop = np.zeros(len(height), dtype=bool)
        drop[1:] |= small
        drop[:-1] |= small
        drop &= inner
        if not drop.any():
            break
        height, owner = height[~drop], owner[~drop]
    sweeps = np.abs(np.diff(height))[np.diff(owner) == 0]
    return np.asarray(sweeps[sweeps > 0])
