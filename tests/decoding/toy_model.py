"""A bigram that is small enough to be seen right, whole from the beginning or grown state by state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from asr.lm.automaton import NONE, Automaton
from asr.lm.model import Unit


@dataclass
class ToyModel:
    """log p(symbol | symbol before) by row and column; the row of the last symbol, the end, is the beginning.

    Attributes:
        unit: of its symbols.
        symbols: the last one ends a sentence.
        table: (S, S) natural logarithms.
        grows: give a state arcs only when they are asked for.
        has_end: whether its automaton knows the end.
        unknown: as of `Automaton`.
    """

    unit: Unit
    symbols: Sequence[str]
    table: NDArray[np.float64]
    grows: bool = False
    has_end: bool = True
    unknown: int = NONE
    asked: list[list[int]] = field(default_factory=list)

    def automaton(self) -> ToyAutomaton:
        return ToyAutomaton(self)

    def log_probability(self, symbols: Sequence[int]) -> float:
        """The definition."""
        last = len(self.symbols) - 1
        path = [last, *symbols, *([last] if self.has_end else [])]
        return float(sum(self.table[a, b] for a, b in pairwise(path)))


class ToyAutomaton:
    """One state a symbol; states without arcs fail loudly."""

    def __init__(self, model: ToyModel) -> None:
        self._model = model
        n = len(model.symbols)
        self._known = set() if model.grows else set(range(n))

    @property
    def complete(self) -> bool:
        return not self._model.grows

    def expanded(self, states: NDArray[np.int32]) -> Automaton:
        self._model.asked.append(states.tolist())
        self._known |= set(states.tolist())
        n = len(self._model.symbols)
        sizes = [n if state in self._known else 0 for state in range(n)]
        rows = [state for state in range(n) if sizes[state]]
        return Automaton(
            first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            symbol=np.tile(np.arange(n, dtype=np.int32), len(rows)),
            log_prob=self._model.table[rows].astype(np.float32).reshape(-1),
            target=np.tile(np.arange(n, dtype=np.int32), len(rows)),
            backoff=np.zeros(n, np.float32),
            shorter=np.full(n, NONE, np.int32),
            start=n - 1,
            end=n - 1 if self._model.has_end else NONE,
            unknown=self._model.unknown,
        )


def toy_model(unit: Unit, symbols: Sequence[str], seed: int = 0, **more: bool | int) -> ToyModel:
    """A model with random probabilities."""
    table = np.random.default_rng(seed).normal(size=(len(symbols), len(symbols)))
    return ToyModel(unit, symbols, table - np.log(np.exp(table).sum(1, keepdims=True)), **more)  # type: ignore[arg-type]
