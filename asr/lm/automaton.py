"""The form of a language model that searches read: states and arcs in flat arrays.

A state stands for a context, the symbols before the next one. Each arc of a state reads one symbol and carries its log
probability. If a state has no arc for a symbol, the search adds the state's back-off weight and continues in the state
of the shorter context (Katz 1987). The root, the empty context, has an arc for every symbol. The loops of the searches
read these arrays directly, compiled or not.
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
        symbol: (A,) int32, the symbol that each arc reads.
        log_prob: (A,) float32, natural logarithms.
        target: (A,) int32, the state that each arc leads to.
        backoff: (S,) float32, natural logarithms, added on the way to the shorter context.
        shorter: (S,) int32, the state of the context without its first symbol; `NONE` for the root.
        start: the state before the first symbol of an utterance.
        end: the symbol that ends an utterance, or `NONE`.
        unknown: the symbol that stands for all symbols that the model does not know, or `NONE`.

    >>> from asr.lm.corpus import Corpus
    >>> from asr.lm.counting import count_ngrams
    >>> from asr.lm.kneser_ney import estimate_from_counts
    >>> corpus = Corpus.of(["to be", "or not to be"], "words")
    >>> model = estimate_from_counts(count_ngrams(corpus, order=2))
    >>> log_prob, state = model.arcs.step(model.arcs.start, model.index["to"])
    >>> round(log_prob, 2)  # of "to" at the beginning of a sentence
    -0.98
    >>> round(model.arcs.step(state, model.index["be"])[0], 2)  # of "be" after "to"
    -0.54
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
        """Read one symbol in a state, with back-off.

        Returns:
            The log probability of the symbol, and the next state.

        Raises:
            ValueError: the symbol is not in the model: no state on the way to the root has an arc for it.
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
