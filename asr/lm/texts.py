"""Read the sources of language models: texts, manifests, word lists with frequencies, and counts of n-grams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asr.config import shown
from asr.corpus.inventory import Inventory
from asr.corpus.manifest import read_manifest
from asr.corpus.text_lines import decoded, numbered_lines
from asr.errors import DataError
from asr.lm.automaton import NONE
from asr.lm.corpus import SPECIAL
from asr.lm.counting import Counts
from asr.lm.model import Unit
from asr.lm.trie import extended, unigrams
from asr.printable import printable

_MOST = 2**40  # the largest count; sums stay exact


@dataclass(frozen=True)
class Text:
    """Sentences, each with a weight: how often it counts.

    >>> Text.of(["to be", "or not to be"]).single_words()
    Text(sentences=['to', 'be', 'or', 'not'], weights=[2, 2, 1, 1])
    """

    sentences: Sequence[str]
    weights: Sequence[int]

    @classmethod
    def of(cls, sentences: Sequence[str]) -> Text:
        """Make a text in which each sentence counts once."""
        return cls(sentences, [1] * len(sentences))

    @classmethod
    def joined(cls, texts: Iterable[Text]) -> Text:
        """Concatenate texts."""
        parts = list(texts)
        return cls([one for part in parts for one in part.sentences], [one for part in parts for one in part.weights])

    def single_words(self) -> Text:
        """Return a text with one sentence for each different word; its weight is the total weight of the word."""
        counted: Counter[str] = Counter()
        for sentence, weight in zip(self.sentences, self.weights, strict=True):
            for word in sentence.split():
                counted[word] += weight
        return Text(list(counted), list(counted.values()))


def read_text(path: str | Path, unit: Unit, inventory: Inventory | None = None) -> Text:
    """Read the sentences of a text file or a manifest.

    Args:
        path: a text with one sentence per line, plain or compressed (`.gz`); `-` for standard input; or a manifest
            (`.jsonl`), whose utterances give their text, or their labels if the unit is labels.
        unit: the unit of the model's symbols.
        inventory: folds the labels of a manifest.

    Raises:
        DataError: the file cannot be read or is not UTF-8, or an utterance of the manifest lacks its text or labels.
    """
    path = Path(path)
    if path.suffix == ".jsonl":
        return Text.of(_of_manifest(path, unit, inventory))
    return Text.of([decoded(line, path, number) for number, line in numbered_lines(path, "a text") if line.strip()])


def _of_manifest(path: Path, unit: Unit, inventory: Inventory | None) -> list[str]:
    found = []
    for utterance in read_manifest(path, check_sources=False):
        if unit != "labels":
            transcript = utterance.text
        elif inventory is not None and utterance.labels is not None:
            transcript = " ".join(inventory.symbols_of(utterance))
        else:
            transcript = None if utterance.labels is None else " ".join(utterance.labels)
        if transcript is None:
            wanted = "labels" if unit == "labels" else "text"
            raise DataError(f"{printable(path)}: '{utterance.id}' has no {wanted}; a model of {unit} requires it")
        found.append(transcript)
    return found


def read_words(path: str | Path) -> Text:
    """Read a word list: one word per line, then a tab or a blank and the frequency (1 if it is missing).

    If a tab stands before the frequency, the entry may have several words.

    Raises:
        DataError: the file cannot be read or is not UTF-8, or a frequency is not a whole number above 0; the message
            names file and line.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "words.txt").write_text("New York\\t12\\nLondon 7\\nParis\\n")
    ...     read_words(Path(folder, "words.txt"))
    Text(sentences=['New York', 'London', 'Paris'], weights=[12, 7, 1])
    """
    path = Path(path)
    words, weights = [], []
    for number, line in numbered_lines(path, "a word list"):
        if not line.strip():
            continue
        text = decoded(line, path, number)
        word, tab, frequency = text.rpartition("\t")
        if not tab:
            word, _, frequency = text.strip().rpartition(" ")
            if not frequency.isdecimal():
                word, frequency = text, "1"
        words.append(word.strip() or frequency)
        weights.append(_count(frequency if word.strip() else "1", path, number))
    return Text(words, weights)


def _count(text: str, path: Path, number: int) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 14 and 0 < int(text) <= _MOST):
        raise DataError(f"{printable(path)}:{number}: the count is {shown(text)}; expected a whole number above 0")
    return int(text)


def read_counts(path: str | Path, unit: Unit, order: int, vocabulary: Iterable[str] = ()) -> Counts:
    """Read counts of n-grams: each line has the symbols with blanks between them, a tab, and the count.

    The file must have the n-grams of all lengths up to the order, also those with `<s>` and `</s>`. Longer n-grams are
    left out.

    Args:
        path: the file, plain or compressed (`.gz`).
        unit: the unit of the symbols; among characters, `<space>` is the blank between words.
        order: the longest length to read.
        vocabulary: symbols that the model has even if they have no count.

    Raises:
        DataError: the file cannot be read, a line is malformed, an n-gram has two lines, or the prefix or suffix of an
            n-gram has no line; the message names file and line.
    """
    path = Path(path)
    index = {one: number for number, one in enumerate(dict.fromkeys((*SPECIAL, *sorted(vocabulary))))}
    rows: list[list[list[int]]] = [[] for _ in range(order + 1)]
    counts: list[list[int]] = [[] for _ in range(order + 1)]
    lines: list[list[int]] = [[] for _ in range(order + 1)]
    for number, line in numbered_lines(path, "counts of n-grams"):
        if not line.strip():
            continue
        text, tab, count = decoded(line, path, number).rpartition("\t")
        symbols = text.split()
        if not tab or not symbols:
            raise DataError(f"{printable(path)}:{number}: expected the symbols of an n-gram, a tab, and its count")
        numbers = [index.setdefault(one, len(index)) for one in symbols]
        if len(symbols) <= order:
            rows[len(symbols)].append(numbers)
            counts[len(symbols)].append(_count(count, path, number))
            lines[len(symbols)].append(number)
    return _tree(tuple(index), unit, rows, counts, lines, path)


def _tree(
    symbols: tuple[str, ...],
    unit: Unit,
    rows: list[list[list[int]]],
    counts: list[list[int]],
    lines: list[list[int]],
    path: Path,
) -> Counts:
    trie = unigrams(len(symbols))
    count = np.zeros(len(trie), np.int64)
    ones = np.array(rows[1], np.int64).reshape(-1)
    count[ones + 1] = counts[1]
    _check_once(ones, lines[1], path)
    count[1 + symbols.index(SPECIAL[0])] = 0
    for length in range(2, len(rows)):
        if not rows[length]:
            break
        row = np.array(rows[length], np.int64)
        node, ending = row[:, 0] + 1, row[:, 1] + 1
        for place in range(1, length - 1):
            node, ending = trie.find(node, row[:, place]), trie.find(ending, row[:, place + 1])
        if len(missing := np.flatnonzero((node == NONE) | (ending == NONE))):
            at = missing[0]
            part = rows[length][at][:-1] if node[at] == NONE else rows[length][at][1:]
            words = " ".join(symbols[one] for one in part)
            raise DataError(
                f"{printable(path)}:{lines[length][at]}: the part {shown(words)} of this n-gram has no count; add it"
            )
        keys = node * trie.n_symbols + row[:, -1]
        _check_once(keys, lines[length], path)
        order = np.argsort(keys)
        count = np.concatenate([count, np.array(counts[length])[order]])
        trie = extended(trie, keys[order])
    return Counts(symbols, unit, trie, count)


def _check_once(keys: np.ndarray, lines: list[int], path: Path) -> None:
    order = np.argsort(keys, kind="stable")
    if len(again := np.flatnonzero(np.diff(keys[order]) == 0)):
        first, second = lines[order[again[0]]], lines[order[again[0] + 1]]
        raise DataError(f"{printable(path)}:{second}: this n-gram also stands in line {first}; list each n-gram once")


def read_symbols(path: str | Path) -> list[str]:
    """Read a vocabulary: one symbol per line; a tab and what follows it are ignored.

    Raises:
        DataError: the file cannot be read, is not UTF-8, or holds no symbol.
    """
    path = Path(path)
    lines = [decoded(line, path, number).partition("\t")[0] for number, line in numbered_lines(path, "a vocabulary")]
    symbols = [one if one == " " else one.strip() for one in lines]
    if not (found := list(dict.fromkeys(filter(None, symbols)))):
        raise DataError(f"{printable(path)} holds no symbol; expected one symbol per line")
    return found
