"""The arrays of the prefix beam search, and how they grow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.decoding.beam_loop import N_COUNTS, N_ENTRIES, N_NODES
from asr.lm.automaton import Automaton

_FIRST_NODES = 4096
_MOST_ROWS_BYTES = 32 << 20

Array = NDArray[Any]


class Prefixes:
    """The tree of prefixes and the entries of the beam; see `asr.decoding.beam_loop._advance`.

    Args:
        width: the most entries of the beam.
        n_labels: L, the size of the inventory.
        start: the state of the language model before the first symbol.
    """

    def __init__(self, width: int, n_labels: int, start: int) -> None:
        self.width, self.room = width, 3 * width
        self.counts, self.scale = np.zeros(N_COUNTS, dtype=np.int64), np.zeros(1)
        self.counts[[N_ENTRIES, N_NODES]] = 1
        self._make_nodes(_FIRST_NODES + width)
        self.parent[0], self.label[0], self.state[0], self.boost[0], self.factor[0], self.depth[0] = (
            0,
            0,
            start,
            1,
            1.0,
            0,
        )
        self.child[0], self.sibling[0], self.place[0] = -1, -1, 0
        self.node = np.zeros(width, dtype=np.int32)
        self.in_blank, self.in_label, self.new_blank, self.new_label = np.zeros((4, width))
        self.in_blank[0] = 1.0
        self.head, self.link = np.zeros((2, width), dtype=np.int32)
        self.mass, self.spare = np.zeros((2, self.room))
        self.source, self.added = np.zeros((2, self.room), dtype=np.int32)
        self.order, self.mark = np.zeros(n_labels, dtype=np.int32), np.zeros(n_labels, dtype=np.int64)

    def _make_nodes(self, n: int) -> None:
        whole = np.empty((9, n), dtype=np.int32)
        self.parent, self.label, self.state, self.boost, self.depth, self.born = whole[:6]
        self.child, self.sibling, self.place = whole[6:]
        self.factor = np.empty(n)

    @property
    def nodes(self) -> tuple[Array, ...]:
        """The arrays with one element for each node, in the order in which the loops take them."""
        return (
            self.parent, self.label, self.state, self.factor, self.boost, self.depth, self.born, self.child,
            self.sibling, self.place,
        )  # fmt: skip

    @property
    def entries(self) -> tuple[Array, ...]:
        """The arrays with one element for each entry, candidate or label, in the order in which the loops take them."""
        return (
            self.node, self.in_blank, self.in_label, self.new_blank, self.new_label, self.head, self.link,
            self.mass, self.source, self.added, self.spare, self.order, self.mark,
        )  # fmt: skip

    def needs_room(self) -> bool:
        """Return whether the next frame may add more nodes than the arrays have room for."""
        return bool(self.counts[N_NODES] + self.width > len(self.parent))

    def grow(self) -> None:
        """Double the room for nodes."""
        old, n = self.nodes, int(self.counts[N_NODES])
        self._make_nodes(2 * len(self.parent))
        for new, before in zip(self.nodes, old, strict=True):
            new[:n] = before[:n]


class Rows:
    """A cache of the arcs of a language model, with one row per state; it is kept from utterance to utterance.

    Args:
        n_symbols: the size of a row: L + 1, the labels and the end of the utterance.
        width: the most states that a frame may ask for.
    """

    def __init__(self, n_symbols: int, width: int) -> None:
        n = max(2 * width, _MOST_ROWS_BYTES // (12 * n_symbols))
        self.count, self.row_of = np.zeros(1, dtype=np.int64), np.full(1, -1, dtype=np.int32)
        self.row_state = np.empty(n, dtype=np.int32)
        self.factor, self.target = np.empty(n * n_symbols), np.empty(n * n_symbols, dtype=np.int32)
        self._width = width

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays of the cache, as the loops take them."""
        return (self.count, self.row_of, self.row_state, self.factor, self.target)

    def make_room(self, n_states: int) -> None:
        """Clear the cache if it may become full in the next frame; make `row_of` large enough for all states."""
        if self.count[0] + self._width > len(self.row_state):
            self.row_of[self.row_state[: self.count[0]]] = -1
            self.count[0] = 0
        if n_states > len(self.row_of):
            more = np.full(max(n_states, 2 * len(self.row_of)), -1, dtype=np.int32)
            more[: len(self.row_of)] = self.row_of
            self.row_of = more


def arcs(automaton: Automaton) -> tuple[Array, ...]:
    """Return the arrays of a language model in the order in which the loops take them, read-only."""
    arrays = (
        automaton.first, automaton.symbol, automaton.log_prob, automaton.target, automaton.backoff, automaton.shorter,
    )  # fmt: skip
    views = tuple(np.asarray(array).view() for array in arrays)
    for view in views:
        view.flags.writeable = False
    return views
