"""Normalise ink of any writer and device: remove the slant, level the base line, scale to a common size.

The order is: clean, slant, base line, size. The slant comes first, because it is exact under a shear of the ink: the
later steps then get the same ink however it was slanted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STEEPEST = 1.5  # largest slant, dx / dy: 56 degrees
_LINE_STEEPEST = 0.5  # largest slope of a base line, dy / dx
_LINE_PRIOR = 2.0  # core heights; narrower ink keeps most of its base line's angle
_FLATNESS = 3.0  # ink with a larger ratio of horizontal to vertical movement is a dash, not text
_DASH = 0.25  # core height of a dash, per unit of its surplus length
_TINY = 0.15  # smallest core height, as a share of the ink's whole height


@dataclass(frozen=True, eq=False)
class Trace:
    """Cleaned and normalised ink.

    Attributes:
        points: (N, 2) x and y in core heights; x is relative to the first point, y to the middle of the core zone.
        clock: (N,) time from 0 on, in the time that the pen needs on average for one core height. It comes from the
            time stamps or, without these, from the number of points, because pens report points at equal time steps.
        index: (N,) index of each point in the signal.
        first: (S,) index of the first point of every stroke.
        bottom: y of the base line, the lower end of the core zone.
        top: y of the corpus line, the upper end of the core zone.
    """

    points: Floats
    clock: Floats
    index: Floats
    first: Ints
    bottom: float
    top: float

    @property
    def last(self) -> Ints:
        """Index of the last point of every stroke, (S,)."""
        return np.append(self.first[1:], len(self.points)) - 1

    def strokes(self) -> Ints:
        """Return the number of each point's stroke, (N,)."""
        return np.repeat(np.arange(len(self.first)), np.diff(np.append(self.first, len(self.points))))

    def without(self, strokes: NDArray[np.bool_]) -> Trace:
        """Return the trace without the strokes that are True in `strokes`, (S,)."""
        keep = np.repeat(~strokes, np.diff(np.append(self.first, len(self.points))))
        sizes = np.diff(np.append(self.first, len(self.points)))[~strokes]
        first = np.cumsum(sizes) - sizes
        return Trace(self.points[keep], self.clock[keep], self.index[keep], first, self.bottom, self.top)


def normalised(signal: Floats, slant: bool = True, baseline: bool = True, size: bool = True) -> Trace:
    """Clean and normalise ink.

    1. Repeated points: of successive points of a stroke at the same place, only the first is kept.
    2. Slant: x becomes x - s y. The slant s is a trimmed mean of dx / dy over all downward runs (from a local maximum
       to the next local minimum of a stroke), weighted with their squared heights; a quarter is trimmed on either side.
       This is exact under any shear of the ink, up to 56 degrees. Ink without downward runs uses upward runs; level ink
       is unchanged.
    3. Base line and corpus line: two parallel lines are fitted to the lower and upper ends of all runs. The fit is
       robust (Cauchy weights), so that ascenders and descenders have little influence. The angle is removed by moving
       points vertically; short ink, whose angle is unreliable, keeps most of it.
    4. Size: the ink is divided by its core height, the geometric mean of two estimates: the distance of the two lines,
       which is the x-height if they are right, and twice the standard deviation of y along the ink, which varies less
       between words. (In 250 files of UNIPEN words, the logarithms of the two vary by 0.19 and 0.18, that of their mean
       by 0.16.) The core height is at least 0.15 of the ink's whole height, for ink such as a pair of dots. If the pen
       moves more than three times as far horizontally as vertically, it is at least a quarter of the surplus, for ink
       such as a dash. If it would be 0, the ink's width is used, and for a single point 1.

    Args:
        signal: (N, 4), N >= 1: x, y, seconds or NaN, and 1 at the last point of a stroke.
        slant, baseline, size: whether to apply these steps; without `size` the unit is the signal's.
    """
    points, clock, index, first = cleaned(signal)
    points = points - points[0]
    start, end = _stretches(points[:, 1], first)
    runs = Runs.between(points, start, end)
    if slant:
        points[:, 0] -= slant_of(runs) * points[:, 1]
        runs = Runs.between(points, start, end)  # the same runs, because no y has changed
    typical = _middle_mean(runs.height, runs.height, 0.05, 0.40)
    slope, bottom, top = _core_lines(runs, typical, baseline)
    points[:, 1] -= slope * points[:, 0]
    if not len(runs.height):
        bottom = top = float(points[:, 1].mean())
    points[:, 1] -= 0.5 * (bottom + top)
    steps = points[1:] - points[:-1]  # (N-1, 2)
    jumps = first[1:] - 1  # from stroke to stroke
    steps[jumps] = 0.0
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    core = max(top - bottom, 0.3 * typical)
    unit = max(math.sqrt(core * 2.0 * _spread(points[:, 1], lengths)), _least_height(points[:, 1], steps))
    unit = unit or float(np.ptp(points[:, 0])) or 1.0
    clock = _in_core_heights(clock, lengths, jumps, unit)
    scale = unit if size else 1.0
    half = 0.5 * (top - bottom) / scale
    return Trace(points / scale, clock, index, first, -half, half)


