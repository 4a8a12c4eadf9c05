"""The interface that all language models share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from asr.lm.automaton import Automaton

Unit = Literal["characters", "labels", "words"]
"""The unit of symbols: characters of the text, labels such as phonemes, or words."""

BEGIN, END, UNKNOWN, SPACE = "<s>", "</s>", "<unk>", "<space>"
"""Symbols with the same meaning in every model file; `<space>` is the blank between words in models of characters."""


class LanguageModel(Protocol):
    """A model of the probability of each symbol, given the symbols before it."""

    @property
    def unit(self) -> Unit:
        """The unit of its symbols."""
        ...

    @property
    def symbols(self) -> Sequence[str]:
        """Its symbols by number; characters as they are, but the blank between words, which is `SPACE`."""
        ...

    def automaton(self) -> GrowingAutomaton:
        """Return the states and arcs for the search through one utterance or many."""
        ...


class GrowingAutomaton(Protocol):
    """An automaton of which some states may have to be computed before a search reads their arcs.

    That of an n-gram is whole from the beginning. A recurrent network makes a state for each context that a search
    arrives at, and computes the arcs of several states at a time.
    """

    @property
    def complete(self) -> bool:
        """Whether all states are computed already, and stay so."""
        ...

    def expanded(self, states: NDArray[np.int32]) -> Automaton:
        """Return the automaton with the arcs of these states, and with the states to which those arcs lead."""
        ...
