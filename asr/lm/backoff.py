"""Compute back-off weights from probabilities, so that the probabilities behind every context sum to a given total."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.lm.trie import ROOT, Trie

_LEAST = 1e-9  # the least probability that a context leaves to symbols without an arc


def lower_log_probs(
    trie: Trie, log_probs: NDArray[np.float64], cumulated: NDArray[np.float64], nodes: slice
) -> NDArray[np.float64]:
    """Return the log probability of each n-gram's last symbol behind the context without its first symbol.

    Args:
        trie: M nodes.
        log_probs: (M,) of each n-gram.
        cumulated: (M,) sums of back-off weights, see `cumulated_backoffs`; those of shorter contexts are read.
        nodes: which n-grams; of length 2 or more.
    """
    found, context = trie.suffix[nodes], trie.suffix[trie.parent[nodes]]
    lower: NDArray[np.float64] = log_probs[found] + cumulated[context] - cumulated[trie.parent[found]]
    return lower


def cumulated_backoffs(trie: Trie, backoffs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (M,) of each context, the sum of its back-off weight and those of all contexts that it ends with."""
    cumulated = np.zeros(len(trie))
    for length in range(1, trie.order + 1):
        level = trie.level(length)
        cumulated[level] = backoffs[level] + cumulated[trie.suffix[level]]
    return cumulated


@dataclass(frozen=True, eq=False)
class Masses:
    """The division of the probability behind each context.

    Attributes:
        left: (M,) float64, the probability that a context leaves to symbols that it has no n-gram with.
        total: (M,) float64, `left` and the context's n-grams together: near one; rounded in 8-bit models.
    """

    left: NDArray[np.float64]
    total: NDArray[np.float64]


def masses(trie: Trie, log_probs: NDArray[np.float64], backoffs: NDArray[np.float64]) -> Masses:
    """Add up the probabilities behind each context, as the model gives them with its back-off weights.

    Args:
        trie: M nodes.
        log_probs: (M,) of each n-gram.
        backoffs: (M,).
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

        b(h) = left(h) / (total(h') - sum_w p(w | h')), over the symbols w that h has an n-gram with

    Args:
        trie: M nodes.
        log_probs: (M,) of each n-gram.
        wanted: the masses that the weights shall give.
    """
    weights, cumulated = np.zeros(len(trie)), np.zeros(len(trie))
    for length in range(1, trie.order):
        contexts = trie.level(length)
        _, below = _child_sums(trie, log_probs, cumulated, length)
        open_ = wanted.total[trie.suffix[contexts]] - below
        # A context with an n-gram for every symbol leaves nothing open: its weight is never asked for.
        ratio = np.log(np.maximum(wanted.left[contexts], _LEAST)) - np.log(np.maximum(open_, _LEAST))
        weights[contexts] = np.where((open_ > _LEAST) & trie.has_children[contexts], ratio, 0.0)
        cumulated[contexts] = weights[contexts] + cumulated[trie.suffix[contexts]]
    return weights


def _child_sums(
    trie: Trie, log_probs: NDArray[np.float64], cumulated: NDArray[np.float64], length: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums over the n-grams of each context of a length: their probabilities, and those behind h'."""
    contexts, children = trie.level(length), trie.level(length + 1)
    at, size = trie.parent[children] - contexts.start, contexts.stop - contexts.start
    lower = lower_log_probs(trie, log_probs, cumulated, children)
    own: NDArray[np.float64] = np.bincount(at, np.exp(log_probs[children]), size).astype(np.float64, copy=False)
    return own, np.bincount(at, np.exp(lower), size).astype(np.float64, copy=False)