def cleaned(signal: Floats) -> tuple[Floats, Floats, Floats, Ints]:
    """Remove repeated points; return points (M, 2), times (M,), original indices (M,) and strokes' starts (S,)."""
    x, y, times, lifted = signal.T
    begins = np.empty(len(signal), dtype=bool)
    begins[0] = True
    np.greater(lifted[:-1], 0.5, out=begins[1:])
    kept = begins.copy()
    kept[1:] |= (x[1:] != x[:-1]) | (y[1:] != y[:-1])
    which = np.flatnonzero(kept)
    known = times[-1] > times[0] and bool(np.isfinite(times).all())
    clock = times - times[0] if known else np.arange(len(signal), dtype=np.float64)
    return signal[which][:, :2], clock[which], which.astype(np.float64), np.flatnonzero(begins[which])


@dataclass(frozen=True, eq=False)
class Runs:
    """The R runs of strokes: stretches in which y only increases or only decreases.

    Attributes:
        height: (R,) difference of y between the ends, > 0.
        down: (R,) whether the run goes down.
        lean: (R,) dx / dy between the ends.
        low, high: (R, 2) the lower and the upper end.
    """

    height: Floats
    down: NDArray[np.bool_]
    lean: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, points: Floats, first: Ints) -> Runs:
        """Find the runs of strokes that begin at the points `first`."""
        return cls.between(points, *_stretches(points[:, 1], first))

    @classmethod
    def between(cls, points: Floats, start: Ints, end: Ints) -> Runs:
        """Make runs from the points `start` to the points `end`."""
        a, b = points[start], points[end]
        step = b - a
        down = step[:, 1] < 0
        which = down[:, None]
        return cls(np.abs(step[:, 1]), down, step[:, 0] / step[:, 1], np.where(which, b, a), np.where(which, a, b))


def _stretches(y: Floats, first: Ints) -> tuple[Ints, Ints]:
    """Return the first and last points, (R,) each, of stretches in which y only increases or only decreases."""
    n = len(y)
    if n < 2:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    sign = np.sign(y[1:] - y[:-1])  # (N-1,) direction of each step
    begins = np.zeros(n, dtype=np.int64)
    begins[first] = first
    begins = np.maximum.accumulate(begins)[:-1]  # (N-1,) start of each step's stroke
    held = np.maximum.accumulate(np.where(sign != 0, np.arange(n - 1), -1))  # a level step keeps the last direction
    sign = np.where(held >= begins, sign[held], 0.0)
    jumps = first[1:] - 1
    sign[jumps] = 0.0
    change = np.empty(n - 1, dtype=bool)
    change[0] = True
    np.not_equal(sign[1:], sign[:-1], out=change[1:])
    change[jumps] = True
    change[jumps[jumps < n - 2] + 1] = True  # the step after a jump
    start = np.flatnonzero(change)
    end = np.append(start[1:], n - 1)
    moves = sign[start] != 0
    return start[moves], end[moves]


