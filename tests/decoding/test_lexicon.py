from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.corpus.inventory import Inventory
from asr.decoding.lexicon import LexiconConfig, LexiconDecoder, log_probability
from asr.decoding.lexicon_file import lexicon_of
from asr.decoding.search import decode
from asr.errors import ConfigError
from asr.lm.automaton import Automaton
from asr.lm.model import SPACE
from tests.decoding.toy_models import ToyModel, toy_bigram
from tests.reference.ctc import labelling_probabilities

CHARACTERS = Inventory(("<blank>", " ", "a", "b"), "characters")
PHONEMES = Inventory(("<blank>", "aa", "b", "k"), "labels")
WIDE: dict[str, Any] = {"beam": 100_000, "min_probability": 0.0, "gap": math.inf, "skip_blank": 1.0}

SPELLED = {
    "characters": ["a", "ab", "ba", "bb", "B\tb", "Ab\ta b"],  # `Ab` and `ab` are spelled alike
    "labels": ["a aa", "a(2) aa b", "ak aa k", "ac aa k", "k k", "b b", "bab b aa b"],
}


def posteriors(rng: np.random.Generator, n_frames: int, n_labels: int = 4) -> NDArray[np.float32]:
    """(T, L) float32, random."""
    probabilities = rng.dirichlet(np.full(n_labels, 0.5), size=n_frames) + 1e-6
    return np.log(probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True)
class Case:
    """Options of a decoder and how a sequence of words is scored, listed one by one."""

    unit: str
    spellings: dict[str, list[str]]  # of labels, each a string with a character for each label
    options: dict[str, Any]
    word_lm: ToyModel
    label_lm: ToyModel | None

    @property
    def separator(self) -> str:
        return " " if self.unit == "characters" else ""

    def score(self, labels: str, words: tuple[str, ...], n_outside: int) -> float:
        """What is added to the acoustic score of a labelling and its words."""
        known = [word if word in self.word_lm.symbols else "<unk>" for word in words]
        total = self.options["word_lm_weight"] * sentence(self.word_lm, known)
        total += self.options["word_bonus"] * len(words)
        if self.label_lm is not None:
            spelled = [SPACE if label == " " else label for label in self.names(labels)]
            total += self.options["label_lm_weight"] * sentence(self.label_lm, spelled)
        return total - (n_outside and self.options["oov_penalty"] * n_outside)

    def names(self, labels: str) -> list[str]:
        names = CHARACTERS.labels if self.unit == "characters" else PHONEMES.labels
        return [names[int(one)] for one in labels]

    def readings(self, labels: str) -> Iterator[tuple[tuple[str, ...], int]]:
        """All ways to read a labelling as words, with the number of words outside the lexicon."""
        if labels == "":
            yield (), 0
            return
        for first, rest in self.first_words(labels):
            if rest is None:
                yield (first[0],), first[1]
            elif rest and not self.options["one_word"]:
                for words, n_outside in self.readings(rest):
                    yield (first[0], *words), first[1] + n_outside

    def first_words(self, labels: str) -> Iterator[tuple[tuple[str, int], str | None]]:
        """The first word, whether it is outside the lexicon, and the labels behind it; None where it is the last."""
        split = "1" if self.separator else ""
        for end in range(1, len(labels) + 1):
            own, rest = labels[:end], labels[end:]
            if rest and not rest.startswith(split):
                continue
            behind = rest[len(split) :] if rest else None
            known = [word for word, spelled in self.spellings.items() if own in spelled]
            for word in known:
                yield (word, 0), behind
            if not known and self.options["oov_penalty"] is not None and not (split and split in own):
                yield ("".join(self.names(own)), 1), behind


def sentence(model: ToyModel, symbols: list[str]) -> float:
    """The log probability of a sentence of symbols with its end."""
    state, total = model.arcs.start, 0.0
    for symbol in [*(model.symbols.index(one) for one in symbols), model.arcs.end]:
        log_prob, state = step(model.arcs, state, symbol)
        total += log_prob
    return total


