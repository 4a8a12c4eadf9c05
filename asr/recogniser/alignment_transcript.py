"""Transcripts to align: labels with optional silences; for a model of phonemes also words, by a lexicon.

Every word is first aligned with its first pronunciation. Then each word with several pronunciations, one word after the
other, gets the one with the likeliest path through the frames between its neighbouring labels in the alignment so far.
At the end all labels are aligned again. No choice makes the path of the whole transcript less likely.
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
        word: the word as the transcript writes it.
        ways: its pronunciations, at least one, each as indices of labels.
    """

    word: str
    ways: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Transcript:
    """A transcript in the labels of a model.

    Attributes:
        name: the name of the transcript in messages.
        labels: the indices of the labels, with the silences that may be between them.
        optional: whether each label is such an optional silence.
        words: the words, whose first pronunciations make up `labels`; empty if the transcript was given as labels.
    """

    name: str
    labels: tuple[int, ...]
    optional: tuple[bool, ...]
    words: tuple[Pronounced, ...] = ()

    @property
    def said(self) -> tuple[int, ...]:
        """The labels without optional silences."""
        return tuple(one for one, optional in zip(self.labels, self.optional, strict=True) if not optional)


def transcript_of(inventory: Inventory, name: str, labels: Sequence[int]) -> Transcript:
    """Make a transcript of labels; if the inventory has a silence, it is optional between labels and at both ends."""
    found = list(_with_silences(inventory, labels))
    return Transcript(name, tuple(label for label, _ in found), tuple(optional for _, optional in found))


def pronounced(inventory: Inventory, lexicon: Lexicon, text: str, name: str) -> Transcript:
    """Make a transcript of words with the pronunciations of a lexicon.

    Args:
        inventory: the inventory of a model of phonemes.
        lexicon: the pronunciations, in the labels of the inventory.
        text: the words; each is looked up unchanged, then in capitals, then in small letters.
        name: the name of the transcript in messages, such as that of the file.

    Raises:
        ConfigError: the inventory has characters.
        DataError: the transcript is empty, or the lexicon lacks a word.

    >>> from asr.decoding.lexicon_file import lexicon_of
    >>> inventory = Inventory(("<blank>", "b", "iy"), unit="labels")
    >>> pronounced(inventory, lexicon_of(["BE B IY1"], inventory), "be", "my recording").labels
    (1, 2)
    """
    if inventory.unit != "labels":
        raise ConfigError("a lexicon of pronunciations requires a model of phonemes; this model has characters")
    number_of = {word: number for number, word in enumerate(lexicon.words)}
    said = normalise_text(text).split()
    if not said:
        raise DataError(f"'{name}': the transcript is empty; expected what was said")
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
    """Make a transcript of words with the first pronunciation of each."""
    labels = [label for word in words for label in word.ways[0]]
    return replace(transcript_of(inventory, name, labels), words=tuple(words))


def chosen_ways(log_probs: NDArray[np.float32], transcript: Transcript, inventory: Inventory) -> Transcript:
    """Choose the pronunciation of each word; the module describes how.

    Args:
        log_probs: (T, L) natural logarithms.
        transcript: a transcript of words.
        inventory: the inventory of the model.

    Returns:
        The transcript with a single pronunciation of each word.

    Raises:
        ValueError: every path has probability 0.
    """
    if all(len(word.ways) == 1 for word in transcript.words):
        return transcript
    path = _Path.of(log_probs, transcript, inventory)
    words, first = list(transcript.words), 0
    for place, word in enumerate(words):
        last = first + len(word.ways[0])  # the label after the word
        way = word.ways[0] if len(word.ways) == 1 else path.choose(first, last, word.ways)
        words[place], first = Pronounced(word.word, (way,)), first + len(way)
    return _spoken(inventory, transcript.name, words)


@dataclass
class _Path:
    """The best path so far, in which words change their pronunciation one after the other.

    Attributes:
        log_probs: (T, L) natural logarithms.
        inventory: the inventory of the model.
        said: the labels.
        start: the first frame of each label.
        end: the frame after each label.
    """

    log_probs: NDArray[np.float32]
    inventory: Inventory
    said: list[int]
    start: list[int]
    end: list[int]

    @classmethod
    def of(cls, log_probs: NDArray[np.float32], transcript: Transcript, inventory: Inventory) -> _Path:
        """Align a transcript with the first pronunciation of each word."""
        start, end = _label_frames(log_probs, transcript, inventory)[1:]
        return cls(log_probs, inventory, list(transcript.said), start, end)

    def choose(self, first: int, last: int, ways: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        """Replace labels `first` to `last` - 1 by the likeliest pronunciation, and return it.

        Only the frames from the label before to the label after them are aligned again. The present pronunciation must
        be among the candidates `ways`, so that the path never becomes less likely.
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
"""The log probability of a path, the first frame of each label, and the frame after each label."""


def _label_frames(log_probs: NDArray[np.float32], transcript: Transcript, inventory: Inventory) -> _Frames:
    """Align a transcript, and return the frames of its labels without optional silences."""
    found = aligned(log_probs, transcript, inventory)
    stands = np.flatnonzero(~np.array(transcript.optional))
    return found.log_probability, found.start[stands].tolist(), found.end[stands].tolist()


def _between(
    frames: NDArray[np.float32],
    way: tuple[int, ...],
    around: tuple[tuple[int, ...], tuple[int, ...]],
    inventory: Inventory,
) -> _Frames:
    """Align a pronunciation together with its neighbours `around`; the log probability is -inf if no path exists."""
    whole = transcript_of(inventory, "", (*around[0], *way, *around[1]))
    low = int(bool(around[0]) and whole.optional[0])  # no silence before a neighbour: the transcript goes on there
    high = len(whole.labels) - int(bool(around[1]) and whole.optional[-1])
    try:
        return _label_frames(frames, Transcript("", whole.labels[low:high], whole.optional[low:high]), inventory)
    except ValueError:
        return -np.inf, [], []


def aligned(log_probs: NDArray[np.float32], transcript: Transcript, inventory: Inventory) -> Alignment:
    """Return the likeliest path of a transcript; see `asr.ctc.alignment.align`."""
    optional = np.array(transcript.optional)
    labels = np.array(transcript.labels, dtype=np.int64)
    return align(log_probs, labels, inventory.blank, optional if optional.any() else None)


def spoken_words(spans: Sequence[Span], words: Sequence[Pronounced]) -> tuple[Span, ...]:
    """Join the spans of labels into spans of words; each word consists of the labels of its first pronunciation."""
    ends = list(accumulate(len(word.ways[0]) for word in words))
    groups = [spans[end - len(word.ways[0]) : end] for word, end in zip(words, ends, strict=True)]
    return tuple(
        Span(word.word, group[0].start, group[-1].end, min(span.confidence for span in group))
        for word, group in zip(words, groups, strict=True)
    )


def _with_silences(inventory: Inventory, labels: Sequence[int]) -> Iterator[tuple[int, bool]]:
    """Yield (label, False) for each label, and (silence, True) between labels and at both ends.

    Without a silence in the inventory, and beside a label that is a silence, no silence is yielded.
    """
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
