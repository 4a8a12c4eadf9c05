"""An n-gram model with back-off weights: the automaton that searches read, and its symbols."""

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
"""Log probabilities up to this one are `-inf`, which ARPA files cannot say; they write -99, to base 10."""

LARGEST_BACKOFF = 30.0 * math.log(10.0)
"""What a back-off weight of a file may be at most; a larger one is damage, and would outweigh all that was heard."""


@dataclass(frozen=True, eq=False)
class Complete:
    """An automaton of which every state has its arcs from the beginning."""

    automaton: Automaton
    complete: bool = True

    def expanded(self, states: NDArray[np.int32]) -> Automaton:
        """Return the automaton; nothing has to be computed."""
        return self.automaton


@dataclass(frozen=True, eq=False)
class NgramModel:
    """Katz's back-off form, in which every smoothing of n-grams can be written: a `LanguageModel`.

    Arc k of the automaton is the n-gram of node k + 1 of the tree; its states are the n-grams that are contexts.

    Attributes:
        symbols: the symbols by number; characters as they are, but `<space>` for the blank between words.
        unit: what they are.
        arcs: the automaton.
    """

    symbols: tuple[str, ...]
    unit: Unit
    arcs: Automaton

    def automaton(self) -> GrowingAutomaton:
        """Return the states and arcs, all of which are there already."""
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
        """(S,) int64, the node of each state's n-gram; the first arc to a state is that of its own n-gram."""
        before = np.concatenate([[0], np.maximum.accumulate(self.arcs.target)[:-1]])
        return np.concatenate([[ROOT], np.flatnonzero(self.arcs.target > before) + 1])

    @property
    def log_probs(self) -> NDArray[np.float32]:
        """(M,) float32, the log probability of each n-gram's last symbol behind its context; 0 for the root."""
        return np.concatenate([np.zeros(1, np.float32), self.arcs.log_prob])

    @property
    def backoffs(self) -> NDArray[np.float32]:
        """(M,) float32, the back-off weight of each n-gram as a context; 0 for n-grams that are none."""
        weights = np.zeros(len(self.arcs.symbol) + 1, np.float32)
        weights[self.state_nodes] = self.arcs.backoff
        return weights


def model_of(
    symbols: Iterable[str], unit: Unit, trie: Trie, log_probs: NDArray[np.floating], backoffs: NDArray[np.floating]
) -> NgramModel:
    """Make a model of a tree of n-grams.

    Args:
        symbols: V, by number.
        unit: what they are.
        trie: M - 1 n-grams and the root.
        log_probs: (M,) natural logarithms.
        backoffs: (M,) natural logarithms; 0 for n-grams that are no contexts.
    """
    symbols = tuple(symbols)
    is_state = trie.has_children | (backoffs != 0)
    is_state[ROOT] = True
    nearest = np.cumsum(is_state, dtype=np.int32) - 1  # the state of each node, or of the longest n-gram it ends with
    for length in range(1, trie.order + 1):
        level = trie.level(length)
        others = level.start + np.flatnonzero(~is_state[level])
        nearest[others] = nearest[trie.suffix[others]]
    nodes = np.flatnonzero(is_state)
    shorter = np.full(len(nodes), NONE, np.int32)
    shorter[1:] = nearest[trie.suffix[nodes[1:]]]
    at = {one: place for place, one in enumerate(symbols) if one in (BEGIN, END, UNKNOWN)}
    backoff = backoffs[nodes].astype(np.float32)
    backoff[ROOT] = 0.0  # nothing is behind the root
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
