"""A lexicon, its tree and language models as the lexicon search reads them: arrays and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asr.config import shown
from asr.decoding.lexicon_file import Lexicon
from asr.decoding.lexicon_kernel import Model, Nodes
from asr.decoding.lexicon_tree import Tree, best_below
from asr.errors import ConfigError
from asr.lm.automaton import NONE, Automaton
from asr.lm.model import BEGIN, END, SPACE, GrowingAutomaton, LanguageModel

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory


@dataclass(frozen=True, eq=False)
class Scorer:
    """A language model, and its symbol for each word of the lexicon or each label of the inventory.

    Attributes:
        growing: the model's states and arcs.
        symbol_of: (W,) or (L,) int32.
        start: the state that an utterance begins in.
        unknown: the symbol of a word outside the lexicon, or `NONE`.
    """

    growing: GrowingAutomaton
    symbol_of: NDArray[np.int32]
    start: int
    unknown: int = NONE

    def arrays(self, states: NDArray[np.int32]) -> Model:
        """Return what the loops read, in which these states have their arcs."""
        arcs = self.growing.expanded(states)
        parts = (arcs.first, arcs.symbol, arcs.log_prob, arcs.target, arcs.backoff, arcs.shorter)
        return Model(self.symbol_of, *parts, arcs.end)


@dataclass(frozen=True, eq=False)
class _Fixed:
    """An automaton that is whole from the beginning."""

    automaton: Automaton
    complete: bool = True

    def expanded(self, states: NDArray[np.int32]) -> Automaton:
        return self.automaton


def frequencies(lexicon: Lexicon) -> Scorer:
    """Make a unigram model of the lexicon's frequencies: log of a word's share.

    A lexicon without frequencies gives every word the log probability 0, and a word outside the lexicon always has it.
    """
    n_words = len(lexicon.words)
    log_prob = np.zeros(n_words + 1, np.float32)
    if lexicon.frequency is not None:
        log_prob[:-1] = np.log(lexicon.frequency / lexicon.frequency.sum())
    numbers = np.arange(n_words + 1, dtype=np.int32)
    arcs = Automaton(
        first=np.array([0, n_words + 1]),
        symbol=numbers,
        log_prob=log_prob,
        target=np.zeros(n_words + 1, np.int32),
        backoff=np.zeros(1, np.float32),
        shorter=np.full(1, NONE, np.int32),
        start=0,
        unknown=n_words,
    )
    return Scorer(_Fixed(arcs), numbers[:-1], 0, n_words)


def word_scorer(model: LanguageModel, lexicon: Lexicon, is_open: bool) -> Scorer:
    """Connect a model of words with a lexicon.

    Raises:
        ConfigError: the model is not of words, or lacks a word and has no `<unk>`.
    """
    if model.unit != "words":
        raise ConfigError(f"word_lm is a model of {model.unit}; expected a model of words")
    number_of = {word: number for number, word in enumerate(model.symbols)}
    growing = model.automaton()
    arcs = _first_arcs(growing)
    unknown = arcs.unknown
    symbols = [number_of.get(word, unknown) if word not in (BEGIN, END) else unknown for word in lexicon.words]
    if unknown == NONE:
        missing = next((word for word, symbol in zip(lexicon.words, symbols, strict=True) if symbol == NONE), None)
        if missing is not None or is_open:
            lacking = f"the word {shown(missing)}" if missing is not None else "words outside the lexicon"
            raise ConfigError(
                f"word_lm lacks {lacking} and has no <unk>; estimate it with <unk>, or shorten the lexicon"
            )
    return Scorer(growing, np.array(symbols, dtype=np.int32), arcs.start, unknown)


def label_scorer(model: LanguageModel, inventory: Inventory) -> Scorer:
    """Connect a model of labels with an inventory.

    Raises:
        ConfigError: the model is of another unit, or lacks a label and has no `<unk>`.
    """
    if model.unit != inventory.unit:
        raise ConfigError(f"label_lm is a model of {model.unit}; expected one of {inventory.unit}, as the inventory is")
    number_of = {symbol: number for number, symbol in enumerate(model.symbols)}
    growing = model.automaton()
    arcs = _first_arcs(growing)
    spaced: Sequence[str] = [SPACE if label == " " else label for label in inventory.labels]
    symbols = [number_of.get(label, arcs.unknown) for label in spaced]
    if NONE in symbols[1:]:
        missing = inventory.labels[1 + symbols[1:].index(NONE)]
        raise ConfigError(f"label_lm lacks the label {shown(missing)} and has no <unk>; estimate it with <unk>")
    return Scorer(growing, np.array(symbols, dtype=np.int32), arcs.start)


def no_scorer() -> Scorer:
    """Return what stands in the place of a model that is not there; it is not asked."""
    empty = np.zeros(0, np.int32)
    arcs = Automaton(
        np.zeros(1, np.int64), empty, np.zeros(0, np.float32), empty, np.zeros(0, np.float32), empty, start=0
    )
    return Scorer(_Fixed(arcs), empty, 0)


def _first_arcs(growing: GrowingAutomaton) -> Automaton:
    """Return the automaton with the arcs of its first state."""
    return growing.expanded(np.array([growing.expanded(np.zeros(0, np.int32)).start], dtype=np.int32))


def unigram(scorer: Scorer) -> tuple[NDArray[np.float64], float]:
    """Return the log probability of each word without context (W,), and that of a word outside the lexicon."""
    arcs = _first_arcs(scorer.growing)
    root = arcs.start
    while arcs.shorter[root] != NONE:
        root = int(arcs.shorter[root])
    low, high = int(arcs.first[root]), int(arcs.first[root + 1])
    wanted = np.append(scorer.symbol_of, scorer.unknown)
    at = np.minimum(low + np.searchsorted(arcs.symbol[low:high], wanted), high - 1)
    log_prob = np.where(arcs.symbol[at] == wanted, arcs.log_prob[at].astype(np.float64), -np.inf)
    return log_prob[:-1], float(log_prob[-1])


def nodes_of(tree: Tree, gain: NDArray[np.float64]) -> Nodes:
    """Smear what words gain at best (W,) over the tree: the look-ahead of a node is the best gain below it."""
    ahead = best_below(tree, gain)
    with np.errstate(invalid="ignore"):
        ratio = np.nan_to_num(np.exp(ahead - ahead[tree.parent]), nan=0.0)
    return Nodes(tree.first, tree.label, tree.first_word, tree.word, ahead, ratio)
