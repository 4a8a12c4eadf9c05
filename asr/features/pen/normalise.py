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
    runs = Runs.of(points, first)
    if slant:
        points = points - np.outer(points[:, 1], [slant_of(runs), 0.0])
        runs = Runs.of(points, first)
    typical = _middle_mean(runs.height, runs.height, 0.05, 0.40)
    slope, bottom, top = _core_lines(runs, typical, baseline)
    points = points - np.outer(points[:, 0], [0.0, slope])
    if not len(runs.height):
        bottom = top = float(points[:, 1].mean())
    points[:, 1] -= 0.5 * (bottom + top)
    core = max(top - bottom, 0.3 * typical)
    unit = max(math.sqrt(core * 2.0 * _spread(points, first)), _least_height(points, first))
    unit = unit or float(np.ptp(points[:, 0])) or 1.0
    clock = _in_core_heights(clock, points, first, unit)
    scale = unit if size else 1.0
    half = 0.5 * (top - bottom) / scale
    return Trace(points / scale, clock, index, first, -half, half)


def cleaned(signal: Floats) -> tuple[Floats, Floats, Floats, Ints]:
    """Points (M, 2), times (M,), original index (M,) and first points of the strokes (S,), without repeated points."""
    ends = signal[:, 3] > 0.5
    begins = np.append(True, ends[:-1])
    moved = np.append(True, (signal[1:, :2] != signal[:-1, :2]).any(axis=1))
    keep = np.flatnonzero(begins | moved)
    times = signal[:, 2]
    known = bool(np.isfinite(times).all()) and times[-1] > times[0]
    clock = times - times[0] if known else np.arange(len(signal), dtype=np.float64)
    return signal[keep, :2], clock[keep], keep.astype(np.float64), np.flatnonzero(begins[keep])


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
        n = len(points)
        sign = np.sign(np.diff(points[:, 1]))  # (N-1,) of each step; what follows makes stretches of them
        if n < 2:
            return cls(np.empty(0), np.empty(0, bool), np.empty(0), np.empty((0, 2)), np.empty((0, 2)))
        begins = np.zeros(n, dtype=np.int64)
        begins[first] = first
        begins = np.maximum.accumulate(begins)[:-1]  # (N-1,) where the stroke of each step begins
        held = np.maximum.accumulate(np.where(sign != 0, np.arange(n - 1), -1))  # a level step goes on as before
        sign = np.where(held >= begins, sign[held], 0.0)
        jumps = np.zeros(n - 1, dtype=bool)
        jumps[first[1:] - 1] = True
        sign[jumps] = 0.0
        change = np.append(True, (sign[1:] != sign[:-1]) | jumps[1:] | jumps[:-1])
        start = np.flatnonzero(change)
        end = np.append(start[1:], n - 1)
        kind = sign[start]
        start, end, kind = start[kind != 0], end[kind != 0], kind[kind != 0]
        a, b = points[start], points[end]
        down = kind < 0
        step = b - a
        low, high = np.where(down[:, None], b, a), np.where(down[:, None], a, b)
        return cls(np.abs(step[:, 1]), down, step[:, 0] / step[:, 1], low, high)


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
    ends = (runs.low, runs.high)
    lines = [_middle_mean(one[:, 1], weights, 0.25, 0.75) for one in ends]
    prior = 2 * np.square(_LINE_PRIOR * height)
    slope = 0.0
    for _ in range(6):
        across = along = 0.0
        for which, (x, y) in enumerate(one.T for one in ends):
            near = weights / (1.0 + np.square((y - slope * x - lines[which]) / (0.5 * height)))
            total = near.sum()
            x_mean, y_mean = near @ x / total, near @ y / total
            across += near @ ((x - x_mean) * (y - y_mean)) / total
            along += near @ np.square(x - x_mean) / total
            lines[which] = float(y_mean - slope * x_mean)
        if sloping:
            slope = float(np.clip(across / (along + prior), -_LINE_STEEPEST, _LINE_STEEPEST))
    return slope, lines[0], lines[1]


def _middle_mean(values: Floats, weights: Floats, low: float, high: float) -> float:
    """Weighted mean of what lies between two quantiles; 0 without values. Changes smoothly with all of them."""
    total = weights.sum()
    if total <= 0:
        return 0.0
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(weights[order]) / total
    within = np.diff(np.clip(upto, low, high), prepend=low)
    return float(values[order] @ within / within.sum())


def _spread(points: Floats, first: Ints) -> float:
    """Standard deviation of y along the ink."""
    lengths = np.hypot(*np.diff(points, axis=0).T)
    lengths[first[1:] - 1] = 0.0
    total = lengths.sum()
    if total == 0:
        return 0.0
    a, b = points[:-1, 1], points[1:, 1]
    mean = lengths @ (a + b) / (2 * total)
    square = lengths @ (a * a + a * b + b * b) / (3 * total)  # of y along each straight step
    return math.sqrt(max(0.0, float(square - mean * mean)))


def _least_height(points: Floats, first: Ints) -> float:
    """What a core height is at least."""
    steps = np.abs(np.diff(points, axis=0))
    steps[first[1:] - 1] = 0.0
    sideways, upright = steps.sum(axis=0)
    return float(max(_DASH * (sideways - _FLATNESS * upright), _TINY * np.ptp(points[:, 1])))


def _in_core_heights(clock: Floats, points: Floats, first: Ints, unit: float) -> Floats:
    """Time in which the average pen goes one core height."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    passed = np.diff(clock)
    steps[first[1:] - 1] = passed[first[1:] - 1] = 0.0
    seconds = float(passed.sum())
    if seconds <= 0:
        return np.append(0.0, np.cumsum(steps / unit))
    passed_by: Floats = (clock - clock[0]) * (float(steps.sum()) / unit / seconds)
    return passed_by
