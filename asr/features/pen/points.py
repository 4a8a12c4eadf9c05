"""Features of points: raw offsets, and the practical ten values."""

from __future__ import annotations

import numpy as np

from asr.features.pen.normalise import Floats
from asr.features.pen.resample import Path

OFFSETS = ("dx", "dy", "pen_up")
PLAIN = ("dx", "dy", "cos", "sin", "turn_cos", "turn_sin", "height", "begins", "ends", "jump")
_SOFT = 0.2  # of a step: shorter vectors shrink instead of pointing anywhere
_STEP = 0.1  # where points are not resampled, and have no common step


def offsets(path: Path) -> Floats:
    """Where the pen goes, and whether it lifts.

    The input of A. Graves, "Generating sequences with recurrent neural networks" (2013), section 4, there of the points
    as recorded (step 0).

    Returns:
        (T, 3): dx, dy from the point before, in core heights, over pen-ups too, 0 at the first point; 1 at the last
        point of a stroke, from which the pen is lifted.
    """
    return np.column_stack([_moves(path), path.last])


def plain(path: Path) -> Floats:
    """Ten values a point that are all of one size.

    Returns:
        (T, 10) as `PLAIN`: dx, dy from the point before, over pen-ups too, in steps, as sign(d) log(1 + |d|); cosine
        and sine of the direction, from the point before to the point after; cosine and sine of the turn at the point
        (1, 0 at the ends of strokes); height above the middle of the core zone in core heights; 1 at the first, 1 at
        the last point of a stroke; log(1 + the way of the lifted pen to here in steps), 0 but at a stroke's first
        point.
    """
    moves = _moves(path) / (path.step or _STEP)
    jump = np.where(path.first, np.log1p(np.hypot(*moves.T)), 0.0)
    squashed = np.sign(moves) * np.log1p(np.abs(moves))
    return np.column_stack([squashed, directions(path), turns(path), path.points[:, 1], path.first, path.last, jump])


def directions(path: Path) -> Floats:
    """(T, 2) cosine and sine of the line from the point before to the point after, within the stroke; 0, 0 in a dot."""
    return softly_unit(path.points[path.after()] - path.points[path.before()], path.step)


def turns(path: Path) -> Floats:
    """(T, 2) cosine and sine of the angle between the lines to here and from here; 1, 0 at the ends of strokes."""
    coming = softly_unit(path.points - path.points[path.before()], path.step)
    going = softly_unit(path.points[path.after()] - path.points, path.step)
    cosine = (coming * going).sum(axis=1)
    sine = coming[:, 0] * going[:, 1] - coming[:, 1] * going[:, 0]
    return np.column_stack([np.where(path.first | path.last, 1.0, cosine), sine])


def softly_unit(vectors: Floats, step: float) -> Floats:
    """(T, 2) of length 1, or shorter where a vector is not long beside a step: its direction means little then."""
    soft = _SOFT * (step or _STEP)
    lengths: Floats = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True) + soft * soft)
    return vectors / lengths


def _moves(path: Path) -> Floats:
    """(T, 2) from the point before, over pen-ups too; 0 at the first point."""
    return np.diff(path.points, axis=0, prepend=path.points[:1])
