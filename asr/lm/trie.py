"""N-grams as a tree in flat arrays: every n-gram is a node; its context (all but its last symbol) is its parent.

Nodes are sorted by (length, parent, symbol). The pair (parent, symbol) is then a sorted key: one binary search over one
array finds n-grams of any length, and no Python loop over n-grams is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from asr.lm.automaton import NONE

ROOT = 0
"""The node of the empty n-gram."""

LONGEST = 64
"""The most symbols in an n-gram; only malicious files have longer ones."""

Nodes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Trie:
    """A tree of M nodes: the empty n-gram (the root) and n-grams 1..M-1; every symbol is a 1-gram.

    Attributes:
        parent: (M,) int64, the node of the context; `NONE` for the root.
        symbol: (M,) int32, the last symbol; `NONE` for the root.
        levels: the n-grams of length n are the nodes `levels[n]` to `levels[n + 1] - 1`.
        n_symbols: V, how many symbols there are; the 1-gram of symbol v is node 1 + v.

    >>> trie = extended(unigrams(3), keys=np.array([5, 8]))  # adds the 2-grams (0, 2) and (1, 2)
    >>> trie.level(2)
    slice(4, 6, None)
    >>> trie.find(np.array([1, 1]), np.array([2, 0])).tolist()  # (0, 2) and (0, 0), which is missing
    [4, -1]
    """

    parent: Nodes
    symbol: NDArray[np.int32]
    levels: tuple[int, ...]
    n_symbols: int

    def __len__(self) -> int:
        return len(self.parent)

    @property
    def order(self) -> int:
        """The length of the longest n-grams."""
        return len(self.levels) - 2

    def level(self, length: int) -> slice:
        """Return the nodes of the n-grams of a length as a slice; it is empty for a length above the order."""
        return (
            slice(self.levels[length], self.levels[length + 1]) if length <= self.order else slice(len(self), len(self))
        )

    @cached_property
    def keys(self) -> Nodes:
        """(M - 1,) int64, sorted: parent * V + symbol of each node but the root."""
        return self.parent[1:] * self.n_symbols + self.symbol[1:]

    def find(self, parents: Nodes, symbols: NDArray[np.integer]) -> Nodes:
        """Look up n-grams by context and last symbol.

        Args:
            parents: (K,) nodes of the contexts, or `NONE`.
            symbols: (K,) last symbols, or `NONE`.

        Returns:
            (K,) int64 nodes; `NONE` for an n-gram that the tree lacks.
        """
        wanted = parents.astype(np.int64) * self.n_symbols + symbols
        at = np.searchsorted(self.keys, wanted)
        at[at == len(self.keys)] = 0
        return np.where((self.keys[at] == wanted) & (parents >= 0) & (symbols >= 0), at + 1, NONE)

    @cached_property
    def suffix(self) -> Nodes:
        """(M,) int64, the node of the longest proper suffix of each n-gram that is in the tree; `NONE` for the root."""
        suffix = np.zeros(len(self), np.int64)
        suffix[ROOT] = NONE
        for length in range(2, self.order + 1):
            level = self.level(length)
            symbol, context = self.symbol[level], suffix[self.parent[level]]
            found, there = self._nearest(context, symbol)
            open_ = np.flatnonzero(~there)
            while len(open_):  # ends: the root has every symbol
                context[open_] = suffix[context[open_]]
                found[open_], there = self._nearest(context[open_], symbol[open_])
                open_ = open_[~there]
            suffix[level] = found
        return suffix

    def _nearest(self, parents: Nodes, symbols: NDArray[np.integer]) -> tuple[Nodes, NDArray[np.bool_]]:
        """Return a node for each n-gram, and whether it is the n-gram; as `find`, but faster, and without `NONE`."""
        wanted = parents * self.n_symbols
        wanted += symbols
        at = np.searchsorted(self.keys, wanted)
        np.minimum(at, len(self.keys) - 1, out=at)
        there = self.keys[at] == wanted
        at += 1
        return at, there

    @cached_property
    def length(self) -> NDArray[np.int32]:
        """(M,) int32, the length of each n-gram."""
        return np.repeat(np.arange(len(self.levels) - 1, dtype=np.int32), np.diff(self.levels))

    @cached_property
    def has_children(self) -> NDArray[np.bool_]:
        """(M,) whether each n-gram is the context of a longer one."""
        found = np.zeros(len(self), np.bool_)
        found[self.parent[1:]] = True
        return found

    def sums(self, values: NDArray[np.number]) -> NDArray[np.float64]:
        """Return (M,) for each node the sum of the values of its children; `values` is (M,)."""
        return np.bincount(self.parent[1:], weights=values[1:], minlength=len(self)).astype(np.float64, copy=False)

    def kept(self, keep: NDArray[np.bool_]) -> tuple[Trie, Nodes]:
        """Return the tree without some n-grams.

        Args:
            keep: (M,) whether each n-gram stays; true for the root, every 1-gram, and the context of an n-gram that
                stays.

        Returns:
            The new tree, and for each of its nodes the node in this tree.
        """
        nodes = np.flatnonzero(keep)
        number = np.cumsum(keep) - 1
        parent = np.where(self.parent[nodes] == NONE, NONE, number[self.parent[nodes]])
        levels = np.searchsorted(nodes, self.levels).tolist()
        return Trie(parent, self.symbol[nodes], trimmed(levels), self.n_symbols), nodes


def trimmed(levels: list[int]) -> tuple[int, ...]:
    """Remove empty levels from the end of `Trie.levels`; the level of 1-grams stays."""
    while len(levels) > 3 and levels[-1] == levels[-2]:
        levels = levels[:-1]
    return tuple(levels)


def unigrams(n_symbols: int) -> Trie:
    """Return the tree of the root and the 1-grams."""
    parent = np.zeros(n_symbols + 1, np.int64)
    symbol = np.arange(-1, n_symbols, dtype=np.int32)
    parent[ROOT] = NONE
    return Trie(parent, symbol, (0, 1, n_symbols + 1), n_symbols)


def extended(trie: Trie, keys: Nodes) -> Trie:
    """Return a tree with one more level: n-grams one symbol longer than the longest.

    Args:
        trie: the tree to extend.
        keys: (K,) parent * V + symbol of the new n-grams, sorted, without repeats; parents are nodes of the last level.
    """
    parent = np.concatenate([trie.parent, keys // trie.n_symbols])
    symbol = np.concatenate([trie.symbol, (keys % trie.n_symbols).astype(np.int32)])
    return Trie(parent, symbol, (*trie.levels, len(parent)), trie.n_symbols)


def tree_of(parent: NDArray[np.int64], symbol: NDArray[np.int32], n_symbols: int) -> Trie:
    """Make a tree of (M,) parents and (M,) symbols, which are sorted by the length of the n-grams.

    Raises:
        ValueError: the symbols after a context are not sorted or out of range, or an n-gram is longer than `LONGEST`.
    """
    levels = [0, 1]
    while levels[-1] < len(parent) and len(levels) < LONGEST + 2:
        levels.append(int(np.searchsorted(parent, levels[-1])))  # the next level ends where parents leave this one
    if levels[-1] < len(parent):
        raise ValueError(f"it has n-grams of more than {LONGEST} symbols")
    trie = Trie(parent, symbol, tuple(levels), n_symbols)
    if (symbol[1:] < 0).any() or (symbol[1:] >= n_symbols).any() or (np.diff(trie.keys) <= 0).any():
        raise ValueError("the symbols after a context are not sorted")
    return trie
