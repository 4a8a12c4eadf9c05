"""The shapes of strokes by which marks differ from writing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.ink.layout.strokes import Floats, Strokes

Flags = NDArray[np.bool_]

_SWAY = 0.06  # distance of a straight stroke from its chord / its length
_DETOUR = 1.15  # ink of a straight stroke / its length
_FLAT = 0.08  # height of a level stroke / its width
_ROUND, _OPEN = (0.7, 1.5), 0.12  # ink of a frame and its gap / the perimeter of its box
_WAVE = 1.4  # ink of a level stroke / its width; a wave has more ink than a line


@dataclass(frozen=True)
class Shapes:
    """Shapes of all strokes.

    Attributes:
        boxes: (S, 4) left, bottom, right, top.
        width, height, ink: (S,).
        straight: (S,) whether the ink stays near the chord from the first to the last point.
        level: (S,) whether it is far wider than high and does not go back; a wave may be level.
        closed: (S,) whether it ends where it began and is as long as the perimeter of its box, so it may be a frame.
    """

    boxes: Floats
    width: Floats
    height: Floats
    ink: Floats
    straight: Flags
    level: Flags
    closed: Flags


def shapes(strokes: Strokes, size: float = 0.0) -> Shapes:
    """Measure strokes.

    Args:
        strokes: to measure.
        size: h, which allows short strokes some height and sway; 0 if it is not known yet.
    """
    boxes, ink = strokes.boxes(), strokes.lengths()
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    chord, sway = _chords(strokes)
    straight = (sway <= np.maximum(_SWAY * chord, 0.1 * size)) & (ink <= _DETOUR * chord) & (chord > 0)
    level = (height <= np.maximum(_FLAT * width, 0.3 * size)) & (ink <= _WAVE * width) & (width > height)
    around = 2 * (width + height)
    closed = (ink >= _ROUND[0] * around) & (ink <= _ROUND[1] * around) & (chord <= _OPEN * around)
    return Shapes(boxes, width, height, ink, straight, level, closed)


def _chords(strokes: Strokes) -> tuple[Floats, Floats]:
    """Return (S,) the length of each chord, and (S,) the greatest distance of a point from it."""
    ends = np.append(strokes.starts[1:], len(strokes.points)) - 1
    first, last = strokes.points[strokes.starts], strokes.points[ends]
    along = last - first
    chord = np.hypot(*along.T)
    unit = along / np.where(chord > 0, chord, 1.0)[:, None]
    offset = strokes.points - first[strokes.owner]
    beside = np.abs(offset[:, 0] * unit[strokes.owner, 1] - offset[:, 1] * unit[strokes.owner, 0])
    return chord, np.asarray(np.maximum.reduceat(beside, strokes.starts))


def within(boxes: Floats, box: Floats, past: float) -> Flags:
    """Return which boxes (n, 4) are inside a box that is enlarged by `past` on all sides."""
    return np.asarray(((boxes[:, :2] >= box[:2] - past) & (boxes[:, 2:] <= box[2:] + past)).all(axis=1))


def is_frame(path: Floats) -> bool:
    """Return whether a closed stroke (N, 2) goes once around an empty inside: a box or an ellipse."""
    (left, bottom), (right, top) = path.min(axis=0), path.max(axis=0)
    half = np.array([right - left, top - bottom]) / 2
    if len(path) < 4 or not half.all():
        return False
    steps = np.hypot(*np.diff(path, axis=0).T)
    middles = (path[1:] + path[:-1]) / 2
    inside = np.hypot(*((middles - [(left + right) / 2, (bottom + top) / 2]) / half).T) < _INSIDE
    return float(steps[inside].sum()) <= 0.05 * steps.sum() and _goes_round(path, half)


_INSIDE = 0.7  # of the distance from the middle to the sides


def _goes_round(path: Floats, half: Floats) -> bool:
    """Return whether a stroke surrounds its middle: at least 11 of 12 sectors contain ink."""
    corners = np.linspace(0, 1, 9)[:-1]
    dense = (path[:-1, None] + corners[None, :, None] * np.diff(path, axis=0)[:, None]).reshape(-1, 2)
    middle = (path.min(axis=0) + path.max(axis=0)) / 2
    angle = np.arctan2(*((dense - middle) / half).T[::-1])
    return len(np.unique(((angle + np.pi) / (2 * np.pi) * 12).astype(np.int64) % 12)) >= 11


def is_box(path: Floats) -> bool:
    """Return whether a stroke (N, 2) comes near all four corners of its bounding box."""
    (left, bottom), (right, top) = path.min(axis=0), path.max(axis=0)
    corners = np.array([[left, bottom], [left, top], [right, top], [right, bottom]])
    nearest = np.hypot(*(path[:, None] - corners).transpose(2, 0, 1)).min(axis=0)
    return bool(nearest.max() <= 0.22 * max(right - left, top - bottom))
