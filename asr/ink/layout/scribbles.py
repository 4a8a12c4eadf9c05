"""Scribbles: places where the pen was tried, or where writing was blacked out."""

from __future__ import annotations

import numpy as np

from asr.ink.layout.candidates import MOST
from asr.ink.layout.shapes import Shapes
from asr.ink.layout.strokes import Floats, Strokes
from asr.ink.layout.surroundings import stands_alone
from asr.ink.layout.types import Mark

_DENSE, _DENSE_INK = 7.0, 14.0  # h of ink in a square of h, and altogether
_FEW = 3  # zigzags; more of them are a way of writing
_CLEAR = 0.5  # h without other ink around a zigzag
_ZIGZAG = 5  # ups and downs; a W has four
_HIGH = 0.6  # h
_MOST_INK = 60.0  # h of a zigzag
_ROUNDED = 1.06  # ink of a zigzag / the straight ways between its turns; letters are rounder
_EVEN = 0.6  # lowest up or down of a zigzag / its height
_TURNED = 0.25  # of the height of a stroke, by which the pen comes back at a turn


def scribbles(strokes: Strokes, form: Shapes, height: float) -> list[Mark]:
    """Find strokes with more ink in their box than letters have, and zigzags that stand alone.

    Args:
        strokes: of a level page.
        form: their shapes.
        height: h.
    """
    area = np.maximum(form.width, height) * np.maximum(form.height, height)
    with np.errstate(over="ignore"):
        is_scribble = form.ink * height >= _DENSE * area
    is_scribble &= form.ink >= _DENSE_INK * height
    long = ~is_scribble & (form.ink >= _ZIGZAG * 0.8 * height) & (form.ink <= _MOST_INK * height)
    long &= (form.height >= _HIGH * height) & (form.ink >= 0.7 * _ZIGZAG * form.height)
    zigzags = [int(k) for k in np.flatnonzero(long)[:MOST] if _is_zigzag(strokes.path(k), float(form.height[k]))]
    if len(zigzags) <= _FEW:
        is_scribble[[k for k in zigzags if stands_alone(strokes, form, np.array([k]), height, _CLEAR)]] = True
    return [Mark("scribble", (int(k),)) for k in np.flatnonzero(is_scribble)]


def _is_zigzag(path: Floats, height: float) -> bool:
    """Return whether a stroke goes straight up and down many times, about as high each time."""
    turns, ys = [0], path[:, 1].tolist()  # a list, which Python reads several times as fast
    for k in range(1, len(ys)):
        way = ys[k] - ys[turns[-1]]
        if len(turns) > 1 and way * (ys[turns[-1]] - ys[turns[-2]]) >= 0:
            turns[-1] = k
        elif abs(way) >= _TURNED * height:
            turns.append(k)
    ways = np.diff(path[turns], axis=0)
    if len(ways) < _ZIGZAG:
        return False
    ink = float(np.hypot(*np.diff(path, axis=0).T).sum())
    rises = np.abs(ways[1:-1, 1])
    return ink <= _ROUNDED * float(np.hypot(*ways.T).sum()) and float(rises.min()) >= _EVEN * height
