"""Count the n-grams of a corpus with array operations; the n-grams form a tree."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from asr.lm.corpus import SPECIAL, Corpus
from asr.lm.model import BEGIN, Unit
from asr.lm.progress import Progress, silent
from asr.lm.trie import Trie, extended, trimmed, unigrams

_BEGIN = SPECIAL.index(BEGIN)
_TABLE = 4  # a table is used if it is at most so many times as long as the list of keys


@dataclass(frozen=True, eq=False)
class Counts:
    """The number of occurrences of each n-gram.

    Attributes:
        symbols: V symbols by number, those of `SPECIAL` first.
        unit: the unit of the symbols.
        trie: the n-grams of length 1 to the order; each prefix and each suffix of an n-gram is included.
        count: (M,) int64, how often each n-gram occurs; 0 for the 1-gram `BEGIN`, which is context, never predicted.
    """

    symbols: tuple[str, ...]
    unit: Unit
    trie: Trie
    count: NDArray[np.int64]

    @cached_property
    def opens(self) -> NDArray[np.bool_]:
        """(M,) whether each n-gram starts with `BEGIN`."""
        opens = np.zeros(len(self.trie), np.bool_)
        opens[1 + _BEGIN] = True
        for length in range(2, self.trie.order + 1):
            level = self.trie.level(length)
            opens[level] = opens[self.trie.parent[level]]
        return opens


def count_ngrams(corpus: Corpus, order: int, on_progress: Progress = silent) -> Counts:
    """Count the n-grams of every length up to an order, within sentences.

    Args:
        corpus: sentences.
        order: the longest length, at least 1.
        on_progress: called for each length.

    >>> counts = count_ngrams(Corpus.of(["to be", "or not to be"], "words"), order=2)
    >>> to = counts.symbols.index("to")
    >>> int(counts.count[1 + to])  # nodes 1, 2, ... of the tree are the 1-grams
    2
    >>> len(counts.trie) - 1  # 7 symbols and 6 pairs
    13
    """
    trie = unigrams(len(corpus.symbols))
    node = corpus.stream.astype(np.int64) + 1  # the longest n-gram so far that ends at each symbol
    predicted = corpus.position > 0
    counts = [_count(node[predicted], corpus.weight[predicted], len(trie))]
    for length in range(2, order + 1):
        on_progress("counting", length - 1, order)
        ends = np.flatnonzero(corpus.position >= length - 1)
        most = (trie.levels[-1]) * trie.n_symbols
        keys, at = _numbered(node[ends - 1] * trie.n_symbols + corpus.stream[ends], most)
        counts.append(_count(at, corpus.weight[ends], len(keys)))
        node[ends] = len(trie) + at
        trie = extended(trie, keys)
    on_progress("counting", order, order)
    trie = Trie(trie.parent, trie.symbol, trimmed(list(trie.levels)), trie.n_symbols)
    return Counts(corpus.symbols, corpus.unit, trie, np.concatenate(counts))


def _numbered(keys: NDArray[np.int64], most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Do the same as `np.unique(keys, return_inverse=True)`, but faster.

    Few possible keys are marked in a table; otherwise keys are sorted with their place in the low bits.

    Args:
        keys: 0 or more, and less than `most`.
        most: the number of possible keys.
    """
    if most <= _TABLE * len(keys):
        there = np.zeros(most, np.bool_)
        there[keys] = True
        return np.flatnonzero(there), (np.cumsum(there, dtype=np.int32) - 1)[keys].astype(np.int64)
    bits = len(keys).bit_length()
    if most.bit_length() + bits > 63:
        different, number = np.unique(keys, return_inverse=True)
        return different, number
    packed = keys << bits
    packed |= np.arange(len(keys))
    packed.sort()
    place = packed & ((1 << bits) - 1)
    packed >>= bits
    starts = np.diff(packed, prepend=-1) != 0
    number = np.empty_like(keys)
    number[place] = np.cumsum(starts) - 1
    return packed[starts], number


def _count(number: NDArray[np.int64], weight: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Sum the weights of each number; exact up to 2 ** 53."""
    return np.bincount(number, weights=weight, minlength=size).astype(np.int64)
