"""Confidences of recognised utterances against their references."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from asr.corpus.utterance import Utterance
from asr.decoding.calibration import Truth
from asr.decoding.confidence import evidence_of
from asr.decoding.hypothesis import Hypothesis, Score, Span, words_of
from asr.evaluation.calibration import calibration_errors
from asr.evaluation.recognised import Recognised, truth_of


def recognised(reference: str, found: str, confidence: float, speaker: str | None, number: int = 0) -> Recognised:
    spans = tuple(Span(label, i, i + 1, confidence) for i, label in enumerate(found))
    hypothesis = Hypothesis(tuple(found), found, Score(0.0), spans, words_of(spans, "characters"), confidence**2)
    hypothesis = replace(hypothesis, evidence=evidence_of(hypothesis))
    utterance = Utterance(f"u{number}", Path("a.wav"), text=reference, speaker=speaker)
    return Recognised(utterance, tuple(reference), hypothesis, "characters")


SPLIT = [
    recognised("to be", "to bee", 0.8, "ann", 0),
    recognised("or", "or", 0.8, "bob", 1),
    recognised("not", "not", 0.8, None, 2),
]


def test_words_labels_and_utterances_are_compared_with_the_reference() -> None:
    found = calibration_errors(SPLIT, "speakers")
    assert list(found) == ["words", "labels", "utterances"]
    words, labels, utterances = found.values()
    assert (words.count, words.bins[0].right) == (4, 0.75)
    assert words.error == pytest.approx(abs(0.8 - 3 / 4))
    assert (labels.count, labels.error) == (11, pytest.approx(abs(0.8 - 10 / 11)))
    assert (utterances.count, utterances.error) == (3, pytest.approx(abs(0.64 - 2 / 3)))
    assert (words.interval.groups, words.interval.grouped_by) == (3, "speakers")


def test_an_entry_of_several_words_is_compared_with_all_of_them() -> None:
    one = recognised("in new york", "in new york", 1.0, "ann")
    words = (Span("in", 0, 2, 1.0), Span("new york", 3, 11, 1.0))
    found = calibration_errors([replace(one, hypothesis=replace(one.hypothesis, words=words))], "speakers")
    assert (found["words"].count, found["words"].error, found["utterances"].error) == (2, 0.0, 0.0)


def test_utterances_of_one_person_stand_for_themselves() -> None:
    alone = [recognised("a", "a", 0.9, "ann", 0), recognised("b", "a", 0.9, "ann", 1)]
    interval = calibration_errors(alone, "writers")["words"].interval
    assert (interval.groups, interval.grouped_by) == (2, "utterances")


def test_labels_that_are_words_are_reported_once() -> None:
    phonemes = [replace(one, unit="labels") for one in SPLIT]
    assert list(calibration_errors(phonemes, "speakers")) == ["labels", "utterances"]


def test_a_decoder_without_confidences_has_no_errors() -> None:
    bare = [replace(one, hypothesis=Hypothesis(("a",), "a", Score(0.0), ())) for one in SPLIT]
    assert calibration_errors(bare, "speakers") == {}
    odd = [replace(one, hypothesis=replace(one.hypothesis, confidence=1.5)) for one in SPLIT]
    assert list(calibration_errors(odd, "speakers")) == ["words", "labels"]


def test_the_truth_of_a_text_is_normalised() -> None:
    assert truth_of("to  be ", "characters") == Truth(tuple("to be"), ("to", "be"))
    assert truth_of(["sh", "aa"], "labels") == Truth(("sh", "aa"), ("sh", "aa"))
