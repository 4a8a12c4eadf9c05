"""Interpolate n-gram models linearly into one: p(w | h) = sum_i weight_i p_i(w | h).

The mixture has the n-grams of all models, with these probabilities; back-off weights cover all other symbols.
Expectation maximisation finds the weights that give held-out text the highest probability. The likelihood has a single
maximum, so the start does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asr.errors import ConfigError, DataError
from asr.lm.automaton import NONE
from asr.lm.backoff import Masses, fitting_backoffs, masses
from asr.lm.ngram import NgramModel, ngram_model
from asr.lm.perplexity import predict
from asr.lm.trie import ROOT, Nodes, Trie, extended, unigrams

_ROUNDS = 500
_CLOSE = 1e-6


def mixed(models: Sequence[NgramModel], weights: Sequence[float]) -> NgramModel:
    """Mix models.

    A model gives a symbol that it does not know the probability 0; the weights of the other models stay the same.

    Args:
        models: at least one; all have the same unit.
        weights: one for each model, 0 or more; they are scaled to sum to one.

    Raises:
        ConfigError: the models have different units, or the weights are too few or too many, negative or all 0.

    >>> from asr.lm.corpus import Corpus
    >>> from asr.lm.counting import count_ngrams
    >>> from asr.lm.kneser_ney import estimate_from_counts
    >>> texts = ["to be or not to be", "not now"]
    >>> models = [estimate_from_counts(count_ngrams(Corpus.of([one], "words"), 2)) for one in texts]
    >>> mixed(models, weights=[0.5, 0.5]).symbols
    ('<s>', '</s>', '<unk>', 'to', 'be', 'or', 'not', 'now')
    """
    share = _shares(models, weights)
    symbols = tuple(dict.fromkeys(symbol for model in models for symbol in model.symbols))
    trie = _union(models, symbols)
    probs, left, total = np.zeros((3, len(trie)))
    for model, one in zip(models, share, strict=True):
        log_probs, backoffs = _on_tree(model, symbols, trie)
        sums = masses(trie, log_probs, backoffs)
        probs += one * np.exp(log_probs)
        left += one * sums.left
        total += one * sums.total
    with np.errstate(divide="ignore"):
        log_probs = np.log(probs)
    return ngram_model(symbols, models[0].unit, trie, log_probs, fitting_backoffs(trie, log_probs, Masses(left, total)))


def best_weights(models: Sequence[NgramModel], held_out: Sequence[str]) -> list[float]:
    """Find the weights with which the mixture gives held-out text the highest probability.

    Args:
        models: models with the same unit.
        held_out: sentences that none of the models was estimated from.

    Returns:
        One weight for each model; they sum to one.

    Raises:
        DataError: the models do not know any symbol of the text.

    >>> from asr.lm.corpus import Corpus
    >>> from asr.lm.counting import count_ngrams
    >>> from asr.lm.kneser_ney import estimate_from_counts
    >>> texts = ["to be or not to be", "not now"]
    >>> models = [estimate_from_counts(count_ngrams(Corpus.of([one], "words"), 2)) for one in texts]
    >>> [round(one, 2) for one in best_weights(models, ["now or not now"])]
    [0.32, 0.68]
    """
    predictions = [predict(model, held_out) for model in models]
    probs = np.stack([np.where(one.known, np.exp(one.log_prob), 0.0) for one in predictions])
    probs = probs[:, probs.any(axis=0)]
    if not probs.size:
        raise DataError("the models do not know any symbol of the held-out text; give another text")
    weights = np.full(len(models), 1.0 / len(models))
    for _ in range(_ROUNDS):
        parts = weights[:, None] * probs
        before, weights = weights, (parts / parts.sum(axis=0)).mean(axis=1)
        if np.abs(weights - before).max() < _CLOSE:
            break
    return [float(one) for one in weights]


def _shares(models: Sequence[NgramModel], weights: Sequence[float]) -> NDArray[np.float64]:
    units = sorted({model.unit for model in models})
    if len(units) != 1:
        raise ConfigError(f"the models have different units, {' and '.join(units)}; give models of one unit")
    share = np.array(weights, np.float64)
    if len(share) != len(models) or not (np.isfinite(share).all() and (share >= 0).all() and share.sum() > 0):
        raise ConfigError(f"{len(models)} models have the weights {weights}; give one weight above 0 for each model")
    scaled: NDArray[np.float64] = share / share.sum()
    return scaled


def _union(models: Sequence[NgramModel], symbols: Sequence[str]) -> Trie:
    """Return the tree of the n-grams of all models, and of all prefixes and suffixes of these."""
    number = {one: place for place, one in enumerate(symbols)}
    renumbered = [np.array([number[one] for one in model.symbols]) for model in models]
    order = max(model.trie.order for model in models)
    rows: list[NDArray[np.int64]] = []  # (K, n) symbols of the n-grams, from the longest to the shortest
    for length in range(order, 1, -1):
        found = [new[_rows(model.trie, length)] for new, model in zip(renumbered, models, strict=True)]
        rows.append(np.concatenate([*found, *(one[:, 1:] for one in rows[-1:])]))
    trie = unigrams(len(symbols))
    for some in reversed(rows):
        node = some[:, 0] + 1
        for column in some[:, 1:-1].T:
            node = trie.find(node, column)
        trie = extended(trie, np.unique(node * trie.n_symbols + some[:, -1]))
    return trie


def _rows(trie: Trie, length: int) -> NDArray[np.int64]:
    """Return (K, length) the numbers of the symbols of all n-grams of a length."""
    level = trie.level(length)
    rows = np.empty((level.stop - level.start, length), np.int64)
    node: Nodes = np.arange(level.start, level.stop)
    for place in range(length - 1, -1, -1):
        rows[:, place] = trie.symbol[node]
        node = trie.parent[node]
    return rows


def _on_tree(model: NgramModel, symbols: Sequence[str], trie: Trie) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (M,) log probabilities and (M,) back-off weights that a model gives to the n-grams of a larger tree.

    The log probability is `-inf` for symbols that the model does not know; the weight is 0 for n-grams that are not
    contexts of the model.
    """
    log_probs, backoffs = model.log_probs.astype(np.float64), model.backoffs.astype(np.float64)
    symbol = np.array([model.index.get(one, NONE) for one in symbols])
    own = np.full(len(trie), NONE, np.int64)  # the model's node of each n-gram
    own[ROOT] = ROOT
    found = np.zeros(len(trie))
    for length in range(1, trie.order + 1):
        level = trie.level(length)
        context = own[trie.parent[level]]
        own[level] = model.trie.find(context, symbol[trie.symbol[level]])
        shorter = found[trie.suffix[level]] if length > 1 else np.full(level.stop - level.start, -np.inf)
        backed = shorter + np.where(context == NONE, 0.0, backoffs[context])
        found[level] = np.where(own[level] == NONE, backed, log_probs[own[level]])
    return found, np.where(own == NONE, 0.0, backoffs[own])
