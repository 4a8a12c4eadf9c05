"""The interface that all language models share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from asr.lm.automaton import Automaton

Unit = Literal["characters", "labels", "words"]
"""What a symbol is: a character of the text, a label such as a phoneme, or a word."""

BEGIN, END, UNKNOWN, SPACE = "<s>", "</s>", "<unk>", "<space>"
"""Symbols that every file of a model means the same by; `<space>` is the blank between words, among characters."""


class LanguageModel(Protocol):
    """Says how probable each symbol is behind those before it."""

    @property
    def unit(self) -> Unit:
        """What its symbols are."""
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
        """Whether no state ever has to be computed."""
        ...

    def expanded(self, states: NDArray[np.int32]) -> Automaton:
        """Return the automaton, in which these states have their arcs, and in which the states behind those exist."""
        ...
