"""The size h of the writing: the height of its ups and downs."""

from __future__ import annotations

import numpy as np

from asr.ink.layout.strokes import Floats, Strokes

_TREMBLE = 0.2  # h: lower ups and downs are none


def size(strokes: Strokes) -> float:
    """h: the median height of the way from a turn of the pen to the next, each counted by its height.

    It is about the height of small letters in printed and in joined writing alike, because it does not ask how many
    letters a stroke has.

    Returns:
        0 where nothing rises or falls.
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
    """Heights of all ups and downs; those below `least` are taken out of the way that they interrupt."""
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
