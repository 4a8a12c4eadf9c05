"""Convert sentences to numbers of symbols, for counting n-grams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from asr.lm.model import BEGIN, END, SPACE, UNKNOWN, Unit
from asr.text import normalise_text

SPECIAL = (BEGIN, END, UNKNOWN)
"""The first symbols of every n-gram model, in this order."""


def split_sentence(sentence: str, unit: Unit) -> list[str]:
    """Split a sentence into symbols: characters with `SPACE` between words, or words or labels at white space.

    >>> split_sentence("to  be", "characters")
    ['t', 'o', '<space>', 'b', 'e']
    """
    if unit != "characters":
        return sentence.split()
    return [SPACE if one == " " else one for one in normalise_text(sentence)]


@dataclass(frozen=True, eq=False)
class Corpus:
    """Sentences as numbers of symbols; each begins with `BEGIN` and ends with `END`.

    Attributes:
        symbols: V symbols by number; those of `SPECIAL` first.
        unit: the unit of the symbols.
        stream: (K,) int32, all sentences concatenated.
        begins: (S + 1,) int64; sentence s is `stream[begins[s] : begins[s + 1]]`.
        weights: (S,) int64, how often each sentence counts.
    """

    symbols: tuple[str, ...]
    unit: Unit
    stream: NDArray[np.int32]
    begins: NDArray[np.int64]
    weights: NDArray[np.int64]

    @cached_property
    def position(self) -> NDArray[np.int64]:
        """(K,) the position of each symbol in its sentence; 0 for `BEGIN`."""
        return np.arange(len(self.stream)) - np.repeat(self.begins[:-1], np.diff(self.begins))

    @cached_property
    def weight(self) -> NDArray[np.int64]:
        """(K,) the weight of the sentence of each symbol."""
        return np.repeat(self.weights, np.diff(self.begins))

    @classmethod
    def of(
        cls,
        sentences: Iterable[str],
        unit: Unit,
        weights: Sequence[int] | None = None,
        vocabulary: Iterable[str] | None = None,
    ) -> Corpus:
        """Number the symbols of sentences.

        Args:
            sentences: texts; those without any symbol are left out.
            unit: the unit of the symbols.
            weights: how often each sentence counts, whole numbers above 0; None: once.
            vocabulary: the symbols of a closed vocabulary; all others become `UNKNOWN`. None: the symbols that occur.
                `BEGIN`, `END` and `UNKNOWN` are always added.

        >>> corpus = Corpus.of(["to be", "or not to be"], "words")
        >>> corpus.symbols
        ('<s>', '</s>', '<unk>', 'to', 'be', 'or', 'not')
        >>> corpus.stream.tolist()
        [0, 3, 4, 1, 0, 5, 6, 3, 4, 1]
        >>> corpus.begins.tolist()
        [0, 4, 10]
        """
        closed = vocabulary is not None
        index = {one: number for number, one in enumerate(dict.fromkeys((*SPECIAL, *sorted(vocabulary or ()))))}
        begin, end, unknown = range(3)
        stream, lengths, kept = [], [], []
        for number, sentence in enumerate(sentences):
            symbols = split_sentence(sentence, unit)
            if not symbols:
                continue
            if closed:
                numbers = [index.get(one, unknown) for one in symbols]
            else:
                numbers = [index.setdefault(one, len(index)) for one in symbols]
            stream.append(np.array([begin, *(unknown if one < 2 else one for one in numbers), end], np.int32))
            lengths.append(len(symbols) + 2)
            kept.append(1 if weights is None else weights[number])
        return cls(
            tuple(index),
            unit,
            np.concatenate(stream) if stream else np.zeros(0, np.int32),
            np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64),
            np.array(kept, np.int64),
        )
