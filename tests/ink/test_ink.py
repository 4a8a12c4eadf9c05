from __future__ import annotations

import math

import numpy as np
import pytest

from asr.errors import DataError
from asr.ink import Ink, Stroke


def test_an_ink_holds_what_was_written():
    ink = Ink.of([[0, 0], [2, 1]], [[5, -3]], resolution=4.0)
    assert (ink.n_points, ink.has_times, ink.resolution) == (3, False, 4.0)
    assert ink.points().tolist() == [[0, 0], [2, 1], [5, -3]]
    assert ink.stroke_ends().tolist() == [2, 3]
    assert ink.bounds() == (0, -3, 5, 1)


def test_a_third_column_is_time():
    ink = Ink.of([[0, 0, 0.1], [1, 0, 0.2]])
    assert ink.has_times
    assert ink.strokes[0].times.tolist() == [0.1, 0.2]
    assert not Ink((*ink.strokes, *Ink.of([[1, 1]]).strokes)).has_times


def test_equality_is_that_of_the_numbers():
    assert Ink.of([[0, 1]]) == Ink.of([[0.0, 1.0]])
    assert Ink.of([[0, 1]]) != Ink.of([[0, 2]])
    assert Ink.of([[0, 1, 0]]) != Ink.of([[0, 1]])
    assert Ink.of([[0, 1, 0]]) != Ink.of([[0, 1, 1]])
    assert Ink.of([[0, 1], [2, 3]]) != Ink.of([[0, 1]], [[2, 3]])


def test_an_ink_cannot_be_changed():
    values = np.zeros((2, 2))
    stroke = Stroke(values)
    values[0, 0] = 9
    assert stroke.points[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        stroke.points[0, 0] = 1


@pytest.mark.parametrize(
    ("points", "times", "message"),
    [
        (np.zeros((0, 2)), None, "a stroke has no points"),
        (np.zeros((3, 4)), None, r"points are \(N, 2\), x and y; got \(3, 4\)"),
        ([[0, 0], [math.nan, 1]], None, r"point 1 \(from 0\) has points that are NaN or infinite"),
        ([[0, 0], [math.inf, 1]], None, "NaN or infinite"),
        ([[0, 0]], [math.nan], "times that are NaN or infinite"),
        ([[0, 0], [1, 1]], [0.0], r"2 points but times of shape \(1,\)"),
        ([[0, 0], [1, 1], [2, 2]], [0.0, 2.0, 1.0], "time runs backwards after point 1: 2 s, then 1 s"),
    ],
)
def test_a_stroke_that_cannot_be_is_refused(points, times, message):
    with pytest.raises(DataError, match=message):
        Stroke(points, times)


def test_an_empty_ink_and_senseless_resolutions_are_refused():
    with pytest.raises(DataError, match="the ink is empty: it has no strokes"):
        Ink(())
    with pytest.raises(DataError, match="the resolution is 0 units per millimetre; expected above 0"):
        Ink.of([[0, 0]], resolution=0)
