"""Bring the ink of any writer and device into one size, one slant, one line.

Everything happens in the order cleaned -> slant -> baseline -> size. The slant comes first because it is the one step
that moves along with a shear exactly; what follows then sees the same ink however it was slanted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STEEPEST = 1.5  # dx / dy: a slant of 56 degrees; a lying stroke has no slant
_LINE_STEEPEST = 0.5  # dy / dx of a baseline
_LINE_PRIOR = 2.0  # core heights: ink narrower than this keeps most of its baseline's angle
_FLATNESS = 3.0  # ink that goes sideways so many times as far as up and down is a dash, no text
_DASH = 0.25  # height of such ink for each unit of its length
_TINY = 0.15  # of the ink's whole height


@dataclass(frozen=True, eq=False)
class Trace:
    """Cleaned and normalised ink.

    Attributes:
        points: (N, 2) x and y; unit: core heights, from the middle of the core zone and the first point's x on.
        clock: (N,) time in which the average pen goes one core height, from 0 on. Of the time stamps, or where there
            are none of the points' count, for pens report their place in equal steps of time.
        index: (N,) which point of the signal each one was.
        first: (S,) index of the first point of every stroke.
        bottom: y of the base line, the lower end of the core zone; `top`: of the corpus line, its upper end.
    """

    points: Floats
    clock: Floats
    index: Floats
    first: Ints
    bottom: float
    top: float

    @property
    def last(self) -> Ints:
        """(S,) index of the last point of every stroke."""
        return np.append(self.first[1:], len(self.points)) - 1

    def strokes(self) -> Ints:
        """(N,) the number of each point's stroke."""
        return np.repeat(np.arange(len(self.first)), np.diff(np.append(self.first, len(self.points))))

    def without(self, strokes: NDArray[np.bool_]) -> Trace:
        """The trace without those strokes (S,) that are True."""
        keep = np.repeat(~strokes, np.diff(np.append(self.first, len(self.points))))
        sizes = np.diff(np.append(self.first, len(self.points)))[~strokes]
        first = np.cumsum(sizes) - sizes
        return Trace(self.points[keep], self.clock[keep], self.index[keep], first, self.bottom, self.top)


def normalised(signal: Floats, slant: bool = True, baseline: bool = True, size: bool = True) -> Trace:
    """Clean and normalise ink.

    1. Repeated points: of neighbours at the same place in a stroke the first stays.
    2. Slant: x - s y, where s is the middle of dx / dy over all downward runs (from a highest to the next lowest point
       of a stroke), weighted with their squared heights: the quarter that leans most to either side is left out.
       Exact under any shear of the ink, up to 56 degrees. Where nothing goes down, upward runs count; level ink stays.
    3. Base line and corpus line: two lines of one angle through the lower and the upper ends of all runs, fitted
       robustly (Cauchy weights), so that ascenders and descenders count little. The angle is removed by moving points
       vertically; short ink, whose angle cannot be told from its letters, keeps most of it.
    4. Size: the ink is divided by its core height, the geometric mean of the distance between the two lines and of
       twice the standard deviation of y along the ink. The first is the height of an x where it is found; the second
       errs less from word to word. (Within 250 files of UNIPEN words, the logarithms of both vary by 0.19 and 0.18, of
       their mean by 0.16.) It is at least 0.15 of the whole ink's height, for a pair of dots, and, where the pen goes
       sideways more than three times as far as up and down, a quarter of the surplus, for a dash. Where that leaves 0,
       the ink's width counts, and of a single point nothing but its place matters.

    Args:
        signal: (N, 4) x, y, seconds or NaN, 1 at the last point of a stroke; N >= 1.
        slant, baseline, size: whether these steps are made; without `size` the unit is the signal's.
    """
    points, clock, index, first = cleaned(signal)
    points = points - points[0]
    start, end = _stretches(points[:, 1], first)
    runs = Runs.between(points, start, end)
    if slant:
        points[:, 0] -= slant_of(runs) * points[:, 1]
        runs = Runs.between(points, start, end)  # the same ones: no y has changed
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
    """Points (M, 2), times (M,), original index (M,) and first points of the strokes (S,), without repeated points."""
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
    """Stretches of strokes that go only up or only down; R of them, horizontal ones left out.

    Attributes:
        height: (R,) how far up or down, > 0; `down`: (R,) whether down; `lean`: (R,) dx / dy.
        low, high: (R, 2) the lower and the upper end.
    """

    height: Floats
    down: NDArray[np.bool_]
    lean: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, points: Floats, first: Ints) -> Runs:
        """The runs of strokes that begin at the points `first`."""
        return cls.between(points, *_stretches(points[:, 1], first))

    @classmethod
    def between(cls, points: Floats, start: Ints, end: Ints) -> Runs:
        """The runs from the points `start` to the points `end`."""
        a, b = points[start], points[end]
        step = b - a
        down = step[:, 1] < 0
        which = down[:, None]
        return cls(np.abs(step[:, 1]), down, step[:, 0] / step[:, 1], np.where(which, b, a), np.where(which, a, b))


