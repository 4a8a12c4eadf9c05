from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.corpus.inventory import Inventory
from asr.decoding.greedy import GreedyConfig, GreedyDecoder
from asr.decoding.hypothesis import Hypothesis, Score, Span, words_of
from asr.decoding.search import decode
from asr.text import normalise_text


@dataclass(frozen=True)
class TinyInventory:
    """The three things a decoder asks of an inventory; its blank may stand anywhere."""

    labels: tuple[str, ...]
    unit: str
    blank: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def text(self, labels: tuple[str, ...]) -> str:
        return ("" if self.unit == "characters" else " ").join(labels)


CHARACTERS = TinyInventory(("<blank>", " ", "a", "b"), "characters")
PHONEMES = TinyInventory(("<blank>", "aa", "sh"), "labels")


Floats = NDArray[np.float32]


def posteriors(path: str, inventory: TinyInventory = CHARACTERS, peak: float = 0.7) -> Floats:
    """(T, L) log posteriors whose best path is spelled with `-` for blank."""
    indices = [inventory.blank if symbol == "-" else inventory.labels.index(symbol) for symbol in path]
    probabilities = np.full((len(path), len(inventory)), (1 - peak) / (len(inventory) - 1), np.float32)
    probabilities[np.arange(len(path)), np.array(indices, dtype=np.int64)] = peak
    return np.log(probabilities)


def decode_batch(
    inventory: TinyInventory | Inventory, log_probs: Floats, lengths: list[int], step: float, **more: Any
) -> list[Hypothesis]:
    """The one hypothesis of each utterance."""
    greedy = GreedyDecoder(inventory)  # type: ignore[arg-type]
    return [one for (one,) in decode(greedy, log_probs, np.array(lengths, dtype=np.int64), step, **more)]


def decode_one(log_probs: Floats, inventory: TinyInventory | Inventory = CHARACTERS, step: float = 1.0) -> Hypothesis:
    (hypothesis,) = decode_batch(inventory, log_probs[None], [len(log_probs)], step)
    return hypothesis


# a path, and the labelling that merging repeats and then removing blanks leaves (Graves 2006, section 3.1)
@pytest.mark.parametrize(
    ("path", "text"),
    [("", ""), ("---", ""), ("a", "a"), ("aab", "ab"), ("a-a", "aa"), ("-aa--ab-", "aab"), ("aa bb", "a b")],
)
def test_labelling_of_a_path(path: str, text: str) -> None:
    assert decode_one(posteriors(path)).text == text


def test_spans_last_from_the_first_frame_to_the_frame_after_the_last() -> None:
    hypothesis = decode_one(posteriors("-aa-b"), step=0.5)
    assert [(span.label, span.start, span.end) for span in hypothesis.spans] == [("a", 0.5, 1.5), ("b", 2.0, 2.5)]


def test_offset_moves_the_spans_of_each_utterance() -> None:
    batch = np.stack([posteriors("a-"), posteriors("-b")])
    first, second = decode_batch(CHARACTERS, batch, [2, 2], 0.1, offset=[10.0, 20.0])
    assert (first.spans[0].start, first.spans[0].end) == pytest.approx((10.0, 10.1))
    assert (second.spans[0].start, second.spans[0].end) == pytest.approx((20.1, 20.2))


def test_confidence_is_the_highest_posterior_of_the_run() -> None:
    log_probs = np.concatenate([posteriors("a", peak=0.6), posteriors("a", peak=0.9), posteriors("a", peak=0.5)])
    assert decode_one(log_probs).spans[0].confidence == pytest.approx(0.9)


def test_log_probability_is_that_of_the_best_path() -> None:
    hypothesis = decode_one(posteriors("a-b", peak=0.5))
    assert hypothesis.log_probability == pytest.approx(3 * math.log(0.5))


def test_words_of_characters_lie_between_spaces() -> None:
    hypothesis = decode_one(np.concatenate([posteriors(" ab-", peak=0.9), posteriors("a  b", peak=0.8)]), step=1.0)
    assert [(word.label, word.start, word.end) for word in hypothesis.words] == [("aba", 1.0, 5.0), ("b", 7.0, 8.0)]
    assert hypothesis.words[0].confidence == pytest.approx(0.8)  # the lowest of its characters


def test_words_of_whole_labels_are_the_labels() -> None:
    log_probs = np.log(np.maximum(np.eye(3, dtype=np.float32)[[1, 0, 2, 2]], 1e-6))
    hypothesis = decode_one(log_probs, PHONEMES)
    assert hypothesis.text == "aa sh"
    assert hypothesis.words == hypothesis.spans


def test_silence_is_an_empty_text() -> None:
    found = decode_one(posteriors("- -  -"))
    assert (found.text, found.labels, found.spans, found.words) == ("", (), (), ())


def test_spaces_that_the_text_does_not_show_are_no_labels() -> None:
    found = decode_one(posteriors(" a- - b "), step=0.5)
    assert found.text == "a b"
    assert found.labels == ("a", " ", "b")
    assert [(span.start, span.end) for span in found.spans] == [(0.5, 1.0), (1.5, 2.0), (3.0, 3.5)]


