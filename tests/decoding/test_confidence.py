"""Posteriors of candidates, and of the labels and words that they share, against plain definitions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.decoding.confidence import NEGLIGIBLE, candidate_posteriors, evidence_of, matching_places, shares_of
from asr.decoding.hypothesis import Hypothesis, Score, Span, Trust, words_of
from asr.scoring.edits import count_errors

TEXTS = st.text("ab ", max_size=6)


@given(st.lists(st.floats(-50, 0), min_size=1, max_size=6), st.floats(0.1, 3))
def test_posteriors_are_the_shares_of_the_probabilities(scores: list[float], scale: float) -> None:
    weights = [math.exp(scale * score) for score in scores]
    found = candidate_posteriors(scores, scale)
    assert found == pytest.approx([weight / sum(weights) for weight in weights])
    assert sum(found) == pytest.approx(1.0)


def test_impossible_candidates_have_no_posterior() -> None:
    assert candidate_posteriors([-1.0, -math.inf], 1.0) == [1.0, 0.0]
    assert candidate_posteriors([-math.inf, -math.inf], 1.0) == [0.5, 0.5]


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_as_many_tokens_are_held_as_the_best_alignment_has_correct(one: str, other: str) -> None:
    places = matching_places(one, other)
    assert places == sorted(set(places))
    assert len(places) == count_errors(one, other).correct
    rest = iter(other)
    assert all(one[place] in rest for place in places)  # in the same order


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5, unique=True), st.data())
def test_a_share_is_the_posterior_of_the_candidates_that_hold_the_token(texts: list[str], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.integers(1, 9), min_size=len(texts), max_size=len(texts)))
    posteriors = [weight / sum(weights) for weight in weights]
    place = data.draw(st.integers(0, len(texts) - 1))
    found = shares_of(place, texts, posteriors)
    for at in range(len(texts[place])):
        expected = sum(
            p for text, p in zip(texts, posteriors, strict=True) if at in matching_places(texts[place], text)
        )
        assert found[at] == pytest.approx(expected)
        assert posteriors[place] <= found[at] + 1e-12 <= 1 + 2e-12


def test_known_shares() -> None:
    words = [("to", "be"), ("to", "bee"), ("two", "be")]
    assert shares_of(0, words, [0.5, 0.3, 0.2]) == pytest.approx([0.8, 0.7])
    assert shares_of(1, words, [0.5, 0.3, 0.2]) == pytest.approx([0.8, 0.3])


def test_candidates_far_behind_are_left_out() -> None:
    small = NEGLIGIBLE / 10
    assert shares_of(0, ["ab", "ac"], [1 - small, small]) == [1.0, 1.0]


def test_evidence_of_words_is_the_product_of_their_labels() -> None:
    confidences = (0.9, 0.5, 0.3, 0.8, 1.0)
    spans = tuple(Span(label, i, i + 1, confidences[i]) for i, label in enumerate("ab cd"))
    hypothesis = Hypothesis(tuple("ab cd"), "ab cd", Score(0.0), spans, words_of(spans, "characters"))
    found = evidence_of(hypothesis, [0.1] * 5, [0.6, 0.7], 0.4)
    assert found.labels == tuple(Trust(0.1, one) for one in confidences)
    assert [trust.posterior for trust in found.words] == [0.6, 0.7]
    assert [trust.peak for trust in found.words] == pytest.approx([0.45, 0.8])
    assert found.utterance.posterior == 0.4
    assert found.utterance.peak == pytest.approx(math.prod(confidences))


def test_a_single_candidate_has_a_posterior_of_one() -> None:
    spans = (Span("sh", 0, 2, 0.7),)
    found = evidence_of(Hypothesis(("sh",), "sh", Score(0.0), spans, spans))
    assert found.labels == found.words == (Trust(1.0, 0.7),)
    assert found.utterance == Trust(1.0, 0.7)
    nothing = evidence_of(Hypothesis((), "", Score(0.0), ()))
    assert (nothing.labels, nothing.words, nothing.utterance) == ((), (), Trust(1.0, 1.0))
