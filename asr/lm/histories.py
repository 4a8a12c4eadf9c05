"""Compute how often each context of a model occurs in text that the model itself generates.

The product of the model's probabilities does not answer this: Kneser-Ney smoothing gives a symbol a small 1-gram
probability if it is frequent after few other symbols only. This module treats the automaton as a Markov chain, in which
the end of a sentence leads back to the start, and computes the probability of its states.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asr.lm.automaton import NONE
from asr.lm.backoff import cumulated_backoffs, lower_log_probs
from asr.lm.ngram import NgramModel
from asr.lm.progress import Progress, silent

_STEPS = 64  # symbols to generate; the mean is over the second half, because a chain may be periodic


def context_probabilities(model: NgramModel, on_progress: Progress = silent) -> NDArray[np.float64]:
    """Return (M,) for each n-gram the share of all generated symbols that directly follow it; 1 for the root."""
    trie, chain = model.trie, _Chain(model)
    mass = np.zeros(len(model.arcs.shorter))
    mass[model.arcs.start] = 1.0
    share = np.zeros_like(mass)
    for step in range(_STEPS):
        if step >= _STEPS // 2:
            share += mass / (_STEPS - _STEPS // 2)
        mass = chain.after(mass)
        on_progress("weighting contexts", step + 1, _STEPS)
    whole = np.zeros(len(trie))
    whole[model.state_nodes] = share
    for length in range(trie.order, 0, -1):  # a symbol that follows a context follows all suffixes of the context, too
        level = trie.level(length)
        whole += np.bincount(trie.suffix[level], whole[level], len(trie))
    return whole


class _Chain:
    """A Markov chain over the states of a model.

    A state passes its mass, times its back-off weight, to the state of the shorter context, whose arcs move it on.
    Symbols for which the longer context has an arc of its own do not back off: their part is subtracted again.
    """

    def __init__(self, model: NgramModel) -> None:
        trie, arcs = model.trie, model.arcs
        log_probs, backoffs = model.log_probs.astype(np.float64), model.backoffs.astype(np.float64)
        behind = slice(trie.levels[2], len(trie)) if trie.order > 1 else slice(len(trie), len(trie))
        lower = lower_log_probs(trie, log_probs, cumulated_backoffs(trie, backoffs), behind)
        self._state = np.repeat(np.arange(len(arcs.shorter)), np.diff(arcs.first))
        self._prob = np.exp(log_probs[1:])
        self._target = arcs.target.copy()
        if arcs.end != NONE:
            self._target[model.trie.symbol[1:] == arcs.end] = arcs.start
        self._excess = np.exp(lower + backoffs[trie.parent[behind]])
        self._behind = self._state[behind.start - 1 :]
        self._instead = self._target[trie.suffix[behind] - 1]
        self._passed, self._shorter = np.exp(arcs.backoff.astype(np.float64)), arcs.shorter
        self._lengths = np.searchsorted(model.state_nodes, trie.levels)  # where the states of each length begin

    def after(self, mass: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (S,) the probability of each state one symbol later, given (S,) that of each state now."""
        size, mass = len(mass), mass.copy()
        for low, high in zip(self._lengths[-2:0:-1], self._lengths[:0:-1], strict=False):
            mass += np.bincount(self._shorter[low:high], mass[low:high] * self._passed[low:high], size)
        moved = np.bincount(self._target, mass[self._state] * self._prob, size)
        moved -= np.bincount(self._instead, mass[self._behind] * self._excess, size)
        np.maximum(moved, 0.0, out=moved)
        total: NDArray[np.float64] = moved / moved.sum()
        return total
