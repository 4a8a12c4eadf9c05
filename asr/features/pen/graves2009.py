"""Compute the 25 values per point of Liwicki & Bunke and of Graves et al.

M. Liwicki, H. Bunke, "HMM-based on-line recognition of handwritten whiteboard notes", IWFHR 2006; A. Graves,
M. Liwicki, S. Fernandez, R. Bertolami, H. Bunke, J. Schmidhuber, "A novel connectionist system for unconstrained
handwriting recognition", IEEE TPAMI 31(5), 2009, section 2. The papers list the values but leave sizes of windows open;
the constants below set these, in core heights. There was no comparison with the authors' code.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asr.features.pen.normalise import Floats, Trace
from asr.features.pen.points import course
from asr.features.pen.resample import Path

GRAVES2009 = (
    "pen_up", "hat", "speed", "x", "y", "cos", "sin", "turn_cos", "turn_sin",
    "aspect", "slope_cos", "slope_sin", "curliness", "linearity", "ascenders", "descenders",
    "map_low_left", "map_low", "map_low_right", "map_left", "map_here", "map_right",
    "map_high_left", "map_high", "map_high_right",
)  # fmt: skip

_VICINITY = 3  # points before and after that belong to the vicinity (values 10 to 14)
_DRIFT = 3.0  # core heights of ink before and after, over which the moving average of x is taken
_BESIDE = 0.5  # core heights to either side that are searched for ascenders and descenders
_BEYOND = 0.25  # core heights that these must extend beyond the core zone
_CELL = 0.5  # side of a cell of the context map in core heights
_UNDER_HAT = 0.25  # core heights that a delayed stroke is taken to extend beyond its ends
_SOFT = 0.05  # core heights below which a vicinity is too small to have a shape
_TIE = 1e-3  # core heights; tolerance at borders, where rounding must not decide
_ROWS = 64  # points compared at a time with all others
MAX_FRAMES = 10_000  # of one ink, about five lines of text; limits the pairs of near points that are compared


def delayed(trace: Trace) -> NDArray[np.bool_]:
    """Return which strokes are delayed, (S,): dots and bars above earlier ink.

    A stroke is delayed if it lies above the middle of the core zone, its height is less than a core height, and earlier
    ink reaches at least as far to the right as its middle.
    """
    low = np.minimum.reduceat(trace.points, trace.first, axis=0)  # (S, 2)
    high = np.maximum.reduceat(trace.points, trace.first, axis=0)
    written = np.append(-np.inf, np.maximum.accumulate(high[:-1, 0]))
    middle = 0.5 * (low[:, 0] + high[:, 0])
    is_delayed: NDArray[np.bool_] = (low[:, 1] > _TIE) & (high[:, 1] - low[:, 1] < 1.0) & (middle <= written + _TIE)
    return is_delayed


def hats(trace: Trace) -> Floats:
    """Return the range of x that each delayed stroke covers, (H, 2): left and right."""
    which = delayed(trace)
    left = np.minimum.reduceat(trace.points[:, 0], trace.first)[which]
    right = np.maximum.reduceat(trace.points[:, 0], trace.first)[which]
    return np.column_stack([left - _UNDER_HAT, right + _UNDER_HAT])


def graves2009(path: Path, covers: Floats, bottom: float, top: float) -> Floats:
    """Compute the 25 values of each point.

    On-line values, in the papers' order:
    1. pen_up: 1 at the last point of a stroke, else 0.
    2. hat: 1 if a delayed stroke, which was removed from the ink, covers the point's x.
    3. speed: speed before resampling, interpolated, divided by the ink's mean speed (the papers: not divided).
    4. x: x after a high-pass filter: minus its mean over 3 core heights of ink before and after.
    5. y: height above the middle of the core zone.
    6-7. direction: cosine and sine of the pen's direction at the point.
    8-9. curvature: cosine and sine of the angle between the lines from the previous and to the next point.
    10. aspect of the vicinity (the points up to 3 before and after in the stroke): (dy - dx) / (dy + dx) of its box.
    11-12. slope: cosine and sine of the angle of the line from the vicinity's first to its last point.
    13. curliness: length of the vicinity's trajectory / the larger side of its box, minus 1 (0 for a line).
    14. linearity: mean squared distance of the vicinity's points to the line from its first to its last point.

    Off-line values, from the picture of all points; lengths of ink (numbers of points times their distance):
    15. ascenders: ink at least 0.25 core heights above the corpus line, at most 0.5 to the left or right.
    16. descenders: ink at least 0.25 core heights below the base line, at most 0.5 to the left or right.
    17-25. context map: ink in each of 3 x 3 cells of 0.5 core heights around the point, row by row from below.

    Args:
        path: the path without its delayed strokes.
        covers: result of `hats`, (H, 2).
        bottom, top: y of the base line and of the corpus line.

    Returns:
        (T, 25).
    """
    x, y = path.points.T
    hat = ((x[:, None] >= covers[:, 0]) & (x[:, None] <= covers[:, 1])).any(axis=1)
    return np.column_stack(
        [
            path.last, hat, path.speed, _without_drift(x, path.step), y, course(path),
            _vicinity(path), _around(path, bottom - _BEYOND, top + _BEYOND),
        ]
    )  # fmt: skip


def _without_drift(x: Floats, step: float) -> Floats:
    """Subtract its moving average from x."""
    reach = round(_DRIFT / step) if step else 30
    sums = np.append(0.0, np.cumsum(x - x[0]))
    here = np.arange(len(x))
    begin, end = np.maximum(here - reach, 0), np.minimum(here + reach + 1, len(x))
    mean: Floats = (sums[end] - sums[begin]) / (end - begin)
    kept: Floats = x - x[0] - mean
    return kept


def _vicinity(path: Path) -> Floats:
    """Compute aspect, cosine and sine of the slope, curliness, and linearity, (T, 5)."""
    n, width = len(path.points), 2 * _VICINITY + 1
    here = np.arange(n)
    begin = np.maximum.accumulate(np.where(path.first, here, 0))
    end = np.minimum.accumulate(np.where(path.last, here, n)[::-1])[::-1]
    which = np.clip(here[:, None] + np.arange(-_VICINITY, _VICINITY + 1), begin[:, None], end[:, None])  # (T, W)
    near = path.points[which]  # (T, W, 2)
    box = near.max(axis=1) - near.min(axis=1)  # (T, 2)
    aspect = (box[:, 1] - box[:, 0]) / (box.sum(axis=1) + _SOFT)
    chord = near[:, -1] - near[:, 0]
    reach = np.square(chord).sum(axis=1, keepdims=True) + _SOFT * _SOFT
    slope = chord / np.sqrt(reach)
    length = np.hypot(*np.diff(near, axis=1).transpose(2, 0, 1)).sum(axis=1)
    curliness = length / (box.max(axis=1) + _SOFT) - length / (length + _SOFT)
    off = near - near[:, :1]
    cross = off[:, :, 0] * chord[:, 1:] - off[:, :, 1] * chord[:, :1]  # (T, W)
    linearity = (np.square(cross) / reach).sum(axis=1) / width
    return np.column_stack([aspect, slope, curliness, linearity])


def _around(path: Path, low: float, high: float) -> Floats:
    """Compute ascenders, descenders and the context map, (T, 11), from all pairs of points that are near in x.

    The borders of the regions are softened over a tenth of a core height.
    """
    n = len(path.points)
    unit = path.step or 0.1
    order = np.argsort(path.points[:, 0], kind="stable")
    x, y = path.points[order].T
    above, below = _edge(y - high), _edge(low - y)  # (T,)
    widest = max(_BESIDE, 1.5 * _CELL) + _EDGE
    begin, end = np.searchsorted(x, x - widest), np.searchsorted(x, x + widest, side="right")
    result = np.empty((n, 11))
    for a in range(0, n, _ROWS):
        b = min(a + _ROWS, n)
        others = slice(begin[a], end[b - 1])
        dx = x[others] - x[a:b, None]  # (rows, others)
        dy = y[others] - y[a:b, None]
        beside = _edge(_BESIDE - np.abs(dx))
        columns = _bands(dx)  # 3 of (rows, others)
        rows = _bands(dy)
        result[a:b, 0] = beside @ above[others]
        result[a:b, 1] = beside @ below[others]
        result[a:b, 2:] = np.einsum("rno,cno->nrc", rows, columns).reshape(b - a, 9)
    back = np.empty_like(result)
    back[order] = result * unit
    return back


_EDGE = 0.05


def _edge(distance: Floats) -> Floats:
    """Return 0 outside a border, 1 inside, and a ramp between, given the distance to the inside."""
    return np.clip(distance * (0.5 / _EDGE) + 0.5, 0.0, 1.0)


def _bands(distance: Floats) -> Floats:
    """Return how much a distance lies in each of three neighbouring cells, (3, ...); the second one is around 0."""
    inner_low, inner_high = _edge(distance + 0.5 * _CELL), _edge(distance - 0.5 * _CELL)
    outer_low, outer_high = _edge(distance + 1.5 * _CELL), _edge(distance - 1.5 * _CELL)
    return np.stack([outer_low - inner_low, inner_low - inner_high, inner_high - outer_high])
