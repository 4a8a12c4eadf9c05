"""Compute features of points: plain offsets, or ten values per point."""

from __future__ import annotations

import numpy as np

from asr.features.pen.normalise import Floats
from asr.features.pen.resample import Path

OFFSETS = ("dx", "dy", "pen_up")
PLAIN = ("dx", "dy", "cos", "sin", "turn_cos", "turn_sin", "height", "begins", "ends", "jump")
_SOFT = 0.2  # of a step; the direction of shorter vectors is unreliable, so they are shortened
_STEP = 0.1  # step assumed for points that are not resampled


def offsets(path: Path) -> Floats:
    """Compute the pen's offsets and pen-ups.

    This is the input of A. Graves, "Generating sequences with recurrent neural networks" (2013), section 4, which uses
    the recorded points (step 0).

    Returns:
        (T, 3): dx, dy from the previous point in core heights, across pen-ups too, 0 at the first point; 1 at the last
        point of a stroke, else 0.
    """
    return np.column_stack([_moves(path), path.last])


def plain(path: Path) -> Floats:
    """Compute ten values per point, all of the same order of magnitude.

    Returns:
        (T, 10) in the order of `PLAIN`:

        1-2. dx, dy: offset d from the previous point in steps, across pen-ups too, as sign(d) log(1 + |d|).
        3-4. cos, sin: direction from the previous to the next point.
        5-6. turn_cos, turn_sin: angle of the turn at the point; 1 and 0 at the ends of strokes.
        7. height: height above the middle of the core zone, in core heights.
        8-9. begins, ends: 1 at the first and at the last point of a stroke, else 0.
        10. jump: log(1 + distance from the stroke before in steps) at the first point of a stroke, else 0.
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
    """Compute direction and turn at each point.

    Returns:
        (T, 4): cosine and sine of the line from the previous to the next point of the stroke (0 and 0 for a dot);
        cosine and sine of the angle between the lines to and from the point (1 and 0 at the ends of strokes). Lines
        much shorter than a step give smaller values, because their direction is unreliable.
    """
    soft = _SOFT * (path.step or _STEP)
    here, before, after = path.points, path.points[path.before()], path.points[path.after()]
    along, coming, going = (_softly_unit(one, soft) for one in (after - before, here - before, after - here))
    cosine, sine = coming[0] * going[0] + coming[1] * going[1], coming[0] * going[1] - coming[1] * going[0]
    cosine[path.first | path.last] = 1.0
    return np.column_stack([*along, cosine, sine])


def _softly_unit(vectors: Floats, soft: float) -> tuple[Floats, Floats]:
    """Scale vectors (T, 2) to length 1, or less if they are not much longer than `soft`; return x and y, (T,) each."""
    x, y = vectors.T
    lengths = np.sqrt(x * x + y * y + soft * soft)
    return x / lengths, y / lengths


def _moves(path: Path) -> Floats:
    """Return the offset from the previous point, (T, 2), across pen-ups too; 0 at the first point."""
    moves = np.zeros_like(path.points)
    moves[1:] = path.points[1:] - path.points[:-1]
    return moves
