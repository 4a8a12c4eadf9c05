"""Curves are found again, fit within the tolerance, and their ten values are what they are called."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from asr.features.pen.curves import CURVES, Curves, curves, fit
from asr.features.pen.extractor import PenFeatures, ink_signal
from asr.features.pen.normalise import Trace, normalised
from asr.features.pen.resample import Path, resampled
from tests.features.pen.inks import word


def bezier(control: np.ndarray, s: np.ndarray) -> np.ndarray:
    """(M, D) by de Casteljau's repeated halving, the slow and obvious way."""
    points = [np.outer(1 - s, a) + np.outer(s, b) for a, b in pairwise(control)]
    while len(points) > 1:
        points = [a * (1 - s)[:, None] + b * s[:, None] for a, b in pairwise(points)]
    return points[0]


def path_of(points: np.ndarray, step: float = 0.05) -> Path:
    count = np.arange(len(points), dtype=float)
    return resampled(Trace(points, count, count, np.array([0]), -0.5, 0.5), step)


def word_path(seed: int) -> Path:
    return resampled(normalised(ink_signal(word(seed)).astype(np.float64)), 0.1)


@pytest.mark.parametrize(
    "control",
    [
        [[0, 0], [0.2, 0.6], [0.8, 0.6], [1, 0]],
        [[0, 0], [0.4, 0.6], [0.6, -0.6], [1, 0]],  # an S
        [[0, 0], [0.3, 0.0], [0.6, 0.0], [0.9, 0]],  # a line
    ],
)
def test_one_curve_is_found_again(control):
    control = np.array(control, dtype=float)
    found = fit(path_of(bezier(control, np.linspace(0, 1, 200))), tolerance=0.05, longest=9.0)
    assert len(found.pen_up) == 1
    assert found.error[0] < 0.02
    np.testing.assert_allclose(found.control[0][:, :2], control, atol=0.12)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("tolerance", [0.02, 0.1])
def test_curves_pass_all_points_within_the_tolerance(seed, tolerance):
    path = word_path(seed)
    found = fit(path, tolerance, longest=1.0)
    covered = np.zeros(len(path.points), dtype=bool)
    for control, up, begin, end, error in zip(
        found.control, found.pen_up, found.begin, found.end, found.error, strict=True
    ):
        np.testing.assert_array_equal(control[[0, 3], :2], path.points[[begin, end]])
        if up:
            assert (path.last[begin], path.first[end], end) == (True, True, begin + 1)
            continue
        line = bezier(control[:, :2], np.linspace(0, 1, 400))
        apart = np.hypot(*(path.points[begin : end + 1, None] - line[None]).transpose(2, 0, 1)).min(axis=1)
        assert apart.max() <= error + 1e-3  # the line is of 400 points
        assert error <= tolerance or end - begin <= 2
        covered[begin : end + 1] = True
    assert covered.all()
    assert found.pen_up.sum() == path.first.sum() - 1
    assert (np.diff(found.begin) > 0).all()
    assert (found.begin[1:] == found.end[:-1]).all()  # one chain, pen-ups included


def test_less_tolerance_and_less_length_give_more_curves():
    path = word_path(1)
    counts = [len(fit(path, *options).pen_up) for options in ((0.2, 9.0), (0.05, 9.0), (0.02, 9.0))]
    assert counts == sorted(set(counts))
    found = fit(path, 0.2, 0.5)
    gaps = np.append(0.0, np.cumsum(np.hypot(*np.diff(path.points, axis=0).T)))
    lengths = (gaps[found.end] - gaps[found.begin])[~found.pen_up]
    assert lengths.max() <= 0.5 + 0.2
    assert len(found.pen_up) > counts[0]


def test_the_ten_values_of_a_curve():
    """Out at 90 degrees to the left of the chord, in from 45 degrees; half the time passed after half the parameter."""
    control = np.array(
        [[[1, 1, 7.0], [1, 3, 8], [4, 2, 9], [5, 1, 10]], [[5, 1, 10], [6, 1, 10], [7, 1, 10], [8, 1, 10]]]
    )
    frames = curves(Curves(control, np.array([False, True]), np.array([0, 5]), np.array([5, 6]), np.zeros(2)))
    values = dict(zip(CURVES, frames.T, strict=True))
    assert values["dx"].tolist() == [4, 3]
    assert values["dy"].tolist() == [0, 0]
    np.testing.assert_allclose(values["reach_1"], [math.log1p(2 / 4.05), math.log1p(1 / 3.05)])
    np.testing.assert_allclose(values["reach_2"], [math.log1p(math.sqrt(2) / 4.05), math.log1p(1 / 3.05)])
    np.testing.assert_allclose(values["angle_1"], [math.pi / 2, 0])
    np.testing.assert_allclose(values["angle_2"], [-math.pi / 4, 0])
    np.testing.assert_allclose(values["time_1"], [math.log(4), 0])  # t = 3 s
    np.testing.assert_allclose(values["time_2"], 0, atol=1e-12)
    np.testing.assert_allclose(values["time_3"], 0, atol=1e-12)
    assert values["pen_up"].tolist() == [0, 1]


def test_time_is_a_cubic_of_the_parameter():
    """Polynomial and control points give the same time everywhere on the curve."""
    times = np.array([0.0, 0.3, 0.9, 2.0])
    control = np.column_stack([[0, 1, 2, 3], [0, 1, 0, 1], times])[None].astype(float)
    frame = curves(Curves(control, np.array([False]), np.array([0]), np.array([3]), np.zeros(1)))[0]
    coefficients = np.sign(frame[6:9]) * np.expm1(np.abs(frame[6:9]))
    s = np.linspace(0, 1, 7)
    np.testing.assert_allclose(coefficients @ np.array([s, s**2, s**3]), bezier(times[:, None], s)[:, 0], atol=1e-12)


def test_fewer_frames_than_points():
    signal = ink_signal(word(2))
    assert len(PenFeatures(kind="curves").compute(signal)) < 0.5 * len(PenFeatures().compute(signal))
