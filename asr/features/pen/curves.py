"""Ink as cubic Bezier curves, after Carbune et al. 2020.

V. Carbune, P. Gonnet, T. Deselaers and others, "Fast multi-language LSTM-based online handwriting recognition",
IJDAR 23, 2020 (arXiv:1902.10525), section on Bezier curve inputs: every stroke is a chain of cubic curves in x, y and
time, fitted by least squares and split where the fit is poor; every curve is one frame of ten values. A pen-up is a
straight curve from one stroke to the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.features.pen.normalise import Floats, Ints
from asr.features.pen.resample import Path

CURVES = ("dx", "dy", "reach_1", "reach_2", "angle_1", "angle_2", "time_1", "time_2", "time_3", "pen_up")
_ROUNDS = 2  # of fitting and moving the points' parameters to the nearest place on the curve
_PULL = 1e-3  # towards control points at the thirds of the chord, which two or three points alone do not determine
_SOFT = 0.05  # core heights: added to the distance of the ends, which is 0 in a dot or a closed loop


@dataclass(frozen=True, eq=False)
class Curves:
    """C curves in the order of writing, pen-ups among them.

    Attributes:
        control: (C, 4, 3) control points: x, y, clock.
        pen_up: (C,) whether the pen was lifted.
        begin, end: (C,) index of their first and last point in the path.
        error: (C,) largest distance of a point from its curve.
    """

    control: Floats
    pen_up: NDArray[np.bool_]
    begin: Ints
    end: Ints
    error: Floats


def curves(fitted: Curves) -> Floats:
    """Ten values of each curve.

    Returns:
        (C, 10) as `CURVES`:
        1-2. dx, dy from the curve's first to its last point, in core heights.
        3-4. distance of the first control point from the first point, and of the second from the last point,
             as log(1 + d / (0.05 + distance of the ends)) (the paper: the plain ratio, unbounded where a loop closes).
        5-6. the angle in radians from the chord to the first control vector, and from the reversed chord to the second.
        7-9. coefficients of s, s^2 and s^3 of the time along the curve (s from 0 to 1), from 0 on, as
             sign(c) log(1 + |c|); unit: the time in which the average pen goes one core height (the paper: the plain
             coefficients, of seconds, which are not known in all corpora).
        10. 1 for a lifted pen.
    """
    p0, p1, p2, p3 = fitted.control.transpose(1, 0, 2)
    chord, out, back = (p3 - p0)[:, :2], (p1 - p0)[:, :2], (p2 - p3)[:, :2]
    scale = np.hypot(*chord.T) + _SOFT
    times = fitted.control[:, 1:, 2] - p0[:, 2:]  # (C, 3)
    t1, t2, t3 = times.T
    return np.column_stack(
        [
            chord,
            np.log1p(np.hypot(*out.T) / scale),
            np.log1p(np.hypot(*back.T) / scale),
            _angle(chord, out),
            _angle(-chord, back),
            _squashed(3 * t1),
            _squashed(3 * t2 - 6 * t1),
            _squashed(t3 + 3 * t1 - 3 * t2),
            fitted.pen_up,
        ]
    )


def fit(path: Path, tolerance: float, longest: float) -> Curves:
    """Fit curves to a path; all that are still to be fitted at once, until all are good.

    A curve whose worst point is farther than `tolerance` from it is split there; one with more than `longest` of ink in
    the middle of its ink. A curve of two or three points is not split.

    Args:
        path: evenly resampled.
        tolerance: core heights.
        longest: core heights of ink; every letter must have frames of its own.
    """
    values = np.column_stack([path.points, path.clock])  # (T, 3)
    begin, end = np.flatnonzero(path.first), np.flatnonzero(path.last)
    done: list[tuple[Ints, Ints, Floats, Floats]] = []
    while len(begin):
        piece = _Pieces(values, begin, end)
        control, error, worst = piece.fitted()
        size = end - begin
        long = piece.length > longest
        split = ((error > tolerance) | long) & (size > 2)
        done.append((begin[~split], end[~split], control[~split], error[~split]))
        middle = np.where(long, (begin + end) // 2, worst)[split]
        middle = np.clip(middle, begin[split] + 1, end[split] - 1)
        begin, end = np.concatenate([begin[split], middle]), np.concatenate([middle, end[split]])
    begin, end, control, error = (np.concatenate(parts) for parts in zip(*done, strict=True))
    return _with_pen_ups(values, path, Curves(control, np.zeros(len(begin), dtype=bool), begin, end, error))


def _with_pen_ups(values: Floats, path: Path, drawn: Curves) -> Curves:
    """All curves and the straight ones between strokes, in the order of writing."""
    up = np.flatnonzero(path.last)[:-1]  # the pen is lifted behind these points
    a, b = values[up], values[up + 1]
    straight = np.stack([a, a + (b - a) / 3, b - (b - a) / 3, b], axis=1)
    begin, end = np.append(drawn.begin, up), np.append(drawn.end, up + 1)
    is_up = np.append(drawn.pen_up, np.ones(len(up), dtype=bool))
    order = np.lexsort([end, begin, np.append(drawn.begin + drawn.end, 2 * up + 1)])
    return Curves(
        np.concatenate([drawn.control, straight])[order], is_up[order], begin[order], end[order],
        np.append(drawn.error, np.zeros(len(up)))[order],
    )  # fmt: skip


class _Pieces:
    """Stretches of a path, P of them with M points together, from `begin` to `end` inclusive."""

    def __init__(self, values: Floats, begin: Ints, end: Ints) -> None:
        counts = end - begin + 1
        self.starts = np.cumsum(counts) - counts  # (P,) of the pieces among the M points
        self.piece = np.repeat(np.arange(len(begin)), counts)  # (M,)
        self.at = np.arange(len(self.piece)) + (begin - self.starts)[self.piece]  # (M,) index in the path
        self.points = values[self.at]  # (M, 3)
        self.ends = values[begin], values[end]
        steps = np.hypot(*np.diff(self.points[:, :2], axis=0, prepend=self.points[:1, :2]).T)
        steps[self.starts] = 0.0
        travelled = np.cumsum(steps)
        travelled -= travelled[self.starts][self.piece]
        self.length = travelled[self.starts + counts - 1]  # (P,)
        self.along = travelled / np.maximum(self.length, 1e-12)[self.piece]  # (M,) parameter of every point

    def fitted(self) -> tuple[Floats, Floats, Ints]:
        """Control points (P, 4, 3), largest distance (P,), and the point of the path that has it (P,)."""
        s = self.along
        for round_ in range(_ROUNDS):
            control = self._solve(s)
            off = self._curve(control, s) - self.points[:, :2]
            if round_ + 1 < _ROUNDS:
                s = self._nearer(control, s, off)
        distance = np.hypot(*off.T)
        error = np.maximum.reduceat(distance, self.starts)
        at_worst = np.where(distance >= error[self.piece], self.at, -1)
        return control, error, np.maximum.reduceat(at_worst, self.starts)

    def _solve(self, s: Floats) -> Floats:
        """Least squares for the two inner control points with the ends held: (P, 4, 3)."""
        p0, p3 = self.ends
        r = 1 - s
        b1, b2 = 3 * s * r * r, 3 * s * s * r
        chord = p3 - p0
        rest = self.points - p0[self.piece] - s[:, None] * chord[self.piece]  # what the straight curve leaves
        columns = np.column_stack([b1 * b1, b1 * b2, b2 * b2, b1[:, None] * rest, b2[:, None] * rest])
        sums = np.add.reduceat(columns, self.starts, axis=0)  # (P, 9)
        a11, a12, a22 = sums[:, 0] + _PULL, sums[:, 1], sums[:, 2] + _PULL
        right1, right2 = sums[:, 3:6], sums[:, 6:9]
        det = (a11 * a22 - a12 * a12)[:, None]
        d1 = (a22[:, None] * right1 - a12[:, None] * right2) / det
        d2 = (a11[:, None] * right2 - a12[:, None] * right1) / det
        return np.stack([p0, p0 + chord / 3 + d1, p3 - chord / 3 + d2, p3], axis=1)

    def _curve(self, control: Floats, s: Floats) -> Floats:
        """(M, 2) the places of the parameters."""
        p = control[:, :, :2][self.piece]
        r = 1 - s
        weights = np.stack([r**3, 3 * s * r * r, 3 * s * s * r, s**3], axis=1)
        places: Floats = np.einsum("mk,mkd->md", weights, p)
        return places

    def _nearer(self, control: Floats, s: Floats, off: Floats) -> Floats:
        """One step of Newton's method towards the nearest place on the curve, in x and y."""
        p = control[:, :, :2][self.piece]  # (M, 4, 2)
        r = 1 - s
        d1 = p[:, 1:] - p[:, :-1]
        d2 = d1[:, 1:] - d1[:, :-1]
        first = 3 * np.einsum("mk,mkd->md", np.stack([r * r, 2 * s * r, s * s], axis=1), d1)
        second = 6 * np.einsum("mk,mkd->md", np.stack([r, s], axis=1), d2)
        top = (off * first).sum(axis=1)
        bottom = np.square(first).sum(axis=1) + np.maximum((off * second).sum(axis=1), 0.0) + 1e-6
        nearer: Floats = np.clip(s - np.clip(top / bottom, -0.1, 0.1), 0.0, 1.0)
        return nearer


def _squashed(values: Floats) -> Floats:
    result: Floats = np.sign(values) * np.log1p(np.abs(values))
    return result


def _angle(chord: Floats, vector: Floats) -> Floats:
    """(C,) radians from the chord to the vector; 0 where either has no length."""
    cross = chord[:, 0] * vector[:, 1] - chord[:, 1] * vector[:, 0]
    dot = (chord * vector).sum(axis=1)
    angle: Floats = np.arctan2(cross, dot)
    return angle
