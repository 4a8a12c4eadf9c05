"""Prepare language models and the tree of a lexicon for the loops of the lexicon search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asr.config import shown
from asr.decoding.beam_memory import arcs
from asr.decoding.label_model import NO_ARCS, symbols_of_labels
from asr.decoding.lexicon_file import Lexicon
from asr.decoding.lexicon_kernel import Model, Nodes
from asr.decoding.lexicon_tree import Tree, best_below
from asr.errors import ConfigError
from asr.lm.automaton import NONE, Automaton
from asr.lm.model import BEGIN, END, GrowingAutomaton, LanguageModel, Unit

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory


@dataclass(frozen=True, eq=False)
class Scorer:
    """A language model, and its symbol for each word of the lexicon or each label of the inventory.

    Attributes:
        model: the language model.
        symbol_of: (W,) or (L,) int32, the symbol of each word or label.
        start: the state at the beginning of an utterance.
        unknown: the symbol of a word outside the lexicon, or `NONE`.
    """

    model: LanguageModel
    symbol_of: NDArray[np.int32]
    start: int
    unknown: int = NONE

    @cached_property
    def _growing(self) -> GrowingAutomaton:
        return self.model.automaton()

    @cached_property
    def _whole(self) -> Reader:
        return Reader(self._growing, self.symbol_of)

    def begin(self) -> Reader:
        """Return the reader for one search: a shared one for a complete model, a new one for a growing model."""
        return self._whole if self._growing.complete else Reader(self.model.automaton(), self.symbol_of)


class Reader:
    """The arrays of a language model in one search.

    Args:
        growing: the model's states and arcs.
        symbol_of: see `Scorer`.
    """

    def __init__(self, growing: GrowingAutomaton, symbol_of: NDArray[np.int32]) -> None:
        self.growing, self._symbol_of = growing, symbol_of
        self.complete = growing.complete
        self._arrays = self._read(np.zeros(0, np.int32)) if self.complete else None

    def arrays(self, states: Callable[[], NDArray[np.int32]]) -> Model:
        """Return the arrays for the loops; `states` is called, and the arcs of its states computed, only if needed."""
        return self._arrays or self._read(states())

    def _read(self, states: NDArray[np.int32]) -> Model:
        automaton = self.growing.expanded(np.unique(states))
        first, symbol, log_prob, target, backoff, shorter = arcs(automaton)
        return Model(self._symbol_of, first, symbol, log_prob, target, backoff, shorter, automaton.end)


@dataclass(frozen=True, eq=False)
class _Fixed:
    """A `LanguageModel` with a given, complete automaton."""

    arcs: Automaton
    unit: Unit = "words"
    symbols: Sequence[str] = ()
    complete: bool = True

    def automaton(self) -> _Fixed:
        return self

    def expanded(self, states: NDArray[np.int32]) -> Automaton:
        return self.arcs


def frequencies(lexicon: Lexicon) -> Scorer:
    """Make a unigram model of the frequencies of a lexicon: the log probability of a word is log(its share).

    Without frequencies, all words have the log probability 0. Words outside the lexicon always have 0.
    """
    n_words = len(lexicon.words)
    log_prob = np.zeros(n_words + 1, np.float32)
    if lexicon.frequency is not None:
        log_prob[:-1] = np.log(lexicon.frequency / lexicon.frequency.sum())
    numbers = np.arange(n_words + 1, dtype=np.int32)
    unigrams = Automaton(
        first=np.array([0, n_words + 1]),
        symbol=numbers,
        log_prob=log_prob,
        target=np.zeros(n_words + 1, np.int32),
        backoff=np.zeros(1, np.float32),
        shorter=np.full(1, NONE, np.int32),
        start=0,
        unknown=n_words,
    )
    return Scorer(_Fixed(unigrams), numbers[:-1], 0, n_words)


def word_scorer(model: LanguageModel, lexicon: Lexicon, is_open: bool) -> Scorer:
    """Connect a language model of words with a lexicon.

    Args:
        model: the language model.
        lexicon: the words.
        is_open: whether words outside the lexicon are recognised, for which the model needs `<unk>`.

    Raises:
        ConfigError: the unit of the model is not words, or the model lacks a word and `<unk>`.
    """
    if model.unit != "words":
        raise ConfigError(f"word_lm is a model of {model.unit}; give a model of words")
    number_of = {word: number for number, word in enumerate(model.symbols)}
    first = _first_arcs(model)
    unknown = first.unknown
    symbols = [number_of.get(word, unknown) if word not in (BEGIN, END) else unknown for word in lexicon.words]
    if unknown == NONE:
        missing = next((word for word, symbol in zip(lexicon.words, symbols, strict=True) if symbol == NONE), None)
        if missing is not None or is_open:
            lacking = f"the word {shown(missing)}" if missing is not None else "words outside the lexicon"
            raise ConfigError(
                f"word_lm lacks {lacking} and has no <unk>; estimate it with <unk>, or shorten the lexicon"
            )
    return Scorer(model, np.array(symbols, dtype=np.int32), first.start, unknown)


def label_scorer(model: LanguageModel, inventory: Inventory) -> Scorer:
    """Connect a language model of labels with an inventory.

    Raises:
        ConfigError: the model does not fit the inventory; see `asr.decoding.label_model.symbols_of_labels`.
    """
    return Scorer(model, symbols_of_labels(model, inventory)[:-1], _first_arcs(model).start)


def no_scorer() -> Scorer:
    """Return a placeholder for no language model; no search reads its arcs."""
    return Scorer(_Fixed(NO_ARCS), np.zeros(0, np.int32), 0)


def _first_arcs(model: LanguageModel) -> Automaton:
    """Return the automaton of a model with the arcs of its start state."""
    growing = model.automaton()
    return growing.expanded(np.array([growing.expanded(np.zeros(0, np.int32)).start], dtype=np.int32))


def unigram(scorer: Scorer) -> tuple[NDArray[np.float64], float]:
    """Return (W,) the log probability of each word without context, and that of a word outside the lexicon."""
    first = _first_arcs(scorer.model)
    root = first.start
    while first.shorter[root] != NONE:
        root = int(first.shorter[root])
    low, high = int(first.first[root]), int(first.first[root + 1])
    wanted = np.append(scorer.symbol_of, scorer.unknown)
    at = np.minimum(low + np.searchsorted(first.symbol[low:high], wanted), high - 1)
    log_prob = np.where(first.symbol[at] == wanted, first.log_prob[at].astype(np.float64), -np.inf)
    return log_prob[:-1], float(log_prob[-1])


def nodes_of(tree: Tree, gain: NDArray[np.float64]) -> Nodes:
    """Add the look-ahead to a tree: the look-ahead of a node is the largest `gain` (W,) of the words at or below it."""
    ahead = best_below(tree, gain)
    with np.errstate(invalid="ignore"):
        ratio = np.nan_to_num(np.exp(ahead - ahead[tree.parent]), nan=0.0)
    return Nodes(tree.first, tree.label, tree.first_word, tree.word, ahead, ratio)
