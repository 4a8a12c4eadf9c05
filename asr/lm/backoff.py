"""Back-off weights from probabilities: what makes those behind every context sum to one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asr.lm.trie import ROOT, Trie

_LEAST = 1e-9  # probability that a context leaves at least to symbols without an arc


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


def normalised_backoffs(trie: Trie, log_probs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (M,) the back-off weights with which the probabilities behind every context sum to one.

        b(h) = (1 - sum_w p(w | h)) / (1 - sum_w p(w | h')), over the symbols w that h has an n-gram with

    Args:
        trie: M nodes.
        log_probs: (M,) of each n-gram; those behind a context sum to less than one.
    """
    weights = np.zeros(len(trie))
    cumulated = np.zeros(len(trie))
    for length in range(1, trie.order):
        contexts, children = trie.level(length), trie.level(length + 1)
        lower = np.exp(lower_log_probs(trie, log_probs, cumulated, children))
        at = trie.parent[children] - contexts.start
        size = contexts.stop - contexts.start
        left = 1.0 - np.bincount(at, np.exp(log_probs[children]), size)
        open_ = 1.0 - np.bincount(at, lower, size)
        # A context with an n-gram for every symbol leaves nothing open: its weight is never asked for.
        ratio = np.log(np.maximum(left, _LEAST)) - np.log(np.maximum(open_, _LEAST))
        weights[contexts] = np.where((open_ > _LEAST) & trie.has_children[contexts], ratio, 0.0)
        cumulated[contexts] = weights[contexts] + cumulated[trie.suffix[contexts]]
    weights[ROOT] = 0.0
    return weights
