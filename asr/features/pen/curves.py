"""Fit cubic Bezier curves to ink, after Carbune et al. 2020.

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
_ROUNDS = 2  # of fitting the curve and moving the points' parameters to the nearest place on it
_PULL = 1e-3  # regularisation towards control points at the thirds of the chord, needed for two or three points
_SOFT = 0.05  # core heights, added to the distance of the ends, which is 0 for a dot or a closed loop


@dataclass(frozen=True, eq=False)
class Curves:
    """The C curves of an ink in the order of writing, including pen-ups.

    Attributes:
        control: (C, 4, 3) control points: x, y, clock.
        pen_up: (C,) whether the curve is a pen-up.
        begin, end: (C,) index of their first and last point in the path.
        error: (C,) largest distance of a point from its curve.
    """

    control: Floats
    pen_up: NDArray[np.bool_]
    begin: Ints
    end: Ints
    error: Floats


def curves(fitted: Curves) -> Floats:
    """Compute the ten values of each curve.

    Returns:
        (C, 10) in the order of `CURVES`:
        1-2. dx, dy from the curve's first to its last point, in core heights.
        3-4. distance of the first control point from the first point, and of the second from the last point,
             as log(1 + d / (0.05 + distance of the ends)) (the paper: the plain ratio, unbounded where a loop closes).
        5-6. the angle in radians from the chord to the first control vector, and from the reversed chord to the second.
        7-9. coefficients c of s, s^2 and s^3 in the polynomial of time along the curve (s from 0 to 1), as
             sign(c) log(1 + |c|); the unit is the time that the pen needs on average for one core height (the paper:
             the plain coefficients in seconds, which are not known in all corpora).
        10. 1 for a pen-up, else 0.
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
    """Fit curves to a path; split curves until all are good enough.

    A curve is split at its worst point if that is farther than `tolerance` from it, and in the middle of its ink if it
    is longer than `longest`. A curve of two or three points is not split. All curves of a round are fitted at once.

    Args:
        path: an evenly resampled path.
        tolerance: largest distance of a point from its curve, in core heights.
        longest: largest length of ink per curve in core heights, so that every letter gets enough frames.
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
    """Insert straight curves for the pen-ups between strokes, in the order of writing."""
    up = np.flatnonzero(path.last)[:-1]  # the pen is lifted after these points
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
    """P stretches of a path from `begin` to `end` inclusive, with M points in total."""

    def __init__(self, values: Floats, begin: Ints, end: Ints) -> None:
        counts = end - begin + 1
        self.starts = np.cumsum(counts) - counts  # (P,) first point of each piece among the M points
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
        """Return control points (P, 4, 3), largest distances (P,), and the points of the path that have them (P,)."""
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
        """Return control points (P, 4, 3): fixed ends, and the inner two by least squares."""
        p0, p3 = self.ends
        r = 1 - s
        b1, b2 = 3 * s * r * r, 3 * s * s * r
        chord = p3 - p0
        rest = self.points - p0[self.piece] - s[:, None] * chord[self.piece]  # residual of the straight curve
        columns = np.column_stack([b1 * b1, b1 * b2, b2 * b2, b1[:, None] * rest, b2[:, None] * rest])
        sums = np.add.reduceat(columns, self.starts, axis=0)  # (P, 9)
        a11, a12, a22 = sums[:, 0] + _PULL, sums[:, 1], sums[:, 2] + _PULL
        right1, right2 = sums[:, 3:6], sums[:, 6:9]
        det = (a11 * a22 - a12 * a12)[:, None]
        d1 = (a22[:, None] * right1 - a12[:, None] * right2) / det
        d2 = (a11[:, None] * right2 - a12[:, None] * right1) / det
        return np.stack([p0, p0 + chord / 3 + d1, p3 - chord / 3 + d2, p3], axis=1)

    def _curve(self, control: Floats, s: Floats) -> Floats:
        """Return the points of the curves at the parameters `s`, (M, 2)."""
        p = control[:, :, :2][self.piece]
        r = 1 - s
        weights = np.stack([r**3, 3 * s * r * r, 3 * s * s * r, s**3], axis=1)
        places: Floats = np.einsum("mk,mkd->md", weights, p)
        return places

    def _nearer(self, control: Floats, s: Floats, off: Floats) -> Floats:
        """Move the parameters towards the nearest points of the curve in x and y, by one step of Newton's method."""
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
    """Return the angle from chord to vector in radians, (C,); 0 if either has length 0."""
    cross = chord[:, 0] * vector[:, 1] - chord[:, 1] * vector[:, 0]
    dot = (chord * vector).sum(axis=1)
    angle: Floats = np.arctan2(cross, dot)
    return angle
