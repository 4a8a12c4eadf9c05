"""What comes behind every search: rescoring, the choice, evidence and confidences, together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.corpus.inventory import Inventory
from asr.decoding.calibration import Curve
from asr.decoding.finishing import Candidate, Finish, FinishConfig, candidate
from asr.decoding.hypothesis import Hypothesis, Score, Span, Trust, words_of
from asr.decoding.search import decode
from asr.errors import ConfigError
from asr.lm.model import END, SPACE
from tests.decoding.toy_beam import ToyBeam
from tests.decoding.toy_model import toy_model
from tests.reference.ctc import labelling_probabilities

INVENTORY = Inventory(("<blank>", " ", "a", "b"), "characters")
NUMBERS = [0.5, 0.25, -0.5, 1.0, 0.5, 0.0, 0.0, 2.0, 1.5]


def candidates_of(*texts_and_scores: tuple[str, float]) -> list[Candidate]:
    return [candidate(tuple(text), Score(score), INVENTORY) for text, score in texts_and_scores]


def made_of(found: Sequence[Candidate], peak: float = 0.9) -> Hypothesis:
    (one,) = found
    spans = tuple(Span(label, i, i + 1, peak) for i, label in enumerate(one.labels))
    return Hypothesis(one.labels, INVENTORY.text(one.labels), one.score, spans, words_of(spans, "characters"))


def finished(finish: Finish, found: list[Candidate], n_best: int = 1) -> list[Hypothesis]:
    return finish(found, lambda i: made_of(found[i : i + 1]), n_best)


def test_confidences_are_posteriors_where_nothing_is_calibrated() -> None:
    found = candidates_of(("a b", math.log(0.5)), ("a a", math.log(0.3)), ("b b", math.log(0.2)))
    (best,) = finished(Finish(), found)
    assert best.text == "a b"
    assert [word.confidence for word in best.words] == pytest.approx([0.8, 0.7])
    assert [span.confidence for span in best.spans] == pytest.approx([0.8, 1.0, 0.7], abs=1e-3)
    assert best.confidence == pytest.approx(0.5)
    assert best.evidence is not None
    assert best.evidence.words == (Trust(pytest.approx(0.8), 0.9), Trust(pytest.approx(0.7), 0.9))


def test_a_calibration_reads_posteriors_and_peaks() -> None:
    found = candidates_of(("a b", math.log(0.6)), ("a a", math.log(0.4)))
    finish = Finish.of(INVENTORY, FinishConfig(calibration=NUMBERS))
    (best,) = finished(finish, found)
    labels, words, utterances = (Curve(*NUMBERS[i : i + 3]) for i in (0, 3, 6))
    assert best.spans[2].confidence == pytest.approx(labels(Trust(0.6, 0.9)))
    assert best.words[1].confidence == pytest.approx(words(Trust(0.6, 0.9)))
    assert best.confidence == pytest.approx(utterances(Trust(0.6, 0.9**3)))


def test_candidates_with_equal_labels_count_as_one() -> None:
    found = candidates_of(("a", math.log(0.3)), ("b", math.log(0.4)), ("a", math.log(0.3)))
    first, second = finished(Finish(), found, n_best=9)
    assert (first.text, second.text) == ("b", "a")  # by the best score of each
    assert (first.confidence, second.confidence) == pytest.approx((0.4, 0.6))


def test_confidences_of_one_candidate_are_peaks() -> None:
    (best,) = finished(Finish(candidates=1), candidates_of(("a b", -1.0)))
    assert [word.confidence for word in best.words] == [0.9, 0.9]
    assert best.confidence == pytest.approx(0.9**3)
    assert best.evidence is not None
    (sure,) = finished(Finish(), candidates_of(("a b", -1.0)))
    assert sure.confidence > 0.999


def test_spaces_that_a_text_does_not_show_are_left_out() -> None:
    assert candidate(tuple(" a  b "), Score(0.0), INVENTORY) == candidate(tuple("a b"), Score(0.0), INVENTORY)
    assert candidate(tuple("  "), Score(0.0), INVENTORY) == Candidate((), Score(0.0), ())


def test_scores_are_scaled_before_they_become_posteriors() -> None:
    found = candidates_of(("a", math.log(0.8)), ("b", math.log(0.2)))
    (best,) = finished(Finish(posterior_scale=0.5), found)
    assert best.confidence == pytest.approx(0.8**0.5 / (0.8**0.5 + 0.2**0.5))


def test_only_what_is_returned_is_made() -> None:
    made: list[int] = []
    found = candidates_of(*((text, -float(i)) for i, text in enumerate(["a", "b", "ab", "ba"])))

    def make(i: int) -> Hypothesis:
        made.append(i)
        return made_of(found[i : i + 1])

    assert len(Finish()(found, make, 2)) == 2
    assert made == [0, 1]


def test_the_choice_of_least_risk() -> None:
    found = candidates_of(("bbb", math.log(0.4)), ("aaa", math.log(0.31)), ("aab", math.log(0.29)))
    best = {risk: finished(Finish(risk=risk), found)[0] for risk in ("none", "labels", "words")}
    assert {risk: one.text for risk, one in best.items()} == {"none": "bbb", "labels": "aab", "words": "bbb"}
    assert best["labels"].confidence == pytest.approx(0.29)  # the posterior of what was chosen


def test_rescoring_ranks_anew_and_keeps_the_parts_of_the_score() -> None:
    model = toy_model("characters", (SPACE, "a", "b", END), seed=1)
    gains = {text: model.log_probability([model.symbols.index(label) for label in text]) for text in ("a", "b")}
    worse, better = sorted(gains, key=gains.__getitem__)
    found = candidates_of((worse, -1.0), (better, -1.0 - 1e-6))
    finish = Finish.of(INVENTORY, FinishConfig(rescore="model", rescore_weight=2.0), model)
    first, second = finished(finish, found, 2)
    assert (first.text, second.text) == (better, worse)
    assert first.score.acoustic == -1.0 - 1e-6
    assert first.score.language_model == pytest.approx(2 * gains[better], rel=1e-5)
    odds = math.exp(first.score.total - second.score.total)
    assert first.confidence == pytest.approx(odds / (1 + odds))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 4), st.integers(0, 500), st.sampled_from(["none", "labels"]))
def test_with_an_exact_search_confidences_are_those_of_all_labellings(n_frames: int, seed: int, risk: str) -> None:
    """A beam that holds every labelling; the posterior of its label is summed over all of them by the definition."""
    logits = np.random.default_rng(seed).normal(scale=0.7, size=(n_frames, 3)).astype(np.float32)
    log_probs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    inventory = Inventory(("<blank>", "a", "b"), "characters")
    (listed,) = decode(ToyBeam(inventory), log_probs[None], np.array([n_frames]), 1.0, n_best=100)
    found = [candidate(one.labels, one.score, inventory) for one in listed]
    (best,) = Finish(risk=risk)(found, lambda i: made_of(found[i : i + 1]), 1)
    every = labelling_probabilities(np.exp(log_probs).tolist())
    assert best.confidence == pytest.approx(every[tuple(inventory.index[one] for one in best.labels)], rel=1e-3)
    for place, span in enumerate(best.spans):
        if place == 0:  # every labelling that begins with this label holds it there
            begins = sum(p for labels, p in every.items() if labels[:1] == (inventory.index[span.label],))
            assert span.confidence >= begins - 2e-3


def test_a_gap_says_which_candidates_matter() -> None:
    found = candidates_of(("a", 0.0), ("b", -3.0), ("ab", -9.0), ("ba", -12.0))
    finish = Finish()
    near = [one for one in found if one.score.total >= -finish.gap]
    assert len(near) == 3
    assert finished(finish, near)[0].confidence == pytest.approx(finished(finish, found)[0].confidence, abs=1e-4)
    assert Finish(risk="words").gap == math.inf


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (FinishConfig(candidates=0), "candidates=0; expected a whole number, 1 or more"),
        (FinishConfig(posterior_scale=0.0), r"posterior_scale=0\.0; expected a number above 0"),
        (FinishConfig(posterior_scale=math.nan), "posterior_scale=nan; expected a number above 0"),
        (FinishConfig(risk="word"), "risk=word; expected one of none, labels, words; did you mean 'words'"),
        (FinishConfig(calibration=[1.0]), "calibration=.*; expected no numbers"),
    ],
)
def test_options_that_are_not_as_expected_are_refused(options: FinishConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Finish.of(INVENTORY, options)
