"""Minimum Bayes risk against its definition."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.decoding.risk import by_risk, distance, expected_errors
from tests.reference.edit_distance import counts


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text("abc", max_size=5), min_size=1, max_size=5, unique=True), st.data())
def test_the_risk_is_the_expected_edit_distance(texts: list[str], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.integers(1, 9), min_size=len(texts), max_size=len(texts)))
    posteriors = [weight / sum(weights) for weight in weights]
    found = expected_errors(texts, posteriors)
    for one, risk in zip(texts, found, strict=True):
        expected = sum(p * sum(counts(other, one)[1:]) for p, other in zip(posteriors, texts, strict=True))
        assert risk == pytest.approx(expected)
    order = by_risk(found)
    assert sorted(order) == list(range(len(texts)))
    assert found[order[0]] == pytest.approx(min(found))


@settings(deadline=None)
@given(st.text("ab", max_size=6), st.text("abc", max_size=6))
def test_the_distance_is_the_smallest_number_of_edits(one: str, other: str) -> None:
    assert distance(one, other) == sum(counts(one, other)[1:])


def test_the_choice_of_least_risk_need_not_be_the_likeliest() -> None:
    texts, posteriors = ["xyz", "abc", "abd", "abe"], [0.4, 0.2, 0.2, 0.2]
    assert expected_errors(texts, posteriors) == pytest.approx([1.8, 1.6, 1.6, 1.6])
    assert by_risk(expected_errors(texts, posteriors)) == [1, 2, 3, 0]


def test_of_equal_risks_the_earlier_comes_first() -> None:
    assert by_risk([0.3, 0.1 + 0.2, 0.1]) == [2, 0, 1]
