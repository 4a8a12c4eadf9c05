"""The automaton of a recurrent model: it grows by the states that a search reaches.

A state stands for a whole text. When a search first reaches a state, the arcs are computed: one for every symbol, each
to a new state. Arrays can only grow at their ends, and the arcs of a state must stand together. So the arcs belong to
an additional state, the *expansion*, to which the original state backs off with weight 0.

States are kept until the utterance ends, so an utterance that would need more than `MOST_BYTES` raises an error.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from asr.engines.engine import FloatArray, IntArray
from asr.errors import DataError
from asr.lm.automaton import NONE, Automaton

N = TypeVar("N", bound=np.generic)

MOST_BYTES = 4 << 30
"""The most memory for the states of one utterance. While arrays are copied to grow, the old ones need memory, too."""

_LEAST = 64  # expanded states that the arrays have room for at first


class Stepping(Protocol):
    """The methods of `RecurrentModel` that `RecurrentAutomaton` calls."""

    @property
    def state_size(self) -> int:
        """V, the number of values in a state."""

    def before_text(self, n_texts: int) -> FloatArray:
        """Return the states (B, V) before the first symbol of B texts."""

    def step(self, states: FloatArray, symbols: IntArray) -> tuple[FloatArray, FloatArray]:
        """Read one symbol (B,) of each text; return the log probabilities (B, L) of the next, and the next states."""


class RecurrentAutomaton:
    """A `GrowingAutomaton` of a recurrent model. The end of a text leads back to the start.

    Args:
        model: computes states.
        end: the number of the symbol that ends a text; it is also read before the first symbol.
        unknown: the number of the symbol that stands for unknown symbols, or `NONE`.
    """

    complete = False

    def __init__(self, model: Stepping, end: int, unknown: int) -> None:
        self._model, self._end, self._unknown = model, end, unknown
        self._n_expanded = 0
        self._n_labels = 0  # L, known when the first state is expanded
        self._states = model.before_text(1)  # (capacity, V) the model's state of each expansion
        # Numbers of states: 0 is the start; expansion e has the number 1 + e (1 + L); the targets of its arcs follow.
        self._first: IntArray = np.zeros(2, dtype=np.int64)
        self._shorter: NDArray[np.int32] = np.full(1, NONE, dtype=np.int32)
        self._backoff = np.zeros(1, dtype=np.float32)
        self._symbol = np.zeros(0, dtype=np.int32)
        self._log_prob: FloatArray = np.zeros(0, dtype=np.float32)
        self._target = np.zeros(0, dtype=np.int32)

    @property
    def n_states(self) -> int:
        """The number of states."""
        return 1 + self._n_expanded * (1 + self._n_labels)

    def expanded(self, states: NDArray[np.int32]) -> Automaton:
        """Return the automaton with the arcs of these states; arcs that are missing are computed together.

        Args:
            states: numbers of states in any order, repeats allowed; no expansions.

        Raises:
            DataError: the utterance would take more memory than `MOST_BYTES`.
        """
        new = np.unique(np.asarray(states)[self._shorter[states] == NONE])
        if len(new):
            self._expand(new)
        n_states, n_arcs = self.n_states, self._n_expanded * self._n_labels
        return Automaton(
            first=self._first[: n_states + 1],
            symbol=self._symbol[:n_arcs],
            log_prob=self._log_prob[:n_arcs],
            target=self._target[:n_arcs],
            backoff=self._backoff[:n_states],
            shorter=self._shorter[:n_states],
            start=0,
            end=self._end,
            unknown=self._unknown,
        )

    def _expand(self, new: NDArray[np.int32]) -> None:
        """Compute the arcs of states (B,) that have no arcs yet."""
        width = 1 + self._n_labels
        parent = np.maximum(new - 1, 0) // width  # the expansion whose arc leads here
        symbols = np.where(new == 0, self._end, (new - 1) % width - 1).astype(np.int64)
        before = self._states[parent]
        before[new == 0] = self._model.before_text(1)
        log_probs, after = self._model.step(before, symbols)
        self._n_labels = n_labels = log_probs.shape[1]
        first = self._n_expanded
        most = MOST_BYTES // self._bytes
        if first + len(new) > most:
            raise DataError(
                f"a recurrent language model needs more than {most:,} states in one utterance, the most that fit into"
                f" {MOST_BYTES >> 20:,} MiB; divide the recording, make the beam smaller, or take an n-gram model"
            )
        self._n_expanded += len(new)
        self._grow(most)
        self._states[first : self._n_expanded] = after
        arcs = slice(first * n_labels, self._n_expanded * n_labels)
        self._log_prob[arcs] = log_probs.ravel()
        numbers = 1 + np.arange(first, self._n_expanded) * (1 + n_labels)  # of the expansions
        self._shorter[new] = numbers

    @property
    def _bytes(self) -> int:
        """Bytes per expansion: the model's state, the arcs, and the entries of the expansion and of the targets."""
        n_labels = self._n_labels
        per_state = self._first.itemsize + self._shorter.itemsize + self._backoff.itemsize
        per_arc = self._symbol.itemsize + self._log_prob.itemsize + self._target.itemsize
        return self._model.state_size * self._states.itemsize + (1 + n_labels) * per_state + n_labels * per_arc

    def _grow(self, most: int) -> None:
        """Make room for all expansions, and for as many again, but not for more than `most`."""
        if self._n_expanded <= len(self._symbol) // self._n_labels and len(self._symbol):
            return
        capacity, n_labels = min(max(_LEAST, 2 * self._n_expanded), most), self._n_labels
        n_states = 1 + capacity * (1 + n_labels)
        expansions = np.arange(capacity)
        with_arcs = np.zeros(n_states + 1, dtype=np.int64)
        with_arcs[2 + expansions * (1 + n_labels)] = n_labels
        self._first = np.cumsum(with_arcs)
        self._symbol = np.tile(np.arange(n_labels, dtype=np.int32), capacity)
        target = 2 + expansions[:, None] * (1 + n_labels) + np.arange(n_labels)
        target[:, self._end] = 0
        self._target = target.astype(np.int32).ravel()
        self._backoff = np.zeros(n_states, dtype=np.float32)
        self._shorter = _longer(self._shorter, n_states, NONE)
        self._log_prob = _longer(self._log_prob, capacity * n_labels, 0)
        self._states = _longer(self._states, capacity, 0)


def _longer(values: NDArray[N], length: int, fill: int) -> NDArray[N]:
    """Return an array of a greater length that begins with the values; `fill` fills the rest."""
    longer = np.full((length, *values.shape[1:]), fill, dtype=values.dtype)
    longer[: len(values)] = values
    return longer
