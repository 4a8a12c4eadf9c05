"""Compute the back-off weights with which the probabilities after every context sum to a given total."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.lm.trie import ROOT, Trie

_LEAST = 1e-9  # the least probability that a context leaves to symbols that it has no n-gram with


def lower_log_probs(
    trie: Trie, log_probs: NDArray[np.float64], cumulated: NDArray[np.float64], nodes: slice
) -> NDArray[np.float64]:
    """Return log p(w | h') for n-grams hw, where h' is the context h without its first symbol.

    If the trie lacks h'w, the value is that of the longest shorter n-gram, plus the back-off weights of the contexts
    between them. All values are natural logarithms.

    Args:
        trie: M nodes.
        log_probs: (M,) log probability of each n-gram's last symbol given its context.
        cumulated: (M,) sums of back-off weights, see `cumulated_backoffs`; only contexts shorter than h are read.
        nodes: the n-grams hw, of length 2 or more.

    Returns:
        (K,) float64, one for each of the K `nodes`.
    """
    found, context = trie.suffix[nodes], trie.suffix[trie.parent[nodes]]
    lower: NDArray[np.float64] = log_probs[found] + cumulated[context] - cumulated[trie.parent[found]]
    return lower


def cumulated_backoffs(trie: Trie, backoffs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (M,) the sum of the back-off weights of each context and of all shorter contexts that it ends with."""
    cumulated = np.zeros(len(trie))
    for length in range(1, trie.order + 1):
        level = trie.level(length)
        cumulated[level] = backoffs[level] + cumulated[trie.suffix[level]]
    return cumulated


@dataclass(frozen=True, eq=False)
class Masses:
    """The probability after each context, divided into n-grams and the rest.

    Attributes:
        left: (M,) float64, the probability of all symbols that the context has no n-gram with.
        total: (M,) float64, `left` and the probabilities of the context's n-grams: about one; 8-bit models round it.
    """

    left: NDArray[np.float64]
    total: NDArray[np.float64]


def masses(trie: Trie, log_probs: NDArray[np.float64], backoffs: NDArray[np.float64]) -> Masses:
    """Sum the probabilities that a model with these back-off weights gives after each context.

    Args:
        trie: M nodes.
        log_probs: (M,) log probability of each n-gram.
        backoffs: (M,) back-off weight of each n-gram as a context.
    """
    cumulated = cumulated_backoffs(trie, backoffs)
    left, total = np.zeros(len(trie)), np.zeros(len(trie))
    total[ROOT] = np.exp(log_probs[trie.level(1)]).sum()
    for length in range(1, trie.order + 1):
        contexts = trie.level(length)
        own, below = _child_sums(trie, log_probs, cumulated, length)
        left[contexts] = np.exp(backoffs[contexts]) * np.maximum(total[trie.suffix[contexts]] - below, 0.0)
        total[contexts] = own + left[contexts]
    return Masses(left, total)


def fitting_backoffs(trie: Trie, log_probs: NDArray[np.float64], wanted: Masses) -> NDArray[np.float64]:
    """Return (M,) the back-off weights that give each context the wanted `left`.

        b(h) = left(h) / (total(h') - sum_w p(w | h')), summed over the symbols w that h has an n-gram with

    Args:
        trie: M nodes.
        log_probs: (M,) log probability of each n-gram.
        wanted: the masses that the model should have with the returned weights.
    """
    weights, cumulated = np.zeros(len(trie)), np.zeros(len(trie))
    for length in range(1, trie.order):
        contexts = trie.level(length)
        _, below = _child_sums(trie, log_probs, cumulated, length)
        open_ = wanted.total[trie.suffix[contexts]] - below
        # A context with an n-gram for every symbol never backs off: its weight does not matter.
        ratio = np.log(np.maximum(wanted.left[contexts], _LEAST)) - np.log(np.maximum(open_, _LEAST))
        weights[contexts] = np.where((open_ > _LEAST) & trie.has_children[contexts], ratio, 0.0)
        cumulated[contexts] = weights[contexts] + cumulated[trie.suffix[contexts]]
    return weights


def _child_sums(
    trie: Trie, log_probs: NDArray[np.float64], cumulated: NDArray[np.float64], length: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, for each context h of a length, sum_w p(w | h) and sum_w p(w | h') over its n-grams hw."""
    contexts, children = trie.level(length), trie.level(length + 1)
    at, size = trie.parent[children] - contexts.start, contexts.stop - contexts.start
    lower = lower_log_probs(trie, log_probs, cumulated, children)
    own: NDArray[np.float64] = np.bincount(at, np.exp(log_probs[children]), size).astype(np.float64, copy=False)
    return own, np.bincount(at, np.exp(lower), size).astype(np.float64, copy=False)
