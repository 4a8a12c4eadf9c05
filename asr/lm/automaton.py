"""A language model as the searches read it: states, and arcs that each read one symbol, in flat arrays.

A state stands for a context, the symbols before. The log probability of a symbol is that of its arc; where the state
has no arc for it, the search adds the state's back-off weight and goes to the state of the shorter context (Katz 1987).
The root, the empty context, has an arc for every symbol. Loops read these arrays directly, compiled or not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NONE = -1
"""The number that stands for no state or no symbol."""


@dataclass(frozen=True, eq=False)
class Automaton:
    """States 0..S-1 and their arcs; the arcs of a state stand together, sorted by symbol.

    Attributes:
        first: (S + 1,) int64; the arcs of state s are `first[s]` to `first[s + 1] - 1`.
        symbol: (A,) int32, what an arc reads.
        log_prob: (A,) float32, natural logarithms.
        target: (A,) int32, the state behind an arc.
        backoff: (S,) float32, natural logarithms; added on the way to the shorter context.
        shorter: (S,) int32, the state of the context without its first symbol; `NONE` for the root.
        start: the state before the first symbol of an utterance.
        end: the symbol that ends an utterance, or `NONE`.
        unknown: the symbol that stands for all that the model does not know, or `NONE`.
    """

    first: NDArray[np.int64]
    symbol: NDArray[np.int32]
    log_prob: NDArray[np.float32]
    target: NDArray[np.int32]
    backoff: NDArray[np.float32]
    shorter: NDArray[np.int32]
    start: int
    end: int = NONE
    unknown: int = NONE

    def step(self, state: int, symbol: int) -> tuple[float, int]:
        """Return the log probability of a symbol in a state, and the state behind it.

        Raises:
            ValueError: no state on the way to the root has an arc for the symbol.
        """
        weight = 0.0
        while state != NONE:
            low, high = int(self.first[state]), int(self.first[state + 1])
            at = low + int(np.searchsorted(self.symbol[low:high], symbol))
            if at < high and self.symbol[at] == symbol:
                return weight + float(self.log_prob[at]), int(self.target[at])
            weight += float(self.backoff[state])
            state = int(self.shorter[state])
        raise ValueError(f"the model has no symbol {symbol}")