def slant_of(runs: Runs) -> float:
    """Return the slant of the ink, dx / dy, positive if it leans to the right; see `normalised`."""
    which = runs.down if runs.down.any() else ~runs.down
    lean = _middle_mean(runs.lean[which], np.square(runs.height[which]), 0.25, 0.75)
    return float(np.clip(lean, -_STEEPEST, _STEEPEST))


def _core_lines(runs: Runs, height: float, sloping: bool) -> tuple[float, float, float]:
    """Fit base line and corpus line; return their common slope (dy / dx), and y of each at x = 0."""
    if not len(runs.height):
        return 0.0, 0.0, 0.0
    weights = np.minimum(runs.height, height)
    ends = (runs.low.T, runs.high.T)  # (2, R) each, x and y
    x, y = np.ascontiguousarray(np.stack(ends, axis=1))  # (2, R) each, of the lower and of the upper ends
    lines = np.array([[_middle_mean(one, weights, 0.25, 0.75)] for one in y])  # (2, 1)
    prior = 2 * (_LINE_PRIOR * height) ** 2
    slope = 0.0
    for _ in range(6):
        off = (y - slope * x - lines) / (0.5 * height)
        near = weights / (1.0 + off * off)
        totals = near.sum(axis=1, keepdims=True)
        means = np.array([[one.dot(values) for values in end] for one, end in zip(near, ends, strict=True)]) / totals
        x_mean, y_mean = means[:, :1], means[:, 1:]
        lines = y_mean - slope * x_mean
        if sloping:
            apart = x - x_mean
            across, along = _sums(near, apart * (y - y_mean), totals), _sums(near, apart * apart, totals)
            slope = float(min(max(across / (along + prior), -_LINE_STEEPEST), _LINE_STEEPEST))
    return slope, float(lines[0, 0]), float(lines[1, 0])


def _sums(weights: Floats, values: Floats, totals: Floats) -> float:
    """Return the sum of the weighted means of the two rows of values, (2, R)."""
    return float(weights[0].dot(values[0]) / totals[0, 0] + weights[1].dot(values[1]) / totals[1, 0])


def _middle_mean(values: Floats, weights: Floats, low: float, high: float) -> float:
    """Return the weighted mean of the values between two quantiles, continuous in all values; 0 without values."""
    total = weights.sum()
    if total <= 0:
        return 0.0
    order = values.argsort(kind="stable")
    upto = weights[order].cumsum() / total
    upto = np.minimum(np.maximum(upto, low), high)
    within = upto.copy()
    within[0] -= low
    within[1:] -= upto[:-1]
    return float(values[order] @ within / within.sum())


def _spread(y: Floats, lengths: Floats) -> float:
    """Return the standard deviation of y along the ink, whose steps have these lengths (N-1,)."""
    total = lengths.sum()
    if total == 0:
        return 0.0
    a, b = y[:-1], y[1:]
    mean = lengths @ (a + b) / (2 * total)
    square = lengths @ (a * a + a * b + b * b) / (3 * total)  # of y along each straight step
    return math.sqrt(max(0.0, float(square - mean * mean)))


def _least_height(y: Floats, steps: Floats) -> float:
    """Return the smallest allowed core height; see `normalised`."""
    sideways, upright = np.abs(steps).sum(axis=0)
    return float(max(_DASH * (sideways - _FLATNESS * upright), _TINY * np.ptp(y)))


def _in_core_heights(clock: Floats, lengths: Floats, jumps: Ints, unit: float) -> Floats:
    """Rescale the clock so that the pen needs on average 1 for one core height."""
    passed = clock[1:] - clock[:-1]
    passed[jumps] = 0.0
    seconds = float(passed.sum())
    if seconds <= 0:
        return np.append(0.0, np.cumsum(lengths / unit))
    passed_by: Floats = (clock - clock[0]) * (float(lengths.sum()) / unit / seconds)
    return passed_by
