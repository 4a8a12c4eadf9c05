"""The n-gram model with back-off weights: its symbols, and the automaton that searches read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from asr.lm.automaton import NONE, Automaton
from asr.lm.model import BEGIN, END, UNKNOWN, GrowingAutomaton, Unit
from asr.lm.trie import ROOT, Trie, tree_of

LEAST = -99.0 * math.log(10.0)
"""Log probabilities up to this one mean `-inf`; ARPA files write -99, to base 10, because they have no infinity."""

LARGEST_BACKOFF = 30.0 * math.log(10.0)
"""The largest back-off weight that a file may hold; a larger one is damage and would outweigh all posteriors."""


@dataclass(frozen=True, eq=False)
class Complete:
    """A `GrowingAutomaton` that is complete from the beginning."""

    automaton: Automaton
    complete: bool = True

    def expanded(self, states: NDArray[np.int32]) -> Automaton:
        """Return the automaton."""
        return self.automaton


@dataclass(frozen=True, eq=False)
class NgramModel:
    """An n-gram model in Katz's back-off form, which can express every smoothing: a `LanguageModel`.

    Arc k of the automaton is the n-gram of node k + 1 of the tree; the states are the n-grams that are contexts.

    Attributes:
        symbols: the symbols by number; in a model of characters, the blank is `<space>`.
        unit: the unit of the symbols.
        arcs: the automaton.
    """

    symbols: tuple[str, ...]
    unit: Unit
    arcs: Automaton

    def automaton(self) -> GrowingAutomaton:
        """Return the states and arcs; they are complete."""
        return Complete(self.arcs)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The number of each symbol."""
        return {one: number for number, one in enumerate(self.symbols)}

    @cached_property
    def trie(self) -> Trie:
        """The n-grams as a tree."""
        arcs = self.arcs
        parent = np.concatenate([[NONE], np.repeat(self.state_nodes, np.diff(arcs.first))])
        symbol = np.concatenate([[NONE], arcs.symbol]).astype(np.int32)
        return tree_of(parent, symbol, len(self.symbols))

    @cached_property
    def state_nodes(self) -> NDArray[np.int64]:
        """(S,) int64, the node of each state's n-gram: the first arc that leads to a state is that of its n-gram."""
        before = np.concatenate([[0], np.maximum.accumulate(self.arcs.target)[:-1]])
        return np.concatenate([[ROOT], np.flatnonzero(self.arcs.target > before) + 1])

    @property
    def log_probs(self) -> NDArray[np.float32]:
        """(M,) float32, the log probability of each n-gram's last symbol given its context; 0 for the root."""
        return np.concatenate([np.zeros(1, np.float32), self.arcs.log_prob])

    @property
    def backoffs(self) -> NDArray[np.float32]:
        """(M,) float32, the back-off weight of each n-gram as a context; 0 for n-grams that are not states."""
        weights = np.zeros(len(self.arcs.symbol) + 1, np.float32)
        weights[self.state_nodes] = self.arcs.backoff
        return weights


def ngram_model(
    symbols: Iterable[str], unit: Unit, trie: Trie, log_probs: NDArray[np.floating], backoffs: NDArray[np.floating]
) -> NgramModel:
    """Make a model of a tree of n-grams.

    Args:
        symbols: V symbols by number.
        unit: the unit of the symbols.
        trie: the root and M - 1 n-grams.
        log_probs: (M,) natural logarithm of p(last symbol | context); the root's is not read.
        backoffs: (M,) natural logarithm of the back-off weight; 0 for n-grams that are not contexts.
    """
    symbols = tuple(symbols)
    is_state = trie.has_children | (backoffs != 0)
    is_state[ROOT] = True
    nearest = np.cumsum(is_state, dtype=np.int32) - 1  # the state of each node, or of its longest suffix that is one
    for length in range(1, trie.order + 1):
        level = trie.level(length)
        others = level.start + np.flatnonzero(~is_state[level])
        nearest[others] = nearest[trie.suffix[others]]
    nodes = np.flatnonzero(is_state)
    shorter = np.full(len(nodes), NONE, np.int32)
    shorter[1:] = nearest[trie.suffix[nodes[1:]]]
    at = {one: place for place, one in enumerate(symbols) if one in (BEGIN, END, UNKNOWN)}
    backoff = backoffs[nodes].astype(np.float32)
    backoff[ROOT] = 0.0  # the root has no shorter context
    log_prob = log_probs[1:].astype(np.float32)
    if BEGIN in at:
        log_prob[at[BEGIN]] = -np.inf  # context only
    automaton = Automaton(
        first=np.concatenate([np.searchsorted(trie.parent[1:], nodes), [len(trie) - 1]]).astype(np.int64),
        symbol=trie.symbol[1:],
        log_prob=log_prob,
        target=nearest[1:],
        backoff=backoff,
        shorter=shorter,
        start=int(nearest[1 + at[BEGIN]]) if BEGIN in at else 0,
        end=at.get(END, NONE),
        unknown=at.get(UNKNOWN, NONE),
    )
    return NgramModel(symbols, unit, automaton)
