"""Measure the calibration errors of the confidences of a split."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from asr.scoring.calibration import CalibrationError, calibration_error

if TYPE_CHECKING:
    from asr.evaluation.recognised import Recognised

Pairs = list[tuple[float, bool]]  # confidence, and whether it was right


def calibration_errors(recognised: Sequence[Recognised], people: str) -> dict[str, CalibrationError]:
    """Measure the calibration errors of the confidences of `words`, `labels` and `utterances`.

    If each label is a word (phonemes), only labels are reported; if labels only spell words, only words. A kind for
    which the decoder has no confidences is left out.

    Args:
        recognised: the utterances of a split.
        people: the word for the people of the corpus, such as `speakers`.

    Returns:
        The calibration error of each kind.
    """
    owners, called = _owners(recognised, people)
    kinds: dict[str, Callable[[Recognised], Pairs]] = {"words": _words, "labels": _labels, "utterances": _utterance}
    if all(one.unit == "labels" for one in recognised):
        del kinds["words"]
    if all(one.spelled for one in recognised):
        del kinds["labels"]
    if all(one.hypothesis.evidence is None for one in recognised):  # confidences of labels and words only
        del kinds["utterances"]
    errors = {}
    for name, pairs_of in kinds.items():
        pairs = [pairs_of(one) for one in recognised]
        people_of = list(chain.from_iterable([owner] * len(own) for owner, own in zip(owners, pairs, strict=True)))
        confidences, right = _columns(chain.from_iterable(pairs))
        if confidences and all(0 <= one <= 1 for one in confidences):
            errors[name] = calibration_error(confidences, right, people_of, called)
    return errors


def _owners(recognised: Sequence[Recognised], people: str) -> tuple[list[str], str]:
    """Return the owner of each utterance, and the word for owners: `people`, or utterances if at most one is known."""
    speakers = [one.utterance.speaker for one in recognised]
    if len(set(speakers)) < 2:
        return [str(number) for number in range(len(recognised))], "utterances"
    return [f"utterance {n}" if one is None else f"person {one}" for n, one in enumerate(speakers)], people


def _columns(pairs: Iterator[tuple[float, bool]]) -> tuple[list[float], list[bool]]:
    rows = list(pairs)
    return [confidence for confidence, _ in rows], [right for _, right in rows]


def _words(one: Recognised) -> Pairs:
    right = one.truth.words_right(one.hypothesis)
    return [(word.confidence, good) for word, good in zip(one.hypothesis.words, right, strict=True)]


def _labels(one: Recognised) -> Pairs:
    right = one.truth.labels_right(one.hypothesis)
    return [(span.confidence, good) for span, good in zip(one.hypothesis.spans, right, strict=True)]


def _utterance(one: Recognised) -> Pairs:
    return [(one.hypothesis.confidence, one.truth.is_right(one.hypothesis))]