def _stretches(y: Floats, first: Ints) -> tuple[Ints, Ints]:
    """(R,) first and last points of the stretches of strokes that go only up or only down."""
    n = len(y)
    if n < 2:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    sign = np.sign(y[1:] - y[:-1])  # (N-1,) of each step; what follows makes stretches of them
    begins = np.zeros(n, dtype=np.int64)
    begins[first] = first
    begins = np.maximum.accumulate(begins)[:-1]  # (N-1,) where the stroke of each step begins
    held = np.maximum.accumulate(np.where(sign != 0, np.arange(n - 1), -1))  # a level step goes on as before
    sign = np.where(held >= begins, sign[held], 0.0)
    jumps = first[1:] - 1
    sign[jumps] = 0.0
    change = np.empty(n - 1, dtype=bool)
    change[0] = True
    np.not_equal(sign[1:], sign[:-1], out=change[1:])
    change[jumps] = True
    change[jumps[jumps < n - 2] + 1] = True  # the step behind a jump
    start = np.flatnonzero(change)
    end = np.append(start[1:], n - 1)
    moves = sign[start] != 0
    return start[moves], end[moves]


def slant_of(runs: Runs) -> float:
    """dx / dy of the ink, positive where it leans to the right; see `normalised`."""
    which = runs.down if runs.down.any() else ~runs.down
    lean = _middle_mean(runs.lean[which], np.square(runs.height[which]), 0.25, 0.75)
    return float(np.clip(lean, -_STEEPEST, _STEEPEST))


def _core_lines(runs: Runs, height: float, sloping: bool) -> tuple[float, float, float]:
    """Angle (dy / dx) of the writing, and y at x = 0 of its base line and its corpus line."""
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
    """Weighted mean of each row of values, (2, R), and both added."""
    return float(weights[0].dot(values[0]) / totals[0, 0] + weights[1].dot(values[1]) / totals[1, 0])


def _middle_mean(values: Floats, weights: Floats, low: float, high: float) -> float:
    """Weighted mean of what lies between two quantiles; 0 without values. Changes smoothly with all of them."""
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
    """Standard deviation of y along the ink, whose steps have these lengths (N-1,)."""
    total = lengths.sum()
    if total == 0:
        return 0.0
    a, b = y[:-1], y[1:]
    mean = lengths @ (a + b) / (2 * total)
    square = lengths @ (a * a + a * b + b * b) / (3 * total)  # of y along each straight step
    return math.sqrt(max(0.0, float(square - mean * mean)))


def _least_height(y: Floats, steps: Floats) -> float:
    """What a core height is at least."""
    sideways, upright = np.abs(steps).sum(axis=0)
    return float(max(_DASH * (sideways - _FLATNESS * upright), _TINY * np.ptp(y)))


def _in_core_heights(clock: Floats, lengths: Floats, jumps: Ints, unit: float) -> Floats:
    """Time in which the average pen goes one core height."""
    passed = clock[1:] - clock[:-1]
    passed[jumps] = 0.0
    seconds = float(passed.sum())
    if seconds <= 0:
        return np.append(0.0, np.cumsum(lengths / unit))
    passed_by: Floats = (clock - clock[0]) * (float(lengths.sum()) / unit / seconds)
    return passed_by
