"""Points at equal steps along the ink: the writer's speed goes, the shape stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.features.pen.normalise import Floats, Ints, Trace

_FRAMES_PER_POINT = 8  # at most, and a few more: what bounds the memory that any ink takes
_FRAMES_AT_LEAST = 512
MAX_FRAMES = 100_000  # of one ink: some fifty lines of text


@dataclass(frozen=True, eq=False)
class Path:
    """A trace as a sequence of T points.

    Attributes:
        points: (T, 2); clock: (T,), index: (T,) as of `Trace`, between its points.
        first, last: (T,) whether a point is the first, the last of its stroke.
        speed: (T,) core heights in a unit of the clock; the average pen has 1, and 10 is the most.
        step: the distance that was asked for.
    """

    points: Floats
    clock: Floats
    index: Floats
    first: NDArray[np.bool_]
    last: NDArray[np.bool_]
    speed: Floats
    step: float

    def before(self) -> Ints:
        """(T,) index of the point before within the stroke; a first point's own."""
        here = np.arange(len(self.points))
        return np.where(self.first, here, here - 1)

    def after(self) -> Ints:
        """(T,) index of the point after within the stroke; a last point's own."""
        here = np.arange(len(self.points))
        return np.where(self.last, here, here + 1)


def resampled(trace: Trace, step: float, most: int = MAX_FRAMES) -> Path:
    """Points along every stroke, its first and its last among them.

    A stroke of length l gets round(l / step) + 1 points, at least two, a dot one. The step is widened where that would
    give more than eight frames for each point of the ink (and more than 512): an outline of few, far points.

    Args:
        trace: normalised ink.
        step: in its unit; 0 for the points as they are.
        most: frames.

    Raises:
        DataError: there would be more than `most` frames.
    """
    speed = _speed(trace)
    if step == 0:
        _check_count(len(trace.points), most)
        first = np.zeros(len(trace.points), dtype=bool)
        first[trace.first] = True
        return Path(trace.points, trace.clock, trace.index, first, np.append(first[1:], True), speed, step)
    gaps = np.hypot(*np.diff(trace.points, axis=0).T)
    gaps[trace.first[1:] - 1] = 1.0  # between strokes, so that every place along the ink belongs to one of them
    travelled = np.append(0.0, np.cumsum(gaps))  # (N,)
    start, end = travelled[trace.first], travelled[trace.last]  # (S,)
    step = max(step, float((end - start).sum()) / max(_FRAMES_AT_LEAST, _FRAMES_PER_POINT * len(trace.points)))
    steps = np.floor((end - start) / step + 0.499).astype(np.int64)  # not .5: no tie for a length of 2.5 steps
    steps = np.maximum(steps, trace.last > trace.first)  # (S,)
    counts = steps + 1
    _check_count(int(counts.sum()), most)
    stroke = np.repeat(np.arange(len(counts)), counts)  # (T,)
    begin = np.cumsum(counts) - counts
    share = (np.arange(len(stroke)) - begin[stroke]) / np.maximum(steps, 1)[stroke]
    stops = start[stroke] * (1 - share) + end[stroke] * share  # exact at both ends
    left = np.clip(np.searchsorted(travelled, stops, side="right") - 1, trace.first[stroke], trace.last[stroke])
    right = np.minimum(left + 1, trace.last[stroke])
    part = (stops - travelled[left]) / np.maximum(travelled[right] - travelled[left], np.finfo(np.float64).tiny)
    values = np.column_stack([trace.points, trace.clock, trace.index, speed])
    values = values[left] + part[:, None] * (values[right] - values[left])
    first, last = np.zeros(len(stroke), dtype=bool), np.zeros(len(stroke), dtype=bool)
    first[begin] = last[begin + steps] = True
    return Path(values[:, :2], values[:, 2], values[:, 3], first, last, values[:, 4], step)


def _check_count(n_frames: int, most: int) -> None:
    if n_frames > most:
        raise DataError(f"the ink would be {n_frames} frames, more than {most}; cut it into lines")


def _speed(trace: Trace) -> Floats:
    """(N,) at each point, between its neighbours in the stroke."""
    distance = np.hypot(*np.diff(trace.points, axis=0).T)
    passed = np.diff(trace.clock)
    jumps = trace.first[1:] - 1
    distance[jumps] = passed[jumps] = 0.0
    distance = np.append(0.0, distance) + np.append(distance, 0.0)
    passed = np.append(0.0, passed) + np.append(passed, 0.0)
    bottom = passed + 0.1 * distance  # of 10 at most, where the clock stands still
    speed: Floats = np.divide(distance, bottom, out=np.zeros_like(bottom), where=bottom > 0)
    return speed
