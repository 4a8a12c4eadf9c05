"""Transcripts of words for models of phonemes: their pronunciations, which of these was said, and where words stand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.corpus.inventory import Inventory
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.lexicon_file import lexicon_of
from asr.errors import ConfigError, DataError
from asr.recogniser.alignment import TranscriptDecoder
from asr.recogniser.alignment_timing import Timing
from asr.recogniser.alignment_transcript import Transcript, aligned, chosen_ways, pronounced, transcript_of

PLAIN = Inventory(("<blank>", "aa", "b", "hh"), "labels")
QUIET = Inventory(("<blank>", "aa", "b", "hh", "h#", "pau"), "labels", "timit61")
ROWS = ["BAH  B AA1", "AHB  AA0 B", "EITHER  AA1 B AA0", "EITHER(2)  HH AA1", "so B"]


def posteriors(path: str, symbols: str = "-abhsp", doubt: float = 0.01) -> NDArray[np.float32]:
    """(T, L) of a path written with a symbol for each label of an inventory."""
    log_probs = np.full((len(path), len(symbols)), np.log(doubt / (len(symbols) - 1)), dtype=np.float32)
    log_probs[np.arange(len(path)), [symbols.index(one) for one in path]] = np.log(1 - doubt)
    return log_probs


def found(inventory: Inventory, text: str, log_probs: NDArray[np.float32]) -> Hypothesis:
    transcript = pronounced(inventory, lexicon_of(ROWS, inventory), text, "it")
    search = TranscriptDecoder(inventory, transcript, Timing(0.0, 0.0, 0.02)).begin(0.01)
    search.step(log_probs)
    assert search.text == " ".join(text.split())
    return search.end()[0]


def test_words_stand_where_their_labels_do() -> None:
    said = found(QUIET, "bah  either So", posteriors("ss-b-a--pp-h-aa-bb-ss"))
    assert said.text == "bah either So"
    assert said.labels == ("b", "aa", "hh", "aa", "b")
    spans = said.spans
    assert [(word.label, word.start, word.end) for word in said.words] == [
        ("bah", spans[0].start, spans[1].end),
        ("either", spans[2].start, spans[3].end),
        ("So", spans[4].start, spans[4].end),
    ]
    assert all(word.confidence == pytest.approx(0.99) for word in said.words)


@pytest.mark.parametrize(("path", "labels"), [("b-ab-a-h", "b aa b aa hh"), ("b-a-ab-a", "b aa aa b aa")])
def test_a_word_is_given_to_its_own_labels_though_others_are_alike(path: str, labels: str) -> None:
    inventory = Inventory(PLAIN.labels, "labels")
    rows = ["x B AA", "y B AA HH", "y AA B AA"]
    transcript = pronounced(inventory, lexicon_of(rows, inventory), "x y", "it")
    search = TranscriptDecoder(inventory, transcript, Timing(0.0, 0.0, 0.02)).begin(0.01)
    search.step(posteriors(path, "-abh"))
    said = search.end()[0]
    assert " ".join(said.labels) == labels
    assert said.words[1].start == said.spans[2].start


def exhaustive(
    log_probs: NDArray[np.float32], transcript: Transcript, inventory: Inventory
) -> dict[tuple[int, ...], float]:
    """The log probability of each choice of pronunciations, by its labels."""
    choices = {}
    for ways in product(*(word.ways for word in transcript.words)):
        labels = tuple(label for way in ways for label in way)
        try:
            choices[labels] = aligned(log_probs, transcript_of(inventory, "", labels), inventory).log_probability
        except ValueError:
            choices[labels] = -np.inf
    return choices


@settings(deadline=None, max_examples=80)
@given(seed=st.integers(0, 10**6), words=st.lists(st.sampled_from(["bah", "either", "so"]), min_size=1, max_size=4),
       inventory=st.sampled_from([PLAIN, QUIET]))  # fmt: skip
@example(seed=358, words=["bah", "bah", "either", "either"], inventory=QUIET)  # two neighbours wanted the same frames
def test_no_choice_makes_the_path_less_likely(seed: int, words: list[str], inventory: Inventory) -> None:
    scores = np.random.default_rng(seed).normal(size=(25, len(inventory)), scale=3.0)
    log_probs = np.asarray(scores - np.log(np.exp(scores).sum(1, keepdims=True)), np.float32)
    transcript = pronounced(inventory, lexicon_of(ROWS, inventory), " ".join(words), "it")
    chosen = chosen_ways(log_probs, transcript, inventory)
    every = exhaustive(log_probs, transcript, inventory)
    assert every[chosen.said] >= every[transcript.said] - 1e-4
    if words.count("either") == 1 and len(words) == 1:
        assert every[chosen.said] == max(every.values())


def test_what_cannot_be_pronounced_is_named() -> None:
    lexicon = lexicon_of(ROWS, PLAIN)
    with pytest.raises(
        DataError, match=r"'it': eithr is not in the lexicon; add its pronunciation; did you mean .EITHER"
    ):
        pronounced(PLAIN, lexicon, "bah eithr", "it")
    with pytest.raises(DataError, match="'it': the transcript is empty"):
        pronounced(PLAIN, lexicon, "  ", "it")
    letters = Inventory(("<blank>", " ", "a"), "characters")
    with pytest.raises(ConfigError, match="requires a model of phonemes"):
        pronounced(letters, lexicon, "a", "it")
