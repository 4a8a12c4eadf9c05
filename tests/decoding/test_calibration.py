"""Calibrations: their option, their fit, and that what they give is right as often as they say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.decoding.calibration import Calibration, Curve, Truth, fit_calibration, fit_curve, logit
from asr.decoding.confidence import evidence_of
from asr.decoding.greedy import GreedyDecoder
from asr.decoding.hypothesis import Hypothesis, Score, Span, Trust, words_of
from asr.decoding.search import decode
from asr.errors import ConfigError
from asr.scoring.calibration import calibration_error
from tests.decoding.test_greedy import CHARACTERS, decode_one, posteriors

NUMBERS = [0.5, 0.25, -0.5, 1.0, 0.0, 0.0, 0.0, 2.0, 1.5]
PROBABILITIES = st.floats(0, 1)


def outcomes(curve: Curve, n: int, seed: int) -> tuple[list[Trust], list[bool]]:
    """Evidence, and whether each was right, with the probability that the curve gives."""
    rng = np.random.default_rng(seed)
    evidence = [Trust(*pair) for pair in (1 / (1 + np.exp(-rng.normal(1, 2, (n, 2))))).tolist()]
    return evidence, [rng.random() < curve(one) for one in evidence]


@given(PROBABILITIES, PROBABILITIES, PROBABILITIES)
def test_a_curve_rises_with_both_kinds_of_evidence(one: float, more: float, peak: float) -> None:
    curve = Curve(0.7, 0.2, 0.3)
    low, high = sorted((one, more))
    assert 0 < curve(Trust(low, peak)) <= curve(Trust(high, peak)) < 1
    assert curve(Trust(peak, low)) <= curve(Trust(peak, high))


def test_the_curve_of_weights_one_and_zero_is_the_posterior() -> None:
    assert Curve(1.0, 0.0, 0.0)(Trust(0.3, 0.9)) == pytest.approx(0.3)
    assert Curve(0.0, 1.0, 0.0)(Trust(0.3, 0.9)) == pytest.approx(0.9)
    assert Curve(1e300, 0.0, 0.0)(Trust(0.0, 0.9)) == pytest.approx(0.0)  # no overflow


def test_the_option_is_read_and_written() -> None:
    made = Calibration.of(NUMBERS)
    assert made == Calibration(Curve(0.5, 0.25, -0.5), Curve(1.0, 0.0, 0.0), Curve(0.0, 2.0, 1.5))
    assert made.numbers() == NUMBERS
    assert Calibration.of([]) is None


@pytest.mark.parametrize(
    "numbers",
    [[1.0], [1.0] * 8, [1.0] * 10, [math.nan, *[1.0] * 8], [*[1.0] * 8, math.inf], [-0.1, *[1.0] * 8]],
)
def test_an_option_that_is_no_calibration_is_refused(numbers: list[float]) -> None:
    with pytest.raises(ConfigError, match=r"calibration=.*; expected no numbers, or two weights \(0 or more\)"):
        Calibration.of(numbers)


def test_a_fit_finds_the_curve_that_made_the_outcomes() -> None:
    true = Curve(0.8, 0.4, -0.5)
    found = fit_curve(*outcomes(true, 20_000, seed=3))
    assert (found.posterior, found.peak, found.offset) == pytest.approx((0.8, 0.4, -0.5), abs=0.06)


def test_a_fit_is_a_minimum_of_the_smoothed_cross_entropy() -> None:
    evidence, right = outcomes(Curve(0.8, 0.4, -0.5), 300, seed=4)
    n_right = sum(right)
    goals = [(n_right + 1) / (n_right + 2) if one else 1 / (300 - n_right + 2) for one in right]

    def loss(curve: Curve) -> float:
        found = [curve(one) for one in evidence]
        entropy = -sum(g * math.log(p) + (1 - g) * math.log(1 - p) for g, p in zip(goals, found, strict=True))
        return entropy + 0.5e-3 * (curve.posterior**2 + curve.peak**2 + curve.offset**2)

    best = fit_curve(evidence, right)
    for a, b, c in [(0.01, 0, 0), (0, 0.01, 0), (0, 0, 0.01)]:
        for sign in (1, -1):
            moved = Curve(best.posterior + sign * a, best.peak + sign * b, best.offset + sign * c)
            assert loss(moved) > loss(best)


def test_evidence_that_misleads_has_no_weight() -> None:
    rng = np.random.default_rng(0)
    right = (rng.random(500) < 0.8).tolist()
    evidence = [Trust(0.9 if good else 0.4, 0.2 if good else 0.7) for good in right]
    misled = [one._replace(posterior=0.5 + 0.3 * rng.random()) for one in evidence]
    found = fit_curve(misled, right)
    assert found.peak == 0.0
    assert found.posterior >= 0.0
    assert math.isfinite(found.offset)


@pytest.mark.parametrize("right", [True, False])
def test_a_dev_set_of_one_kind_of_outcome_gives_finite_numbers(right: bool) -> None:
    curve = fit_curve([Trust(1.0, 0.9), Trust(1.0, 0.8), Trust(1.0, 0.95)], [right] * 3)
    assert all(map(math.isfinite, (curve.posterior, curve.peak, curve.offset)))
    assert (curve(Trust(1.0, 0.9)) > 0.5) == right
    assert curve.posterior == 0.0  # it never differs


def test_a_fit_without_evidence_changes_nothing_wildly() -> None:
    assert fit_curve([], []) == Curve(0.0, 0.0, 0.0)


def hypothesis_of(text: str, confidence: float) -> Hypothesis:
    spans = tuple(Span(label, i, i + 1, confidence) for i, label in enumerate(text))
    made = Hypothesis(tuple(text), text, Score(0.0), spans, words_of(spans, "characters"))
    return Hypothesis(made.labels, text, made.score, spans, made.words, 1.0, evidence_of(made))


def test_labels_words_and_utterances_have_their_own_curves() -> None:
    rng = np.random.default_rng(5)
    found, truths = [], []
    for _ in range(400):
        sure, right = float(rng.uniform(0.5, 1.0)), bool(rng.random() < 0.7)
        text = "ab ba" if right else "ab bb"
        found.append(hypothesis_of(text, sure))
        truths.append(Truth(tuple("ab ba"), ("ab", "ba")))
    fitted = fit_calibration(found, truths)
    assert fitted == fit_calibration(found, truths)
    calibrated = [fitted(one, one.evidence) for one in found if one.evidence is not None]
    for confidences, share in (
        ([span.confidence for one in calibrated for span in one.spans], 1 - 0.3 / 5),
        ([word.confidence for one in calibrated for word in one.words], 1 - 0.3 / 2),
        ([one.confidence for one in calibrated], 0.7),
    ):
        assert np.mean(confidences) == pytest.approx(share, abs=0.04)


def entries(*words: str) -> Hypothesis:
    """A hypothesis of entries of a lexicon, some of which are several words."""
    text = " ".join(words)
    spans = tuple(Span(label, i, i + 1, 0.5) for i, label in enumerate(text))
    made = Hypothesis(tuple(text), text, Score(0.0), spans, tuple(Span(word, 0, 1, 0.5) for word in words))
    return replace(made, evidence=evidence_of(made))


TRUTH = Truth(tuple("IN NEW YORK NOW"), ("IN", "NEW", "YORK", "NOW"))


@pytest.mark.parametrize(
    ("words", "right", "all_right"),
    [
        (("IN", "NEW YORK", "NOW"), [True, True, True], True),
        (("IN", "NEW  YORK ", "NOW"), [True, True, True], True),
        (("IN NEW YORK", "NOW"), [True, True], True),
        (("IN", "NEW", "YORK", "NOW"), [True] * 4, True),
        (("IN", "NEW JERSEY", "NOW"), [True, False, True], False),
        (("NEW YORK",), [True], False),
        ((), [], False),
    ],
)
def test_an_entry_of_several_words_is_right_if_all_of_them_are(
    words: tuple[str, ...], right: list[bool], all_right: bool
) -> None:
    assert TRUTH.words_right(entries(*words)) == right
    assert TRUTH.is_right(entries(*words)) == all_right
    whole = Truth((), (" ".join(TRUTH.words),))  # the entry stands in the truth
    assert (whole.words_right(entries(*words)), whole.is_right(entries(*words))) == (right, all_right)


def test_right_entries_of_several_words_make_a_fit_confident() -> None:
    fitted = fit_calibration([entries("IN", "NEW YORK", "NOW")] * 20, [TRUTH] * 20)
    assert fitted.words(Trust(0.5, 0.5)) > 0.9
    assert fitted.utterances(Trust(0.5, 0.5)) > 0.9


def test_what_cannot_be_fitted_is_refused() -> None:
    one, truth = hypothesis_of("a", 0.5), Truth(("a",), ("a",))
    with pytest.raises(ValueError, match="0 hypotheses but 0 references"):
        fit_calibration([], [])
    with pytest.raises(ValueError, match="1 hypotheses but 2 references"):
        fit_calibration([one], [truth, truth])
    with pytest.raises(ValueError, match="has no evidence"):
        fit_calibration([Hypothesis(("a",), "a", Score(0.0), ())], [truth])


def test_a_fitted_curve_is_right_as_often_as_it_says() -> None:
    true = Curve(0.5, 0.5, 1.0)
    curve = fit_curve(*outcomes(true, 600, seed=6))
    evidence, right = outcomes(true, 2000, seed=7)
    found = calibration_error([curve(one) for one in evidence], right, [f"{i % 20}" for i in range(2000)])
    raw = calibration_error([one.posterior for one in evidence], right, [f"{i % 20}" for i in range(2000)])
    assert found.error < 0.04 < raw.error


def test_logits_end_before_certainty() -> None:
    assert logit(1.0) == logit(0.9999999) == pytest.approx(-logit(0.0))
    assert logit(0.25) == pytest.approx(math.log(1 / 3))


def test_greedy_search_with_a_calibration() -> None:
    log_probs = np.concatenate([posteriors("a-b", peak=0.9), posteriors(" ", peak=0.8), posteriors("b", peak=0.6)])
    greedy = GreedyDecoder(CHARACTERS, NUMBERS)  # type: ignore[arg-type]
    ((found,),) = decode(greedy, log_probs[None], np.array([5]), 1.0)
    plain = decode_one(log_probs)
    labels, words, utterances = (Curve(*NUMBERS[i : i + 3]) for i in (0, 3, 6))
    assert (found.text, found.score) == (plain.text, plain.score) == ("ab b", plain.score)
    assert found.evidence == plain.evidence
    assert [span.confidence for span in found.spans] == pytest.approx(
        [labels(Trust(1.0, span.confidence)) for span in plain.spans]
    )
    assert [word.confidence for word in found.words] == pytest.approx([words(Trust(1.0, p)) for p in (0.81, 0.6)])
    assert found.confidence == pytest.approx(utterances(Trust(1.0, plain.confidence)))
    assert plain.confidence == pytest.approx(0.9 * 0.9 * 0.8 * 0.6)
