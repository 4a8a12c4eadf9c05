"""Values of points against hand calculations and slow loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asr.features.pen.extractor import NAMES, PenFeatures, ink_signal
from asr.features.pen.graves2009 import delayed, graves2009, hats
from asr.features.pen.normalise import Trace, normalised
from asr.features.pen.points import offsets, plain
from asr.features.pen.resample import Path, resampled
from asr.ink.ink import Ink
from tests.features.pen.inks import word


def path_of(*strokes: list[tuple[float, float]], step: float = 0.0) -> Path:
    """The points as they are: nothing is normalised."""
    return resampled(trace_of(*strokes), step)


def trace_of(*strokes: list[tuple[float, float]]) -> Trace:
    points = np.concatenate([np.array(stroke, dtype=float) for stroke in strokes])
    first = np.cumsum([0, *map(len, strokes)])[:-1]
    count = np.arange(len(points), dtype=float)
    return Trace(points, count, count, first, -0.5, 0.5)


def named(kind: str, frames: np.ndarray) -> dict[str, np.ndarray]:
    assert frames.shape[1] == len(NAMES[kind])
    return dict(zip(NAMES[kind], frames.T, strict=True))


def test_offsets_are_those_of_graves():
    frames = offsets(path_of([(0, 0), (1, 2)], [(5, 1), (5, 0), (4, 0)]))
    assert frames.tolist() == [[0, 0, 0], [1, 2, 1], [4, -1, 0], [0, -1, 0], [-1, 0, 1]]


def test_plain_values_of_a_right_angle():
    values = named("plain", plain(path_of([(0, 0), (1, 0), (1, 1)], [(4, 5)], step=1.0)))
    assert values["begins"].tolist() == [1, 0, 0, 1]
    assert values["ends"].tolist() == [0, 0, 1, 1]
    assert values["height"].tolist() == [0, 0, 1, 5]
    soft = 1 / 1.04  # squares are 1 and 0.2 ** 2
    np.testing.assert_allclose(values["turn_cos"], [1, 0, 1, 1])
    np.testing.assert_allclose(values["turn_sin"], [0, soft, 0, 0])
    np.testing.assert_allclose(values["cos"], [1 / math.sqrt(1.04), 1 / math.sqrt(2.04), 0, 0])
    np.testing.assert_allclose(values["sin"], [0, 1 / math.sqrt(2.04), 1 / math.sqrt(1.04), 0])
    np.testing.assert_allclose(values["dx"], [0, math.log(2), 0, math.log(4)])
    np.testing.assert_allclose(values["dy"], [0, 0, math.log(2), math.log(5)])
    np.testing.assert_allclose(values["jump"], [0, 0, 0, math.log(6)])


def test_graves_on_line_values_of_a_straight_line():
    path = path_of([(x, 0.0) for x in range(9)], step=1.0)
    values = named("graves2009", graves2009(path, np.empty((0, 2)), -0.5, 0.5))
    assert values["pen_up"].tolist() == [0] * 8 + [1]
    assert not values["hat"].any()
    np.testing.assert_allclose(values["speed"], 1 / 1.1)  # one core height a unit of the clock
    np.testing.assert_allclose(values["x"], [-1.5, -1, -0.5, 0, 0, 0, 0.5, 1, 1.5])  # minus the mean of 3 around
    np.testing.assert_allclose(values["aspect"], -1, atol=0.02)
    np.testing.assert_allclose(values["slope_cos"], 1, atol=0.001)
    np.testing.assert_allclose(values["slope_sin"], 0)
    np.testing.assert_allclose(values["curliness"], 0, atol=1e-9)
    np.testing.assert_allclose(values["linearity"], 0)


def test_graves_vicinity_of_a_corner():
    """The corner of a right angle with legs of 3: a box of 3 x 3, 6 of ink, the middle 3 / sqrt(2) from the chord."""
    path = path_of([(-3, 0), (-2, 0), (-1, 0), (0, 0), (0, 1), (0, 2), (0, 3)], step=1.0)
    values = named("graves2009", graves2009(path, np.empty((0, 2)), -0.5, 0.5))
    assert abs(values["aspect"][3]) < 1e-9
    assert abs(values["curliness"][3] - (6 / 3.05 - 6 / 6.05)) < 1e-9
    np.testing.assert_allclose([values["slope_cos"][3], values["slope_sin"][3]], [math.sqrt(0.5)] * 2, atol=1e-3)
    distances = [0, 1, 2, 3, 2, 1, 0]  # / sqrt(2) from the chord y = x + 3
    assert abs(values["linearity"][3] - sum(d * d / 2 for d in distances) / 7) < 1e-3


def test_graves_off_line_values_against_a_loop():
    """Counts in boxes, for points that are far from all borders."""
    random = np.random.default_rng(3)
    points = random.integers(-8, 9, size=(60, 2)) * 0.2 + 0.01  # steps of 0.2; borders at multiples of 0.25 and 0.5
    path = path_of([tuple(point) for point in points], step=0.0)
    frames = graves2009(path, np.empty((0, 2)), -0.43, 0.43)
    for i, (x, y) in enumerate(points):
        dx, dy = points[:, 0] - x, points[:, 1] - y
        near = np.abs(dx) < 0.5
        expected = [(near & (points[:, 1] > 0.68)).sum(), (near & (points[:, 1] < -0.68)).sum()]
        for row in (-1, 0, 1):
            for column in (-1, 0, 1):
                expected.append((np.round(dx / 0.5) == column).astype(float) @ (np.round(dy / 0.5) == row))
        np.testing.assert_allclose(frames[i, 14:], np.array(expected) * 0.1, atol=1e-9)  # 0.1: unit without a step


def test_hats_are_taken_out_and_leave_a_mark():
    """The dot above the second letter, written last."""
    ink = word(1)
    trace = normalised(ink_signal(ink).astype(np.float64))
    assert delayed(trace).tolist() == [False] * 4 + [True]
    [(left, right)] = hats(trace)
    dot = trace.points[trace.first[-1] :, 0]
    assert (left, right) == (dot.min() - 0.25, dot.max() + 0.25)
    features = PenFeatures(kind="graves2009")
    frames, places = features.compute(ink_signal(ink)), features.point_index(ink_signal(ink))
    assert places.max() < ink.n_points - 3
    under = trace.points[places, 0]
    inside = (under > left + 0.05) & (under < right - 0.05)
    assert inside.any()
    assert frames[inside, 1].all()
    assert not frames[(under < left - 0.05) | (under > right + 0.05), 1].any()


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ([(0.4, 1.2), (0.5, 1.3)], True),  # above what was written
        ([(0.4, -0.2), (0.5, -0.3)], False),  # within it
        ([(2.0, 1.2), (2.1, 1.3)], False),  # to the right of everything: an apostrophe
        ([(0.4, 0.2), (0.5, 1.9)], False),  # too tall
    ],
)
def test_what_is_delayed(second, expected):
    assert delayed(trace_of([(0, 0.5), (0.2, -0.5), (1, 0.5)], second)).tolist() == [False, expected]


def test_speed_is_of_the_time_stamps():
    """Twice as fast in the second half, 1 on the whole: by hand 3 / 4 and 3 / 2."""
    along = np.arange(21.0)
    seconds = np.where(along <= 10, along, 10 + (along - 10) / 2)
    path = resampled(normalised(ink_signal(Ink.of(np.column_stack([0 * along, along, seconds]))) * 1.0), 0.1)
    slow, fast = path.speed[3], path.speed[-3]
    assert abs(slow - 0.75 / (1 + 0.075)) < 1e-6  # d / (t + 0.1 d)
    assert abs(fast - 1.5 / (1 + 0.15)) < 1e-6
