"""The search finds the best weights, not at the edge of what it tried, and prefers flat ground and small weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.decoding.marks import Weight
from asr.evaluation.tuning_search import Axis, Point, WeightSearch, best_of, expected_tries, first_points, neighbours

LM = Axis("lm_weight", 1.0, Weight(0.5, least=0.0))
BONUS = Axis("insertion_bonus", 0.0, Weight(1.0))
THIRD = Axis("word_bonus", 0.0, Weight(1.0))


def searched(axes: Sequence[Axis], errors: Callable[[Point], float]) -> tuple[Point, list[Point]]:
    """The best point, and the points in the order in which they were tried."""
    tried: list[Point] = []

    def known(point: Point) -> float:
        assert point in tried
        return errors(point)

    def attempt(points: Sequence[Point]) -> Sequence[Point]:
        tried.extend(points)
        return points

    return WeightSearch(axes, known, attempt).run(), tried


@settings(deadline=None, max_examples=50)
@given(st.floats(0, 8), st.floats(-12, 12), st.floats(-0.9, 0.9))
def test_a_bowl_has_its_bottom_anywhere(lm: float, bonus: float, slope: float) -> None:
    """A bowl whose axes lean, as those of a language model's weight and a bonus do."""

    def errors(point: Point) -> float:
        x, y = (point[0] - lm) / LM.weight.step, (point[1] - bonus) / BONUS.weight.step
        return x * x + y * y + 2 * slope * x * y

    best, tried = searched([LM, BONUS], errors)
    assert len(set(tried)) == len(tried)
    assert errors(best) == min(map(errors, tried))
    assert errors(best) <= 2 * 0.125**2 * (1 + abs(slope)) + 1e-9  # half a quarter of a step from the bottom
    assert set(neighbours(best, [LM, BONUS], 0.25)) <= set(tried)  # it lies at no edge
    for axis, value in zip([LM, BONUS], best, strict=True):
        assert not axis.is_farthest(value)


def test_three_weights_are_found_too() -> None:
    axes = [LM, BONUS, THIRD]
    best, tried = searched(axes, lambda point: sum((a - b) ** 2 for a, b in zip(point, (2.0, 1.5, -2.25), strict=True)))
    assert best == (2.0, 1.5, -2.25)
    assert len(tried) < 2.5 * expected_tries(axes) < 200


def test_the_smallest_value_is_a_fence() -> None:
    best, tried = searched([LM], lambda point: point[0])
    assert best == (0.0,)
    assert min(tried) == (0.0,)


@pytest.mark.parametrize("slope", [1, -1])
def test_points_that_do_not_exist_are_a_fence_on_every_side(slope: int) -> None:
    """A width that has to be whole and between 1 and 150, of which no mark says so."""
    width, asked = Axis("beam", 100.0, Weight(50.0)), set[Point]()

    def attempt(points: Sequence[Point]) -> list[Point]:
        return [point for point in points if 1 <= point[0] <= 150 and point[0].is_integer()]

    def errors(point: Point) -> float:
        asked.add(point)
        return slope * point[0]

    assert WeightSearch([width], errors, attempt).run() == ((25.0,) if slope > 0 else (150.0,))
    assert asked == set(attempt(list(asked)))


def test_a_search_without_end_ends_and_says_so() -> None:
    best, _ = searched([BONUS], lambda point: -point[0])
    assert BONUS.is_farthest(best[0])
    best, _ = searched([Axis("lm_weight", 1.0, Weight(0.5, least=0.0))], lambda point: -point[0])
    assert LM.is_farthest(best[0])


def test_weights_without_effect_stay_small() -> None:
    best, tried = searched([LM, BONUS], lambda point: 7)
    assert best == (0.0, 0.0)
    assert len(tried) < 60


def test_of_equal_points_the_one_in_the_broad_valley_is_best() -> None:
    errors = dict.fromkeys([(float(x),) for x in range(-2, 8)], 9.0)
    errors |= {(-1.0,): 3.0, (4.0,): 4.0, (5.0,): 3.0, (6.0,): 4.0}
    assert best_of(set(errors), [BONUS], errors.__getitem__, 1.0) == (5.0,)
    assert best_of({(-1.0,), (5.0,)}, [BONUS], errors.__getitem__, 1.0) == (-1.0,)  # the smaller weight


def test_the_first_grid_begins_where_the_weights_stand() -> None:
    points = first_points([LM, BONUS])
    assert points[0] == (1.0, 0.0)
    assert set(points) == {(x / 2, float(y)) for x in range(5) for y in range(-2, 3)}
    assert len(first_points([LM, BONUS, THIRD])) == 1 + 6 + 12


@pytest.mark.parametrize(("fineness", "expected"), [(1.0, [(0.5,), (1.5,)]), (0.25, [(0.875,), (1.125,)])])
def test_neighbours_are_one_step_away(fineness: float, expected: list[Point]) -> None:
    assert neighbours((1.0,), [LM], fineness) == expected
    assert neighbours((0.0,), [LM], 1.0) == [(0.5,)]
