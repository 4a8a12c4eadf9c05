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
    begins = np.flatnonzero(path.first)
    frames = np.zeros((len(moves), len(PLAIN)))
    frames[:, :2] = np.sign(moves) * np.log1p(np.abs(moves))
    frames[:, 2:6] = course(path)
    frames[:, 6] = path.points[:, 1]
    frames[:, 7], frames[:, 8] = path.first, path.last
    frames[begins, 9] = np.log1p(np.hypot(moves[begins, 0], moves[begins, 1]))
    return frames


def course(path: Path) -> Floats:
    """Direction and turn at each point.

    Returns:
        (T, 4): cosine and sine of the line from the point before to the point after, within the stroke, 0 and 0 in a
        dot; cosine and sine of the angle between the lines to here and from here, 1 and 0 at the ends of strokes. Lines
        that are not long beside a step count as shorter ones: their direction means little.
    """
    soft = _SOFT * (path.step or _STEP)
    here, before, after = path.points, path.points[path.before()], path.points[path.after()]
    along, coming, going = (_softly_unit(one, soft) for one in (after - before, here - before, after - here))
    cosine, sine = coming[0] * going[0] + coming[1] * going[1], coming[0] * going[1] - coming[1] * going[0]
    cosine[path.first | path.last] = 1.0
    return np.column_stack([*along, cosine, sine])


def _softly_unit(vectors: Floats, soft: float) -> tuple[Floats, Floats]:
    """x and y (T,) of vectors (T, 2) made of length 1, or shorter where a vector is not long beside `soft`."""
    x, y = vectors.T
    lengths = np.sqrt(x * x + y * y + soft * soft)
    return x / lengths, y / lengths


def _moves(path: Path) -> Floats:
    """(T, 2) from the point before, over pen-ups too; 0 at the first point."""
    moves = np.zeros_like(path.points)
    moves[1:] = path.points[1:] - path.points[:-1]
    return moves
