"""Walk an automaton symbol by symbol, to compare with what is computed for many n-grams at a time."""

from __future__ import annotations

import numpy as np

from asr.lm.model import BEGIN
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
