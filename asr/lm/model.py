"""The interface of language models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from asr.lm.automaton import Automaton

Unit = Literal["characters", "labels", "words"]
"""The unit of symbols: characters of the text, labels such as phonemes, or words."""

BEGIN, END, UNKNOWN, SPACE = "<s>", "</s>", "<unk>", "<space>"
"""Special symbols, the same in every model file: the begin and the end of a sentence, any symbol that the model does
not know, and the blank between words in models of characters."""


class LanguageModel(Protocol):
    """A model of the probability of each symbol given the symbols before it."""

    @property
    def unit(self) -> Unit:
        """The unit of the symbols."""
        ...

    @property
    def symbols(self) -> Sequence[str]:
        """The symbols by number; in a model of characters, the blank is `SPACE`."""
        ...

    def automaton(self) -> GrowingAutomaton:
        """Return the states and arcs that a search reads, for one utterance or many."""
        ...


class GrowingAutomaton(Protocol):
    """An automaton that computes the arcs of some states only when a search asks for them.

    The automaton of an n-gram model is complete from the beginning. A recurrent network makes a state for each context
    that a search reaches, and computes the arcs of several states at a time.
    """

    @property
    def complete(self) -> bool:
        """True if the arcs of all states are computed, so that `expanded` need not be called again."""
        ...

    def expanded(self, states: NDArray[np.int32]) -> Automaton:
        """Compute the arcs of these states, and return the automaton; it includes the states that the arcs lead to."""
        ...
