"""The expected calibration error against a plain loop, known values, and what chance gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.scoring.calibration import CalibrationError, are_right, calibration_error


def error_by_loops(confidences: list[float], right: list[bool]) -> float:
    """The definition: ten bins whose borders are the tenths of the sorted confidences."""
    borders = [sorted(confidences)[len(confidences) * k // 10] for k in range(1, 10)]
    total = 0.0
    for number in range(10):
        inside = [
            (one, good)
            for one, good in zip(confidences, right, strict=True)
            if sum(border <= one for border in borders) == number
        ]
        if inside:
            mean = sum(one for one, _ in inside) / len(inside)
            share = sum(good for _, good in inside) / len(inside)
            total += len(inside) / len(confidences) * abs(mean - share)
    return total


def drawn(n: int, people: int, seed: int, shift: float = 0.0) -> tuple[list[float], list[bool], list[str]]:
    """Confidences of a recogniser that is calibrated but for a shift of its logits."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(2.0, 2.0, n)
    right = rng.random(n) < 1 / (1 + np.exp(-(logits - shift)))
    return (1 / (1 + np.exp(-logits))).tolist(), right.tolist(), [f"p{i % people}" for i in range(n)]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 20).map(lambda k: k / 20), st.booleans()), min_size=1, max_size=60))
def test_the_error_is_that_of_the_definition(pairs: list[tuple[float, bool]]) -> None:
    confidences, right = [one for one, _ in pairs], [good for _, good in pairs]
    found = calibration_error(confidences, right, ["a"] * len(pairs))
    assert found.error == pytest.approx(error_by_loops(confidences, right))
    assert found.count == len(pairs)
    assert sum(one.count * abs(one.confidence - one.right) for one in found.bins) == pytest.approx(
        found.error * len(pairs)
    )


def test_ten_words_at_nine_tenths_of_which_nine_are_right_have_no_error() -> None:
    found = calibration_error([0.9] * 10, [True] * 9 + [False], ["a", "b"] * 5)
    assert found.error == pytest.approx(0.0)
    assert [(one.confidence, one.right, one.count) for one in found.bins] == [(pytest.approx(0.9), 0.9, 10)]


def test_sure_and_always_wrong_is_an_error_of_one() -> None:
    assert calibration_error([1.0] * 4, [False] * 4, list("abcd")).error == 1.0


def test_the_order_of_the_words_plays_no_part() -> None:
    confidences, right, people = drawn(300, 7, seed=1)
    order = np.random.default_rng(2).permutation(300)
    one = calibration_error(confidences, right, people)
    other = calibration_error(*([column[i] for i in order] for column in (confidences, right, people)))
    assert other.error == pytest.approx(one.error)
    assert (other.interval.low, other.interval.high) == pytest.approx((one.interval.low, one.interval.high))
    assert other.chance == pytest.approx(one.chance)


def test_chance_is_exceeded_by_one_calibrated_recogniser_in_twenty() -> None:
    found = [calibration_error(*drawn(150, 10, seed)) for seed in range(200)]
    exceeded = sum(one.error > one.chance for one in found) / len(found)
    assert 0.01 <= exceeded <= 0.1  # 5 % of 200: 10 with a deviation of 3
    assert all(one.interval.low == 0.0 for one in found if one.error <= one.chance)


def test_an_interval_holds_the_error_of_many_more_people() -> None:
    confidences, right, people = drawn(100_000, 1000, seed=99, shift=1.0)
    truth = calibration_error(confidences, right, people).error
    held = 0
    for seed in range(60):
        ends = calibration_error(*drawn(800, 20, seed, shift=1.0)).interval
        assert ends.low is not None
        assert ends.high is not None
        held += ends.low <= truth <= ends.high
    assert held >= 50  # of 60; 57 expected


def test_one_person_has_no_interval() -> None:
    found = calibration_error([0.5, 0.7], [True, False], ["a", "a"], "writers")
    assert (found.interval.low, found.interval.high, found.interval.groups) == (None, None, 1)
    assert "needs 2 writers, there is 1" in found.interval.note
    assert "no interval" in str(found)


def test_an_error_that_was_written_is_read_as_it_was() -> None:
    found = calibration_error(*drawn(50, 5, seed=0))
    read = CalibrationError.from_dict(found.to_dict())
    assert read.to_dict() == found.to_dict()
    assert read.error == pytest.approx(found.error, abs=1e-6)
    assert str(read) == str(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [], []), "0 confidences"),
        (([0.5], [True, False], ["a"]), "1 confidences, 2 outcomes and 1 people"),
        (([1.5], [True], ["a"]), r"outside 0\.\.1"),
        (([float("nan")], [True], ["a"]), r"outside 0\.\.1"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments: tuple[list[float], list[bool], list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        calibration_error(*arguments)


def test_right_tokens_are_those_that_the_alignment_calls_correct() -> None:
    assert are_right("abc", "axbc") == [True, False, True, True]
    assert are_right([], ["a"]) == [False]
    assert are_right(["a"], []) == []


def test_the_interval_is_pivotal() -> None:
    """Ann is right 4 times less often than she is sure, Bob twice more often: replicates of 0.4, 0.1 and 0.2."""
    right = [True] * 1 + [False] * 9 + [True] * 7 + [False] * 3
    found = calibration_error([0.5] * 20, right, ["ann"] * 10 + ["bob"] * 10)
    assert found.error == pytest.approx(0.1)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.0, 2 * 0.1 - 0.1))
