"""What is compared: texts, labels, or the words that labels spell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from asr.corpus.inventory import BLANK, Inventory
from asr.corpus.utterance import Utterance
from asr.decoding.calibration import Truth
from asr.decoding.greedy import GreedyDecoder
from asr.decoding.hypothesis import Hypothesis, Score, Span
from asr.errors import DataError
from asr.evaluation.recognised import Compared

PHONES = Inventory((BLANK, "ow", "uw", "w"), "labels")
UTTERANCE = Utterance("u1", Path("u1.wav"), text="one  two", labels=("w", "ow"))


class Writer(GreedyDecoder):
    """A decoder that writes words."""

    writes_words = True


def hypothesis(text: str) -> Hypothesis:
    words = tuple(Span(word, 0.0, 1.0, 0.5) for word in text.split())
    return Hypothesis(("w", "ow"), text, Score(-1.0), (), words)


def test_labels_are_compared_with_labels() -> None:
    one = Compared.of(PHONES, GreedyDecoder(PHONES))(UTTERANCE, [hypothesis("w ow")])
    assert (one.unit, one.reference, one.found) == ("labels", ("w", "ow"), ("w", "ow"))
    assert one.count("per").errors == 0


def test_words_that_labels_spell_are_compared_with_the_text() -> None:
    one = Compared.of(PHONES, Writer(PHONES))(UTTERANCE, [hypothesis("one too")])
    assert (one.unit, one.reference, one.found) == ("characters", tuple("one two"), tuple("one too"))
    assert (one.count("wer").errors, one.count("wer").reference, one.count("cer").errors) == (1, 2, 1)
    assert one.truth == Truth(("w", "ow"), ("one", "two"))  # nothing is known of the labels


def test_an_utterance_without_a_text_is_named() -> None:
    with pytest.raises(DataError, match="'u1' has no text"):
        Compared.of(PHONES, Writer(PHONES)).reference(replace(UTTERANCE, text=None))
