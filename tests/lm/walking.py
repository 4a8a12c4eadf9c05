"""Walk an automaton symbol by symbol, to compare with what is computed for many n-grams at a time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from asr.lm.automaton import NONE
from asr.lm.corpus import split_sentence
from asr.lm.model import BEGIN, END
from asr.lm.ngram import NgramModel

Ngram = tuple[str, ...]


def prob(model: NgramModel, word: str, context: Ngram = ()) -> float:
    """The probability of a word; the walk begins at the start if the context begins with `BEGIN`, else at the root."""
    opens = context[:1] == (BEGIN,)
    state = model.arcs.start if opens else 0
    for one in context[1:] if opens else context:
        state = model.arcs.step(state, model.index[one])[1]
    return float(np.exp(model.arcs.step(state, model.index[word])[0]))


def ngrams(model: NgramModel) -> list[Ngram]:
    """All n-grams of a model by node; the empty one first."""
    found: list[Ngram] = [()]
    for parent, symbol in zip(model.trie.parent[1:].tolist(), model.trie.symbol[1:].tolist(), strict=True):
        found.append((*found[parent], model.symbols[symbol]))
    return found


def sums(model: NgramModel) -> list[float]:
    """The sum of the probabilities behind each state."""
    symbols = range(len(model.symbols))
    return [
        sum(float(np.exp(model.arcs.step(state, one)[0])) for one in symbols)
        for state in range(len(model.arcs.shorter))
    ]


def numbers_of(model: NgramModel, symbols: Iterable[str]) -> list[int]:
    """The numbers of symbols; that of `<unk>`, or `NONE` in a model without it, for what the model lacks."""
    unknown = model.arcs.unknown
    return [unknown if one in (BEGIN, END) else model.index.get(one, unknown) for one in symbols]


def sentence_log_prob(model: NgramModel, sentence: str) -> float:
    """The log probability of a sentence and its end, step by step; `-inf` where the model excludes a symbol."""
    ends = [] if model.arcs.end == NONE else [model.arcs.end]
    state, total = model.arcs.start, 0.0
    for number in [*numbers_of(model, split_sentence(sentence, model.unit)), *ends]:
        if number == NONE:
            return -np.inf
        log_prob, state = model.arcs.step(state, number)
        total += log_prob
    return total
