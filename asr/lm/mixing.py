"""Linear interpolation of models into one: p(w | h) = sum_i weight_i p_i(w | h), for the n-grams of any of them.

The mixture has the n-grams of all models, with these probabilities, and back-off weights for everything else. The
best weights give held-out text the highest probability; expectation maximisation finds them (the likelihood has one
maximum, so that the start does not matter).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asr.errors import ConfigError, DataError
from asr.lm.automaton import NONE
from asr.lm.backoff import Masses, fitting_backoffs, masses
from asr.lm.ngram import NgramModel, model_of
from asr.lm.perplexity import predict
from asr.lm.trie import ROOT, Nodes, Trie, extended, unigrams

_ROUNDS = 500
_CLOSE = 1e-6


def mixed(models: Sequence[NgramModel], weights: Sequence[float]) -> NgramModel:
    """Mix models.

    A model gives a symbol that it does not know the probability 0; the weights of the others are not raised.

    Args:
        models: of one unit; at least one.
        weights: one for each, above 0; they are scaled to sum to one.

    Raises:
        ConfigError: the models have different units, or a weight is not a number above 0.
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
    return model_of(symbols, models[0].unit, trie, log_probs, fitting_backoffs(trie, log_probs, Masses(left, total)))


def best_weights(models: Sequence[NgramModel], held_out: Sequence[str]) -> list[float]:
    """Find the weights with which the mixture gives held-out text the highest probability.

    Args:
        models: of one unit.
        held_out: sentences that none of them was estimated from.

    Raises:
        DataError: none of the models knows a symbol of the text.
    """
    predictions = [predict(model, held_out) for model in models]
    probs = np.stack([np.where(one.known, np.exp(one.log_prob), 0.0) for one in predictions])
    probs = probs[:, probs.any(axis=0)]
    if not probs.size:
        raise DataError("the held-out text has no symbol that the models know; give another")
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
        raise ConfigError(f"models of {' and '.join(units)} cannot be mixed; give models of one unit")
    share = np.array(weights, np.float64)
    if len(share) != len(models) or not (np.isfinite(share).all() and (share >= 0).all() and share.sum() > 0):
        raise ConfigError(f"{len(models)} models cannot be mixed with the weights {weights}; give one above 0 for each")
    scaled: NDArray[np.float64] = share / share.sum()
    return scaled


def _union(models: Sequence[NgramModel], symbols: Sequence[str]) -> Trie:
    """Return the tree of the n-grams of all models, and of all n-grams that these begin or end with."""
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
    """Return (K, length) the symbols of all n-grams of a length."""
    level = trie.level(length)
    rows = np.empty((level.stop - level.start, length), np.int64)
    node: Nodes = np.arange(level.start, level.stop)
    for place in range(length - 1, -1, -1):
        rows[:, place] = trie.symbol[node]
        node = trie.parent[node]
    return rows


def _on_tree(model: NgramModel, symbols: Sequence[str], trie: Trie) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (M,) the log probabilities and back-off weights that a model gives the n-grams of a larger tree.

    The log probability is `-inf` for unknown symbols; the weight is 0 for n-grams that are no contexts of the model.
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
