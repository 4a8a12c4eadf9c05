"""A lexicon, its tree and language models as the lexicon search reads them: arrays and numbers."""

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
        model: gives the states and arcs.
        symbol_of: (W,) or (L,) int32.
        start: the state that an utterance begins in.
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
        """Return the reader for one search: all share that of a complete model, and one that grows starts again."""
        return self._whole if self._growing.complete else Reader(self.model.automaton(), self.symbol_of)


class Reader:
    """A language model in one search.

    Args:
        growing: the model's states and arcs.
        symbol_of: see `Scorer`.
    """

    def __init__(self, growing: GrowingAutomaton, symbol_of: NDArray[np.int32]) -> None:
        self.growing, self._symbol_of = growing, symbol_of
        self.complete = growing.complete
        self._arrays = self._read(np.zeros(0, np.int32)) if self.complete else None

    def arrays(self, states: Callable[[], NDArray[np.int32]]) -> Model:
        """Return the arrays that the loops read, with the arcs of these states."""
        return self._arrays or self._read(states())

    def _read(self, states: NDArray[np.int32]) -> Model:
        automaton = self.growing.expanded(np.unique(states))
        first, symbol, log_prob, target, backoff, shorter = arcs(automaton)
        return Model(self._symbol_of, first, symbol, log_prob, target, backoff, shorter, automaton.end)


@dataclass(frozen=True, eq=False)
class _Fixed:
    """A model whose automaton is given."""

    arcs: Automaton
    unit: Unit = "words"
    symbols: Sequence[str] = ()
    complete: bool = True

    def automaton(self) -> _Fixed:
        return self

    def expanded(self, states: NDArray[np.int32]) -> Automaton:
        return self.arcs


def frequencies(lexicon: Lexicon) -> Scorer:
    """Make a unigram model of the lexicon's frequencies: log of a word's share.

    A lexicon without frequencies gives every word the log probability 0, and a word outside the lexicon always has it.
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
    """Connect a model of words with a lexicon.

    Raises:
        ConfigError: the model is not of words, or lacks a word and has no `<unk>`.
    """
    if model.unit != "words":
        raise ConfigError(f"word_lm is a model of {model.unit}; expected a model of words")
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
    """Connect a model of labels with an inventory.

    Raises:
        ConfigError: see `asr.decoding.label_model.symbols_of_labels`.
    """
    return Scorer(model, symbols_of_labels(model, inventory)[:-1], _first_arcs(model).start)


def no_scorer() -> Scorer:
    """Return the placeholder for a model that is not there; no search reads it."""
    return Scorer(_Fixed(NO_ARCS), np.zeros(0, np.int32), 0)


def _first_arcs(model: LanguageModel) -> Automaton:
    """Return the automaton with the arcs of its first state."""
    growing = model.automaton()
    return growing.expanded(np.array([growing.expanded(np.zeros(0, np.int32)).start], dtype=np.int32))


def unigram(scorer: Scorer) -> tuple[NDArray[np.float64], float]:
    """Return the log probability of each word without context (W,), and that of a word outside the lexicon."""
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
    """Smear what words gain at best (W,) over the tree: the look-ahead of a node is the best gain below it."""
    ahead = best_below(tree, gain)
    with np.errstate(invalid="ignore"):
        ratio = np.nan_to_num(np.exp(ahead - ahead[tree.parent]), nan=0.0)
    return Nodes(tree.first, tree.label, tree.first_word, tree.word, ahead, ratio)
