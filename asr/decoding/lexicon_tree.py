"""The prefix tree of the spellings of a lexicon, in flat arrays.

Nodes are numbered level by level, and within a level in the order of their spellings. So the children of a node have
consecutive numbers, sorted by label, and one array of first children describes the whole tree: 60,000 words take a few
MB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.decoding.lexicon_file import CODE, Lexicon


@dataclass(frozen=True, eq=False)
class Tree:
    """A tree with nodes 0..N-1; node 0 is the root. A node stands for the labels on the way to it.

    Attributes:
        first: (N + 1,) int32; the children of node n are the nodes `first[n]` to `first[n + 1] - 1`.
        label: (N,) int32, the last label of each node; 0 for the root.
        parent: (N,) int32, the parent of each node; 0 for the root.
        first_word: (N + 1,) int32; the words that node n spells are `word[first_word[n] : first_word[n + 1]]`.
        word: (E,) int32, numbers of words.
        level: (D + 1,) int64; the nodes with d labels are `level[d]` to `level[d + 1] - 1`.
    """

    first: NDArray[np.int32]
    label: NDArray[np.int32]
    parent: NDArray[np.int32]
    first_word: NDArray[np.int32]
    word: NDArray[np.int32]
    level: NDArray[np.int64]


def tree_of(lexicon: Lexicon) -> Tree:
    """Build the tree of the spellings of a lexicon.

    >>> from asr.corpus.inventory import Inventory
    >>> from asr.decoding.lexicon_file import lexicon_of
    >>> inventory = Inventory(("<blank>", "a", "n", "t"), unit="characters")
    >>> tree = tree_of(lexicon_of(["an", "ant", "at"], inventory))
    >>> tree.label.tolist()  # the root, "a", "an", "at", "ant"
    [0, 1, 2, 3, 3]
    """
    order = sorted(range(len(lexicon.spellings)), key=lexicon.spellings.__getitem__)
    spellings = [lexicon.spellings[one] for one in order]
    flat = np.frombuffer("".join(spellings).encode("utf-32-le"), dtype=np.uint32).astype(np.int32) - CODE
    length = np.array([len(one) for one in spellings])  # (E,)
    offset = np.concatenate([[0], np.cumsum(length)[:-1]])  # (E,)
    shared = _shared(flat, offset, length)
    labels, parents = [np.zeros(1, np.int32)], [np.zeros(1, np.int32)]
    at = np.zeros(len(spellings), dtype=np.int64)  # the node of each spelling's labels so far
    levels = [0, 1]
    rows = np.arange(len(spellings))
    for depth in range(int(length.max())):
        rows = rows[length[rows] > depth]
        new = shared[rows] <= depth
        labels.append(flat[offset[rows[new]] + depth])
        parents.append(at[rows[new]].astype(np.int32))
        at[rows] = levels[-1] + np.cumsum(new) - 1
        levels.append(levels[-1] + int(new.sum()))
    parent, n_nodes = np.concatenate(parents), levels[-1]
    by_node = np.argsort(at, kind="stable")
    words = lexicon.word_of[np.array(order)[by_node]].astype(np.int32)
    first = 1 + _starts(parent[1:], n_nodes)
    return Tree(first, np.concatenate(labels), parent, _starts(at, n_nodes), words, np.array(levels))


def _shared(flat: NDArray[np.int32], offset: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (E,) how many labels at the beginning each spelling shares with the one before it, in sorted order."""
    shared = np.zeros(len(length), dtype=np.int64)
    rows = np.arange(1, len(length))
    depth = 0
    while len(rows):
        rows = rows[(length[rows] > depth) & (length[rows - 1] > depth)]
        rows = rows[flat[offset[rows] + depth] == flat[offset[rows - 1] + depth]]
        depth += 1
        shared[rows] = depth
    return shared


def _starts(owners: NDArray[np.int32] | NDArray[np.int64], n_nodes: int) -> NDArray[np.int32]:
    """Return (N + 1,) the index of the first item of each node; items are sorted by their owners."""
    counts = np.bincount(owners, minlength=n_nodes)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


def best_below(tree: Tree, of_word: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (N,) the largest value `of_word` (W,) among the words that each node or a node below it spells."""
    best = np.full(len(tree.label), -np.inf)
    counts = np.diff(tree.first_word)
    ends = np.flatnonzero(counts)
    best[ends] = np.maximum.reduceat(of_word[tree.word], tree.first_word[ends])
    for start, end in zip(tree.level[-2:0:-1], tree.level[:1:-1], strict=True):  # the deepest level first
        np.maximum.at(best, tree.parent[start:end], best[start:end])
    return best
