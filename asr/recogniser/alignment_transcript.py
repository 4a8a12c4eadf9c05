"""Transcripts to align: labels with optional silences; for a model of phonemes also words, through a lexicon.

Every word is first aligned in its first pronunciation. Then the words with several get, one after the other, the one
with the likeliest path through the frames from the label before it to the label behind it, as these stand by then; at
the end all labels are aligned again. No choice makes the path of the whole transcript less likely.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from asr.config import nearest, shown
from asr.corpus.inventory import Inventory
from asr.ctc.alignment import Alignment, align
from asr.decoding.hypothesis import Span
from asr.decoding.lexicon_file import CODE, Lexicon
from asr.errors import ConfigError, DataError
from asr.text import normalise_text

_SILENCES = ("h#", "pau", "sil", "epi")


@dataclass(frozen=True)
class Pronounced:
    """A word of a transcript.

    Attributes:
        word: as the transcript writes it.
        ways: its pronunciations, indices of labels; at least one.
    """

    word: str
    ways: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Transcript:
    """A transcript in the labels of a model.

    Attributes:
        name: its name in messages.
        labels: their indices, with the silences that may be between them.
        optional: whether each label is such a silence.
        words: the words that a lexicon pronounces, with the first of their ways in `labels`; none if labels were given.
    """

    name: str
    labels: tuple[int, ...]
    optional: tuple[bool, ...]
    words: tuple[Pronounced, ...] = ()

    @property
    def said(self) -> tuple[int, ...]:
        """The labels without the silences that may be between them."""
        return tuple(one for one, optional in zip(self.labels, self.optional, strict=True) if not optional)


def transcript_of(inventory: Inventory, name: str, labels: Sequence[int]) -> Transcript:
    """Make a transcript of labels; silences may be between any two and at both ends if the inventory has any."""
    found = list(_with_silences(inventory, labels))
    return Transcript(name, tuple(label for label, _ in found), tuple(optional for _, optional in found))


def pronounced(inventory: Inventory, lexicon: Lexicon, text: str, name: str) -> Transcript:
    """Make a transcript of words that a lexicon pronounces.

    Args:
        inventory: of a model of phonemes.
        lexicon: with the pronunciations, in the labels of the inventory.
        text: the words; each is looked up as it stands, then in capitals, then in small letters.
        name: the transcript's name in messages, such as that of the file.

    Raises:
        ConfigError: the inventory is of characters.
        DataError: the transcript is empty, or has a word that is not in the lexicon.
    """
    if inventory.unit != "labels":
        raise ConfigError("a lexicon of pronunciations is for a model of phonemes; this one spells words by itself")
    number_of = {word: number for number, word in enumerate(lexicon.words)}
    said = normalise_text(text).split()
    if not said:
        raise DataError(f"'{name}': its transcript is empty; expected what is said in it")
    numbers = [next((number_of[one] for one in _cases(word) if one in number_of), None) for word in said]
    ways: dict[int | None, list[tuple[int, ...]]] = {number: [] for number in numbers}
    for number, spelling in zip(lexicon.word_of.tolist(), lexicon.spellings, strict=True):
        if number in ways:
            ways[number].append(tuple(ord(one) - CODE for one in spelling))
    words = []
    for word, number in zip(said, numbers, strict=True):
        if number is None:
            hint = next(filter(None, (nearest(one, lexicon.words) for one in _cases(word))), "")
            raise DataError(f"'{name}': {shown(word)} is not in the lexicon; add its pronunciation{hint}")
        words.append(Pronounced(word, tuple(ways[number])))
    return _spoken(inventory, name, words)


def _cases(word: str) -> tuple[str, ...]:
    return word, word.upper(), word.lower()


def _spoken(inventory: Inventory, name: str, words: Sequence[Pronounced]) -> Transcript:
    """Return the transcript of words, in the first pronunciation of each."""
    labels = [label for word in words for label in word.ways[0]]
    return replace(transcript_of(inventory, name, labels), words=tuple(words))


def chosen_ways(log_probs: NDArray[np.float32], transcript: Transcript, inventory: Inventory) -> Transcript:
    """Choose the pronunciation of each word; see the module.

    Args:
        log_probs: (T, L) natural logarithms.
        transcript: of words.
        inventory: of the model.

    Raises:
        ValueError: no path is possible.
    """
    if all(len(word.ways) == 1 for word in transcript.words):
        return transcript
    path = _Path.of(log_probs, transcript, inventory)
    words, first = list(transcript.words), 0
    for place, word in enumerate(words):
        last = first + len(word.ways[0])  # the label behind the word
        way = word.ways[0] if len(word.ways) == 1 else path.choose(first, last, word.ways)
        words[place], first = Pronounced(word.word, (way,)), first + len(way)
    return _spoken(inventory, transcript.name, words)


@dataclass
class _Path:
    """The best path found so far, in which words change their pronunciation one after the other.

    Attributes:
        log_probs: (T, L) natural logarithms.
        inventory: of the model.
        said, start, end: the labels, and the frames in which each stands.
    """

    log_probs: NDArray[np.float32]
    inventory: Inventory
    said: list[int]
    start: list[int]
    end: list[int]

    @classmethod
    def of(cls, log_probs: NDArray[np.float32], transcript: Transcript, inventory: Inventory) -> _Path:
        """Align the first pronunciations."""
        start, end = _label_frames(log_probs, transcript, inventory)[1:]
        return cls(log_probs, inventory, list(transcript.said), start, end)

    def choose(self, first: int, last: int, ways: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        """Put the likeliest pronunciation in the place of labels `first` to `last` - 1, and return it.

        Only the frames from the label before them to the label behind them are aligned anew. The pronunciation that
        stood there is among the candidates, so the path never becomes less likely.
        """
        low, high = max(first - 1, 0), min(last + 1, len(self.said))
        begin = self.start[low] if low < first else 0
        finish = self.end[high - 1] if high > last else len(self.log_probs)
        around = tuple(self.said[low:first]), tuple(self.said[last:high])
        frames = self.log_probs[begin:finish]
        found = [_between(frames, way, around, self.inventory) for way in ways]
        best = max(range(len(ways)), key=lambda number: found[number][0])
        self.said[first:last] = ways[best]
        self.start[low:high], self.end[low:high] = ([begin + one for one in places] for places in found[best][1:])
        return ways[best]


_Frames = tuple[float, list[int], list[int]]
"""The log probability of a path, and the first frame of each of its labels and the one behind its last."""


def _label_frames(log_probs: NDArray[np.float32], transcript: Transcript, inventory: Inventory) -> _Frames:
    """Align a transcript; its optional silences are not among the labels."""
    found = aligned(log_probs, transcript, inventory)
    stands = np.flatnonzero(~np.array(transcript.optional))
    return found.log_probability, found.start[stands].tolist(), found.end[stands].tolist()


def _between(
    frames: NDArray[np.float32],
    way: tuple[int, ...],
    around: tuple[tuple[int, ...], tuple[int, ...]],
    inventory: Inventory,
) -> _Frames:
    """Align a pronunciation between its neighbours; the log probability is -inf if no path is possible."""
    whole = transcript_of(inventory, "", (*around[0], *way, *around[1]))
    low = int(bool(around[0]) and whole.optional[0])  # behind a neighbour the transcript goes on
    high = len(whole.labels) - int(bool(around[1]) and whole.optional[-1])
    try:
        return _label_frames(frames, Transcript("", whole.labels[low:high], whole.optional[low:high]), inventory)
    except ValueError:
        return -np.inf, [], []


def aligned(log_probs: NDArray[np.float32], transcript: Transcript, inventory: Inventory) -> Alignment:
    """Find the likeliest path of a transcript; see `asr.ctc.alignment.align`."""
    optional = np.array(transcript.optional)
    labels = np.array(transcript.labels, dtype=np.int64)
    return align(log_probs, labels, inventory.blank, optional if optional.any() else None)


def spoken_words(spans: Sequence[Span], words: Sequence[Pronounced]) -> tuple[Span, ...]:
    """Join the spans of the labels of words, one pronunciation each, to spans of the words."""
    ends = list(accumulate(len(word.ways[0]) for word in words))
    groups = [spans[end - len(word.ways[0]) : end] for word, end in zip(words, ends, strict=True)]
    return tuple(
        Span(word.word, group[0].start, group[-1].end, min(span.confidence for span in group))
        for word, group in zip(words, groups, strict=True)
    )


def _with_silences(inventory: Inventory, labels: Sequence[int]) -> Iterator[tuple[int, bool]]:
    """Yield each label and False, with silences and True between them and at both ends if the inventory has any."""
    known = [name for name in _SILENCES if name in inventory.index] if inventory.unit == "labels" else []
    if not known:
        yield from ((label, False) for label in labels)
        return
    silences = {inventory.index[name] for name in known}
    outside = inventory.index[known[0]]
    inside = inventory.index[next((name for name in known if name != "h#"), known[0])]
    before: int | None = None
    for number, label in enumerate(labels):
        if label not in silences and before not in silences:
            yield inside if number else outside, True
        yield label, False
        before = label
    if before not in silences:
        yield outside, True
