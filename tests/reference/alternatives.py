"""Errors under alternatives and optional words by trying every way: slow, obviously right.

A transcript is a list of items: a word, `Optional(word)`, or `Choice([transcript, ...])`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any


@dataclass(frozen=True)
class Optional:
    """A word that may be left out, `(word)`."""

    word: str


@dataclass(frozen=True)
class Choice:
    """Alternatives `{ a / b }`; an empty one is `@`."""

    ways: tuple[tuple[Any, ...], ...]


Transcript = tuple[Any, ...]
Counts = tuple[int, int, int, int]  # correct, substitutions, deletions, insertions


def written(transcript: Transcript) -> str:
    """The transcript as a trn file has it."""
    parts = []
    for item in transcript:
        if isinstance(item, Choice):
            parts.append("{ " + " / ".join(written(way) or "@" for way in item.ways) + " }")
        else:
            parts.append(f"({item.word})" if isinstance(item, Optional) else item)
    return " ".join(parts)


def sequences(transcript: Transcript) -> Iterator[tuple[str | Optional, ...]]:
    """All sequences of words that the alternatives allow."""
    choices = [
        [sequence for way in item.ways for sequence in sequences(way)] if isinstance(item, Choice) else [(item,)]
        for item in transcript
    ]
    for chosen in product(*choices):
        yield tuple(word for part in chosen for word in part)


def counts(reference: Transcript, hypothesis: Transcript) -> Counts:
    """Counts of the best pair of sequences: of the cheapest, fewest errors, most correct words, fewest insertions."""
    return min(cheapest(reference, hypothesis), key=lambda way: (sum(way[1:]), -way[0], way[3], way[1]))


def cheapest(reference: Transcript, hypothesis: Transcript) -> frozenset[Counts]:
    """Counts of all alignments that cost least by sclite's weights."""
    pairs = product(set(sequences(reference)), set(sequences(hypothesis)))
    return _least([_aligned(one, other) for one, other in pairs])[1]


def text_sequences(transcript: Transcript) -> set[str]:
    """All texts that the alternatives allow, optional words being there or not."""
    texts = set()
    for sequence in sequences(transcript):
        there = [[True, False] if isinstance(word, Optional) else [True] for word in sequence]
        for kept in product(*there):
            words = [_word(word) for word, keep in zip(sequence, kept, strict=True) if keep]
            texts.add(" ".join(words))
    return texts


def _word(item: str | Optional) -> str:
    return item.word if isinstance(item, Optional) else item


def _aligned(
    reference: tuple[str | Optional, ...], hypothesis: tuple[str | Optional, ...]
) -> tuple[int, frozenset[Counts]]:
    """Smallest cost of a pair of sequences, and the counts of all alignments that cost that."""

    @cache
    def best(i: int, j: int) -> tuple[int, frozenset[Counts]]:
        if i == j == 0:
            return 0, frozenset({(0, 0, 0, 0)})
        ways = []
        if i and j:
            same = _word(reference[i - 1]) == _word(hypothesis[j - 1])
            ways.append(_after(best(i - 1, j - 1), *((0, (1, 0, 0, 0)) if same else (4, (0, 1, 0, 0)))))
        if i:
            left_out = isinstance(reference[i - 1], Optional)
            ways.append(_after(best(i - 1, j), *((2, (1, 0, 0, 0)) if left_out else (3, (0, 0, 1, 0)))))
        if j:
            left_out = isinstance(hypothesis[j - 1], Optional)
            ways.append(_after(best(i, j - 1), *((2, (1, 0, 0, 0)) if left_out else (3, (0, 0, 0, 1)))))
        return _least(ways)

    return best(len(reference), len(hypothesis))


def _after(way: tuple[int, frozenset[Counts]], cost: int, step: Counts) -> tuple[int, frozenset[Counts]]:
    c, s, d, n = step
    return way[0] + cost, frozenset((each[0] + c, each[1] + s, each[2] + d, each[3] + n) for each in way[1])


def _least(ways: list[tuple[int, frozenset[Counts]]]) -> tuple[int, frozenset[Counts]]:
    least = min(cost for cost, _ in ways)
    return least, frozenset(counts for cost, found in ways if cost == least for counts in found)
