"""Language models that are small enough to be seen right: a bigram with back-off, and a recurrent one in its manner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from asr.lm.automaton import NONE, Automaton
from asr.lm.model import BEGIN, END, UNKNOWN, Unit


@dataclass(frozen=True)
class Complete:
    """An automaton that is whole from the beginning."""

    whole: Automaton
    complete: bool = True

    def expanded(self, states: NDArray[np.int32]) -> Automaton:
        return self.whole


@dataclass(frozen=True)
class ToyBigram:
    """A random bigram: some symbols have arcs in a context, the others come from the root with a back-off weight."""

    symbols: tuple[str, ...]
    seed: int = 0
    unit: Unit = "characters"

    @classmethod
    def of(cls, labels: Sequence[str], seed: int = 0, unit: Unit = "characters", unknown: bool = True) -> ToyBigram:
        symbols = (BEGIN, END, *((UNKNOWN,) if unknown else ()), *("<space>" if one == " " else one for one in labels))
        return cls(symbols, seed, unit)

    def automaton(self) -> Complete:
        rng = np.random.default_rng(self.seed)
        n = len(self.symbols)
        first, symbol, log_prob, target = [0], [], [], []
        for state in range(n + 1):  # state n: the root; the others: behind their symbol
            arcs = np.arange(1, n) if state == n else np.flatnonzero(rng.random(n) < 0.5)
            arcs = arcs[arcs > 0]  # nothing begins twice
            symbol += arcs.tolist()
            log_prob += np.log(rng.dirichlet(np.ones(max(1, len(arcs))))[: len(arcs)] + 1e-3).tolist()
            target += arcs.tolist()
            first.append(len(symbol))
        return Complete(
            Automaton(
                first=np.array(first, dtype=np.int64),
                symbol=np.array(symbol, dtype=np.int32),
                log_prob=np.array(log_prob, dtype=np.float32),
                target=np.array(target, dtype=np.int32),
                backoff=np.log(rng.random(n + 1) * 0.9 + 0.05).astype(np.float32),
                shorter=np.array([n] * n + [NONE], dtype=np.int32),
                start=0,
                end=1,
                unknown=2 if UNKNOWN in self.symbols else NONE,
            )
        )


@dataclass
class Growing:
    """The arcs of a model whose states are whole contexts, each computed when it is asked for."""

    n_symbols: int
    seed: int
    complete: bool = False
    arcs: list[tuple[NDArray[np.float32], int] | None] = field(default_factory=lambda: [None])  # and the first target
    contexts: list[tuple[int, ...]] = field(default_factory=lambda: [(0,)])

    def expanded(self, states: NDArray[np.int32]) -> Automaton:
        for state in states.tolist():
            if self.arcs[state] is None:
                context = self.contexts[state]
                rng = np.random.default_rng([self.seed, *context])
                self.arcs[state] = np.log(rng.dirichlet(np.ones(self.n_symbols - 1))).astype(np.float32), len(self.arcs)
                for one in range(1, self.n_symbols):
                    self.arcs.append(None)
                    self.contexts.append((*context, one))
        known = [(np.zeros(0, dtype=np.float32), 0) if one is None else one for one in self.arcs]
        sizes = [len(one) for one, _ in known]
        return Automaton(
            first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            symbol=np.concatenate([np.arange(1, n + 1) for n in sizes]).astype(np.int32),
            log_prob=np.concatenate([one for one, _ in known]),
            target=np.concatenate(
                [at + np.arange(n) for (_, at), n in zip(known, sizes, strict=True)]
            ).astype(np.int32),
            backoff=np.zeros(len(known), dtype=np.float32),
            shorter=np.full(len(known), NONE, dtype=np.int32),
            start=0,
            end=1,
        )  # fmt: skip


@dataclass(frozen=True)
class ToyRecurrent:
    """A model of all contexts: it knows nothing of a state before it is asked."""

    symbols: tuple[str, ...]
    seed: int = 0
    unit: Unit = "characters"

    @classmethod
    def of(cls, labels: Sequence[str], seed: int = 0) -> ToyRecurrent:
        return cls((BEGIN, END, *("<space>" if one == " " else one for one in labels)), seed)

    def automaton(self) -> Growing:
        return Growing(len(self.symbols), self.seed)