@settings(deadline=None)
@given(st.text("-ab ", max_size=12))
def test_labels_spans_words_and_text_agree(path: str) -> None:
    inventory = Inventory(CHARACTERS.labels, "characters")
    found = decode_one(posteriors(path), inventory)
    assert found.text == normalise_text("".join(found.labels)) == "".join(found.labels)
    assert tuple(span.label for span in found.spans) == found.labels
    assert [word.label for word in found.words] == found.text.split()


def test_words_hold_composed_characters_as_the_text_does() -> None:
    inventory = Inventory(("<blank>", "e", "\u0301"), "characters")
    log_probs = np.log(np.maximum(np.eye(3, dtype=np.float32)[[1, 2]], 1e-6))
    found = decode_one(log_probs, inventory)
    assert (found.text, found.words[0].label, len(found.spans)) == ("é", "é", 2)


def test_words_of_nothing() -> None:
    assert words_of([], "characters") == ()
    assert words_of([Span(" ", 0.0, 1.0, 0.5)], "characters") == ()


def test_blank_is_asked_of_the_inventory() -> None:
    last = TinyInventory(("a", "b", "<blank>"), "characters", blank=2)
    assert decode_one(posteriors("a-ab", last), last).text == "aab"


def test_an_empty_utterance_gives_an_empty_hypothesis() -> None:
    for log_probs in (np.zeros((1, 0, 4), np.float32), np.full((1, 3, 4), np.nan, np.float32)):
        (hypothesis,) = decode_batch(CHARACTERS, log_probs, [0], 1.0)
        assert hypothesis == Hypothesis((), "", Score(0.0), ())
    assert decode_batch(CHARACTERS, np.zeros((0, 5, 4), np.float32), [], 1.0) == []


@settings(deadline=None)
@given(st.lists(st.text("-ab ", max_size=8), min_size=1, max_size=5), st.integers(0, 3), st.sampled_from([-1, 2]))
def test_a_batch_gives_what_single_utterances_give(paths: list[str], padding: int, held: int) -> None:
    longest = max(map(len, paths)) + padding
    batch = np.full((len(paths), longest, len(CHARACTERS)), np.nan, np.float32)
    if held >= 0:  # the padding shows a label instead of NaN
        batch[:] = 0.0
        batch[:, :, held] = 5.0
    for row, path in enumerate(paths):
        batch[row, : len(path)] = posteriors(path)
    together = decode_batch(CHARACTERS, batch, [len(path) for path in paths], 0.01)
    assert together == [decode_one(posteriors(path), step=0.01) for path in paths]


@settings(deadline=None)
@given(st.text("-ab ", max_size=12), st.lists(st.integers(0, 12), max_size=4))
def test_chunks_give_what_the_whole_utterance_gives(path: str, cuts: list[int]) -> None:
    search = GreedyDecoder(CHARACTERS).begin(0.5, offset=3.0)  # type: ignore[arg-type]
    log_probs, borders = posteriors(path), [0, *sorted(min(cut, len(path)) for cut in cuts), len(path)]
    for start, end in pairwise(borders):
        search.step(log_probs[start:end])
        assert search.text == decode_one(log_probs[:end]).text  # the best text so far
    (whole,) = decode_batch(CHARACTERS, log_probs[None], [len(path)], 0.5, offset=3.0)
    (found,) = search.end()
    assert replace(found, score=whole.score) == whole
    assert found.log_probability == pytest.approx(whole.log_probability, rel=1e-9)


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match=r"must be \(T, 4\).*got \(2, 3\)"):
        decode_batch(CHARACTERS, np.zeros((1, 2, 3), np.float32), [2], 1.0)
    with pytest.raises(ValueError, match=r"must be \(B, T, L\), got \(2, 4\)"):
        decode_batch(CHARACTERS, np.zeros((2, 4), np.float32), [2], 1.0)
    with pytest.raises(ValueError, match=r"lengths must be \(1,\), got \(2,\)"):
        decode_batch(CHARACTERS, np.zeros((1, 2, 4), np.float32), [2, 2], 1.0)
    with pytest.raises(ValueError, match=r"lengths must lie in 0..2, got \[3\]"):
        decode_batch(CHARACTERS, np.zeros((1, 2, 4), np.float32), [3], 1.0)


def test_nan_within_an_utterance_is_refused() -> None:
    log_probs = np.repeat(posteriors("ab-")[None], 2, axis=0)
    log_probs[1, 2, 0] = np.nan
    with pytest.raises(ValueError, match="item 1 of the batch: log_probs hold NaN at frame 2"):
        decode_batch(CHARACTERS, log_probs, [3, 3], 1.0)
    assert [h.text for h in decode_batch(CHARACTERS, log_probs, [3, 2], 1.0)] == ["ab", "ab"]


def test_configuration_names_the_decoder() -> None:
    assert GreedyConfig()._target_ == f"{GreedyDecoder.__module__}.{GreedyDecoder.__qualname__}"
