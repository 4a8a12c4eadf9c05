"""Small language models with random numbers, for searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.lm.automaton import NONE, Automaton
from asr.lm.model import BEGIN, END, UNKNOWN, Unit


@dataclass(frozen=True, eq=False)
class ToyModel:
    """A bigram model whose states are the empty context and, for some symbols, the symbol before."""

    unit: Unit
    symbols: tuple[str, ...]
    arcs: Automaton
    grows: bool = False

    def automaton(self) -> Growing:
        return Growing(self.arcs, not self.grows)


@dataclass(eq=False)
class Growing:
    """The automaton, or one that has the arcs of only those states that were asked for."""

    whole: Automaton
    complete: bool

    def expanded(self, states: NDArray[np.int32]) -> Automaton:
        if self.complete:
            return self.whole
        asked = {int(one) for one in states}
        for one in list(asked):
            while (one := int(self.whole.shorter[one])) != NONE:
                asked.add(one)
        return _only(self.whole, asked)


def _only(arcs: Automaton, states: set[int]) -> Automaton:
    kept = np.concatenate(
        [np.arange(arcs.first[one], arcs.first[one + 1]) for one in sorted(states)] or [np.zeros(0, np.int64)]
    ).astype(np.int64)
    counts = [int(arcs.first[one + 1] - arcs.first[one]) * (one in states) for one in range(len(arcs.backoff))]
    first = np.concatenate([[0], np.cumsum(counts)])
    return Automaton(
        first,
        arcs.symbol[kept],
        arcs.log_prob[kept],
        arcs.target[kept],
        arcs.backoff,
        arcs.shorter,
        arcs.start,
        arcs.end,
        arcs.unknown,
    )


def toy_bigram(rng: np.random.Generator, words: Sequence[str], unit: Unit, grows: bool = False) -> ToyModel:
    """Make a model with random arcs: state 0 is the root, state 1 the beginning, the others some of the symbols.

    Args:
        rng: gives the numbers.
        words: its symbols, beside `<s>`, `</s>` and `<unk>`.
        unit: what they are.
        grows: whether states have their arcs only after they were asked for.
    """
    symbols = (BEGIN, END, UNKNOWN, *words)
    contexts = [0, *(one for one in range(3, len(symbols)) if rng.random() < 0.7)]  # symbols that have a state
    state_of = {symbol: 1 + place for place, symbol in enumerate(contexts)}
    first, symbol, target = [0], [], []
    for state in range(1 + len(contexts)):
        read = [one for one in range(1, len(symbols)) if state == 0 or rng.random() < 0.5]
        symbol += read
        target += [state_of.get(one, 0) for one in read]
        first.append(len(symbol))
    n_states = len(first) - 1
    arcs = Automaton(
        np.array(first),
        np.array(symbol, np.int32),
        rng.uniform(-4, -0.1, len(symbol)).astype(np.float32),
        np.array(target, np.int32),
        np.concatenate([[0], rng.uniform(-2, 0.5, n_states - 1)]).astype(np.float32),
        np.array([NONE] + [0] * (n_states - 1), np.int32),
        start=1,
        end=1,
        unknown=2,
    )
    return ToyModel(unit, symbols, arcs, grows)
