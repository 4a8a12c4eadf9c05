"""Resample ink in equal steps along its strokes, which removes the writer's speed and keeps the shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.features.pen.normalise import Floats, Ints, Trace

_FRAMES_PER_POINT = 8  # most frames per point of the ink, which limits the memory
_FRAMES_AT_LEAST = 512  # number of frames that any ink may have
MAX_FRAMES = 100_000  # of one ink: about fifty lines of text
_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True, eq=False)
class Path:
    """A trace resampled to T points.

    Attributes:
        points, clock, index: (T, 2), (T,) and (T,): the values of `Trace`, interpolated between its points.
        first, last: (T,) whether a point is the first or the last of its stroke.
        step: the distance of points; 0 for the recorded points.
        trace: the ink before resampling.
        left, right: (T,) indices of the points of `trace` between which a point lies.
        part: (T,) position between `left` and `right`, 0 to 1.
    """

    points: Floats
    clock: Floats
    index: Floats
    first: NDArray[np.bool_]
    last: NDArray[np.bool_]
    step: float
    trace: Trace
    left: Ints
    right: Ints
    part: Floats

    @property
    def speed(self) -> Floats:
        """Speed of the pen relative to its mean speed, (T,), at most 10."""
        speed = _speed(self.trace)
        between: Floats = speed[self.left] + self.part * (speed[self.right] - speed[self.left])
        return between

    def before(self) -> Ints:
        """Return the index of each point's predecessor in its stroke, (T,); a first point has its own index."""
        return np.arange(len(self.points)) - ~self.first

    def after(self) -> Ints:
        """Return the index of each point's successor in its stroke, (T,); a last point has its own index."""
        return np.arange(len(self.points)) + ~self.last


def resampled(trace: Trace, step: float, most: int = MAX_FRAMES) -> Path:
    """Resample every stroke in equal steps; its first and its last point are kept.

    A stroke of length l gets round(l / step) + 1 points, at least two; a dot gets one. If this would be more than eight
    points per point of the ink (and more than 512), the step is increased.

    Args:
        trace: normalised ink.
        step: distance of points in the unit of the ink; 0 keeps the recorded points.
        most: largest accepted number of points.

    Raises:
        DataError: there would be more than `most` points.
    """
    if step == 0:
        return _recorded(trace, most)
    steps = trace.points[1:] - trace.points[:-1]
    travelled = np.zeros(len(trace.points))  # (N,)
    np.hypot(steps[:, 0], steps[:, 1], out=travelled[1:])
    travelled[trace.first[1:]] = 1.0  # a gap between strokes, so that every position belongs to one stroke
    np.cumsum(travelled, out=travelled)
    begins, ends = trace.first, trace.last  # (S,)
    start, end = travelled[begins], travelled[ends]
    length = end - start
    step = max(step, float(length.sum()) / max(_FRAMES_AT_LEAST, _FRAMES_PER_POINT * len(trace.points)))
    n_steps = np.floor(length / step + 0.499).astype(np.int64)  # not 0.5, to avoid a tie at 2.5 steps
    n_steps = np.maximum(n_steps, ends > begins)
    counts = n_steps + 1
    upto = np.cumsum(counts)
    _check_count(int(upto[-1]), most)
    stroke = np.repeat(np.arange(len(counts)), counts)  # (T,)
    begin = upto - counts
    share = (np.arange(len(stroke)) - begin[stroke]) / np.maximum(n_steps, 1)[stroke]
    stops = start[stroke] * (1 - share) + end[stroke] * share  # exact at both ends
    first, last = begins[stroke], ends[stroke]  # points of the trace
    left = np.minimum(np.maximum(np.searchsorted(travelled, stops, side="right") - 1, first), last)
    right = np.minimum(left + 1, last)
    behind = travelled[left]
    part = (stops - behind) / np.maximum(travelled[right] - behind, _TINY)
    values = np.column_stack([trace.points, trace.clock, trace.index])
    values_left = values[left]
    values = values_left + part[:, None] * (values[right] - values_left)
    is_first, is_last = np.zeros((2, len(stroke)), dtype=bool)
    is_first[begin] = is_last[upto - 1] = True
    return Path(values[:, :2], values[:, 2], values[:, 3], is_first, is_last, step, trace, left, right, part)


def _recorded(trace: Trace, most: int) -> Path:
    """Return the recorded points as a path."""
    n_points = len(trace.points)
    _check_count(n_points, most)
    first, last = np.zeros((2, n_points), dtype=bool)
    first[trace.first] = last[trace.last] = True
    here = np.arange(n_points)
    return Path(trace.points, trace.clock, trace.index, first, last, 0.0, trace, here, here, np.zeros(n_points))


def _check_count(n_frames: int, most: int) -> None:
    if n_frames > most:
        raise DataError(f"the ink has {n_frames} frames, more than {most}; cut it into lines")


def _speed(trace: Trace) -> Floats:
    """Return the speed at each point, (N,), measured between its neighbours in the stroke."""
    distance = np.hypot(*np.diff(trace.points, axis=0).T)
    passed = np.diff(trace.clock)
    jumps = trace.first[1:] - 1
    distance[jumps] = passed[jumps] = 0.0
    distance = np.append(0.0, distance) + np.append(distance, 0.0)
    passed = np.append(0.0, passed) + np.append(passed, 0.0)
    bottom = passed + 0.1 * distance  # limits the speed to 10 when the clock stands still
    speed: Floats = np.divide(distance, bottom, out=np.zeros_like(bottom), where=bottom > 0)
    return speed