def step(arcs: Automaton, state: int, symbol: int) -> tuple[float, int]:
    here = {int(arcs.symbol[at]): at for at in range(arcs.first[state], arcs.first[state + 1])}
    if symbol in here:
        return float(arcs.log_prob[here[symbol]]), int(arcs.target[here[symbol]])
    log_prob, target = step(arcs, int(arcs.shorter[state]), symbol)
    return float(arcs.backoff[state]) + log_prob, target


def case_of(rng: np.random.Generator, unit: str, **options: Any) -> Case:
    inventory = CHARACTERS if unit == "characters" else PHONEMES
    lexicon = lexicon_of(SPELLED[unit], inventory)
    spellings: dict[str, list[str]] = {}
    for number, spelled in zip(lexicon.word_of, lexicon.spellings, strict=True):
        spellings.setdefault(lexicon.words[number], []).append("".join(str(ord(one) - 0xF0000) for one in spelled))
    words = sorted(spellings)[1:]  # the language model does not know one of them
    labels = [SPACE if label == " " else label for label in inventory.labels[1:]]
    with_labels = options.pop("with_labels", False)
    grows = options.pop("grows", False)
    return Case(
        unit,
        spellings,
        {"word_lm_weight": 0.7, "word_bonus": 0.4, "label_lm_weight": 0.3, "oov_penalty": None, "one_word": False}
        | options,
        toy_bigram(rng, words, "words", grows),
        toy_bigram(rng, labels, inventory.unit, grows) if with_labels else None,
    )


def decoder_of(case: Case, **more: Any) -> LexiconDecoder:
    inventory = CHARACTERS if case.unit == "characters" else PHONEMES
    lexicon = lexicon_of(SPELLED[case.unit], inventory)
    return LexiconDecoder(inventory, lexicon, case.word_lm, label_lm=case.label_lm, **(WIDE | case.options | more))


def by_listing(case: Case, log_probs: NDArray[np.float32]) -> dict[tuple[str, ...], tuple[float, str]]:
    """The best objective of each sequence of words, and its labelling: over all paths and all ways to read them."""
    found: dict[tuple[str, ...], tuple[float, str]] = {}
    for labelling, probability in labelling_probabilities(np.exp(log_probs.astype(np.float64)).tolist()).items():
        labels = "".join(map(str, labelling))
        if case.options["one_word"] and not labels:
            continue
        for words, n_outside in case.readings(labels):
            total = math.log(probability) + case.score(labels, words, n_outside)
            found[words] = max(found.get(words, (-math.inf, "")), (total, labels))
    return found


KINDS = [
    pytest.param("characters", {}, id="words"),
    pytest.param("characters", {"with_labels": True}, id="words and labels"),
    pytest.param("characters", {"oov_penalty": 0.8, "with_labels": True}, id="words outside"),
    pytest.param("characters", {"oov_penalty": -0.5, "grows": True}, id="words outside, growing model"),
    pytest.param("characters", {"one_word": True}, id="one word"),
    pytest.param("characters", {"one_word": True, "oov_penalty": 1.0}, id="one word, perhaps outside"),
    pytest.param("labels", {}, id="pronunciations"),
    pytest.param("labels", {"with_labels": True, "grows": True}, id="pronunciations and labels, growing models"),
    pytest.param("labels", {"one_word": True}, id="one pronunciation"),
]


@pytest.mark.parametrize(("unit", "options"), KINDS)
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_equals_all_words_and_all_paths(unit: str, options: dict[str, Any], seed: int, n_frames: int) -> None:
    rng = np.random.default_rng(seed)
    case = case_of(rng, unit, **options)
    log_probs = posteriors(rng, n_frames)
    search = decoder_of(case).begin(1.0)
    search.step(log_probs)
    expected = by_listing(case, log_probs)
    found = {tuple(word.label for word in one.words): one for one in search.end(100_000)}
    if not expected:
        assert list(found) == [()]
        return
    assert set(found) == set(expected)
    for words, (total, labels) in expected.items():
        assert found[words].log_probability == pytest.approx(total, abs=1e-4)
        exact = log_probability(log_probs, tuple(map(int, labels)), 0)
        if found[words].labels == tuple(case.names(labels)):
            assert found[words].score.acoustic == pytest.approx(exact, abs=1e-4)
    totals = [one.log_probability for one in search.end(100_000)]
    assert totals == sorted(totals, reverse=True)
