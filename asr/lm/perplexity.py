"""Measure the perplexity of an n-gram model on a text, many sentences at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.lm.automaton import NONE
from asr.lm.corpus import split_sentence
from asr.lm.model import BEGIN, END
from asr.lm.ngram import NgramModel

_AT_ONCE = 20_000  # sentences that are measured together


@dataclass(frozen=True)
class Perplexity:
    """The perplexity of a model on a text, with its counts.

    Symbols that the model does not know are counted, but not predicted.

    Attributes:
        sentences: how many sentences the text has.
        symbols: how many symbols the sentences have, without ends of sentences.
        unknown: how many of the symbols the model does not know.
        log_prob: the log probability of all known symbols and ends of sentences together, in nats.
        predicted: how many known symbols and ends of sentences there are.
        characters: how many characters the known symbols have, with one blank or line break after each word; None for
            labels, which have no characters.
    """

    sentences: int
    symbols: int
    unknown: int
    log_prob: float
    predicted: int
    characters: int | None

    @property
    def perplexity(self) -> float:
        """exp(-log_prob / predicted); infinite if the model gives a symbol the probability 0."""
        return math.exp(min(700.0, -self.log_prob / max(1, self.predicted))) if self.log_prob > -math.inf else math.inf

    @property
    def unknown_share(self) -> float:
        """The share of the symbols that the model does not know, 0 to 1."""
        return self.unknown / max(1, self.symbols)

    @property
    def bits_per_character(self) -> float | None:
        """The negative log probability in bits, divided by `characters`; None for labels."""
        return None if not self.characters else -self.log_prob / math.log(2.0) / self.characters


@dataclass(frozen=True, eq=False)
class Predictions:
    """The log probability of each symbol of sentences and of their ends, all sentences concatenated.

    Attributes:
        log_prob: (K,) float64; `-inf` for a symbol with probability 0.
        known: (K,) whether the model has the symbol.
        is_end: (K,) whether it is the end of a sentence.
        width: (K,) int64, how many characters the symbol has, with the blank after a word.
    """

    log_prob: NDArray[np.float64]
    known: NDArray[np.bool_]
    is_end: NDArray[np.bool_]
    width: NDArray[np.int64]


def measure_perplexity(model: NgramModel, sentences: Iterable[str]) -> Perplexity:
    """Measure the perplexity of a model on sentences; those without any symbol are left out.

    Raises:
        DataError: no sentence has a symbol.

    >>> from asr.lm.corpus import Corpus
    >>> from asr.lm.counting import count_ngrams
    >>> from asr.lm.kneser_ney import estimate_from_counts
    >>> corpus = Corpus.of(["to be", "or not to be"], "words")
    >>> model = estimate_from_counts(count_ngrams(corpus, order=2))
    >>> found = measure_perplexity(model, ["to be", "to sleep"])
    >>> found.symbols, found.unknown
    (4, 1)
    >>> round(found.perplexity, 2)
    2.63
    """
    counted, symbols, unknown, log_prob, predicted, characters = 0, 0, 0, 0.0, 0, 0
    for some in _portions(sentences):
        one = predict(model, some)
        counted += int(one.is_end.sum())
        symbols += int((~one.is_end).sum())
        unknown += int((~one.known & ~one.is_end).sum())
        log_prob += float(one.log_prob[one.known].sum())
        predicted += int(one.known.sum())
        characters += int(one.width[one.known].sum())
    if not counted:
        raise DataError("the text to measure the perplexity on is empty; give a text with at least one symbol")
    return Perplexity(counted, symbols, unknown, log_prob, predicted, None if model.unit == "labels" else characters)


def _portions(sentences: Iterable[str]) -> Iterable[Sequence[str]]:
    some: list[str] = []
    for one in sentences:
        some.append(one)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def predict(model: NgramModel, sentences: Iterable[str]) -> Predictions:
    """Compute the log probability of each symbol of sentences; unknown symbols get the log probability of `<unk>`."""
    symbols, positions, widths, ends = [], [], [], []
    of_characters = model.unit == "characters"
    index = {one: number for one, number in model.index.items() if one not in (BEGIN, END)}
    begin, end = model.index.get(BEGIN, NONE), model.arcs.end
    for sentence in sentences:
        if words := split_sentence(sentence, model.unit):
            symbols += [begin, *(index.get(one, -2) for one in words), end]
            positions.append(np.arange(len(words) + 2))
            widths += [
                0,
                *((1 for _ in words) if of_characters else (len(one) + 1 for one in words)),
                int(of_characters),
            ]
            ends += [False] * (len(words) + 1) + [True]
    stream, position = np.array(symbols, np.int64), np.concatenate(positions) if positions else np.zeros(0, np.int64)
    known = (stream != -2) & ((stream != NONE) | (position == 0))
    stream[stream == -2] = model.arcs.unknown
    predicted = position > 0
    return Predictions(
        _log_probs(model, stream, position)[predicted],
        known[predicted],
        np.array(ends, np.bool_)[predicted],
        np.array(widths, np.int64)[predicted],
    )


def _log_probs(model: NgramModel, stream: NDArray[np.int64], position: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (K,) the log probability of each symbol given the symbols before it in its sentence.

    The n-grams that end at each place are looked up from the shortest to the longest. If the model has the context but
    not the n-gram, the context's back-off weight is added to the log probability after the shorter context.
    """
    trie = model.trie
    log_probs, backoffs = model.log_probs.astype(np.float64), model.backoffs.astype(np.float64)
    node = np.where(stream == NONE, NONE, stream + 1)
    total = np.where(node == NONE, -np.inf, log_probs[node])
    for length in range(2, trie.order + 1):
        context = np.concatenate([[NONE], node[:-1]])
        context[position < length - 1] = NONE
        node = trie.find(context, stream)
        longer = np.where(node != NONE, log_probs[node], total + backoffs[context])
        total = np.where(context != NONE, longer, total)
    return total
