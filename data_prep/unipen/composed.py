"""Compose training ink: rows of isolated signs, and lines of words, each of one writer.

The release has only isolated symbols (category 1d), few writers of lines, and no texts such as `/=` or an address. Rows
and lines are composed once from a seed and cached as any other ink, so training, manifests and frame caches treat them
in the same way. The caller passes only ink of training writers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.features.pen.extractor import ink_signal
from asr.features.pen.normalise import normalised
from asr.ink import Ink
from asr.ink.store import read_store
from asr.seeds import generator
from data_prep.unipen.composing import (
    Piece,
    Random,
    Spacing,
    Strokes,
    draw_spacing,
    joined,
    loosened,
    sized_sign,
    widest_gap,
)
from data_prep.unipen.expressions import expression
from data_prep.unipen.sizes import EXTENTS, writing_size

VERSION = 2
"""Version of the composition; increase it when the same seed gives other ink."""

_FEWEST_WORDS = 8  # fewest words of a writer for lines
_TRIES = 30  # texts drawn for a line before a word is used instead of signs
_MOST_TRIES = 10_000  # texts drawn for a row before an error is raised
_ENDS = ".,:;!?"
_LOOSER = (0.7, 1.8)  # range of the factor for the gaps within the words of a line
_CLEAR = 0.35  # h by which spaces are wider than these gaps


@dataclass(frozen=True)
class Sample:
    """A recorded sign or word: its utterance, and h, the height of the writer's x in the unit of the ink."""

    utterance: Utterance
    h: float

    def strokes(self) -> Strokes:
        """Read the strokes as recorded, (N, 2) each."""
        return tuple(one.points for one in _ink(self.utterance).strokes)


class Hands:
    """The isolated signs of many writers.

    Args:
        signs: utterances of one sign of ASCII each; others are ignored.
    """

    def __init__(self, signs: Iterable[Utterance]) -> None:
        samples: dict[str, dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
        for group in _by_file(one for one in signs if one.text in EXTENTS).values():
            h = writing_size((str(one.text), _side(_ink(one))) for one in group)
            if h is not None:
                for one in group:
                    samples[str(one.speaker)][str(one.text)].append(Sample(one, h))
        self.samples = samples
        self.writers = sorted(samples)
        self._columns = {sign: at for at, sign in enumerate(EXTENTS)}
        self._has = np.array([[sign in samples[one] for sign in EXTENTS] for one in self.writers], dtype=bool)

    def able(self, text: str) -> list[str]:
        """Return the writers who have written every sign of a text."""
        wanted = [self._columns[sign] for sign in set(text) - {" "}]
        return [self.writers[at] for at in np.flatnonzero(self._has[:, wanted].all(axis=1))]

    def can(self, writer: str, text: str) -> bool:
        """Return whether a writer has written every sign of a text."""
        return writer in self.samples and all(sign in self.samples[writer] for sign in text if sign != " ")

    def pieces(self, writer: str, text: str, random: Random) -> list[list[Piece]]:
        """Return the signs of a text by a writer: one group for each part between spaces."""
        keeps = float(random.uniform(0.3, 1.0))
        return [[self._piece(writer, sign, keeps, random) for sign in part] for part in text.split()]

    def _piece(self, writer: str, sign: str, keeps: float, random: Random) -> Piece:
        samples = self.samples[writer][sign]
        sample = samples[int(random.integers(len(samples)))]
        return sized_sign(sign, sample.strokes(), sample.h, keeps, random)


def rows_of_signs(signs: Iterable[Utterance], count: int, seed: int) -> Iterator[tuple[Utterance, Ink]]:
    """Compose rows of signs; draw a text for each, then a writer who has written all its signs.

    Args:
        signs: utterances of isolated signs.
        count: number of rows.
        seed: seed of all random choices.

    Raises:
        DataError: no writer has written enough signs.
    """
    hands = Hands(signs)
    for number in range(count):
        random = generator(seed, "rows of signs", number)
        text, able = _able(hands, random)
        writer = able[int(random.integers(len(able)))]
        ink = joined(hands.pieces(writer, text, random), draw_spacing(random), random)
        yield _utterance(f"rows-{seed}-{number:06d}", text, writer), ink


def _able(hands: Hands, random: Random) -> tuple[str, list[str]]:
    """Draw texts until at least one writer has written all signs; return the text and these writers."""
    for _ in range(_MOST_TRIES if hands.writers else 0):
        text = expression(random)
        if able := hands.able(text):
            return text, able
    raise DataError(
        f"composed_rows: none of {len(hands.writers)} training writers has enough isolated signs for a row (category"
        " 2); complete the release, or set composed_rows=0"
    )


def lines_of_words(
    words: Iterable[Utterance], signs: Iterable[Utterance], count: int, seed: int
) -> Iterator[tuple[Utterance, Ink]]:
    """Compose lines of 2 to 5 words; some words get punctuation or are replaced by an expression of signs.

    Args:
        words: utterances of words in any order; only writers with at least 8 words are used.
        signs: utterances of isolated signs; those of writers without words are not used.
        count: number of lines.
        seed: seed of all random choices.

    Raises:
        DataError: no writer has enough words.
    """
    hands, samples = Hands(signs), _words(words)
    writers = sorted(samples)
    if count and not writers:
        raise DataError(
            f"composed_lines: no training writer has {_FEWEST_WORDS} words (category 7); complete the release, or set"
            " composed_lines=0"
        )
    for number in range(count):
        random = generator(seed, "lines of words", number)
        writer = writers[int(random.integers(len(writers)))]
        factor = float(np.exp(random.uniform(*np.log(_LOOSER))))
        groups = [_group(samples[writer], hands, writer, factor, random) for _ in range(random.integers(2, 6))]
        pieces = [part for group in groups for part in group]
        text = " ".join("".join(piece.text for piece in part) for part in pieces)
        spacing = _clear(draw_spacing(random), pieces, random)
        yield _utterance(f"lines-{seed}-{number:06d}", text, writer), joined(pieces, spacing, random)


def _clear(spacing: Spacing, pieces: Sequence[Sequence[Piece]], random: Random) -> Spacing:
    """Make spaces wider than the gaps within words in nine of ten lines, as nine of ten writers do."""
    if random.random() < 0.1:
        return spacing
    widest = max(widest_gap(piece) for part in pieces for piece in part)
    return replace(spacing, blank=max(spacing.blank, widest + _CLEAR))


def _group(words: Sequence[Sample], hands: Hands, writer: str, factor: float, random: Random) -> list[list[Piece]]:
    """Return a random word, sometimes with punctuation, or an expression of signs if the writer has these signs."""
    if random.random() < 0.2 and writer in hands.samples:
        for _ in range(_TRIES):
            if hands.can(writer, text := expression(random)):
                return hands.pieces(writer, text, random)
    word = loosened(placed_word(words[int(random.integers(len(words)))]), factor)
    ends = [sign for sign in _ENDS if hands.can(writer, sign)]
    if ends and word.text[-1].isalnum() and random.random() < 0.25:
        return [[word, *hands.pieces(writer, ends[int(random.integers(len(ends)))], random)[0]]]
    return [[word]]


def placed_word(sample: Sample) -> Piece:
    """Return a word in h, with its base line level and at 0."""
    trace = normalised(ink_signal(_ink(sample.utterance)).astype(np.float64), slant=False, size=False)
    points = (trace.points - [trace.points[:, 0].min(), trace.bottom]) / sample.h
    return Piece(str(sample.utterance.text), tuple(np.split(points, trace.first[1:])))


def _words(words: Iterable[Utterance]) -> Mapping[str, Sequence[Sample]]:
    """Return the words of each writer who has enough; h is the median over a file."""
    samples: dict[str, list[Sample]] = defaultdict(list)
    for group in _by_file(one for one in words if one.text and " " not in one.text).values():
        traces = (normalised(ink_signal(_ink(one)).astype(np.float64), slant=False, size=False) for one in group)
        cores = np.array([trace.top - trace.bottom for trace in traces])
        h = float(np.median(cores))
        if h > 0:
            samples[str(group[0].speaker)] += [
                Sample(one, h) for one, core in zip(group, cores.tolist(), strict=True) if 0.4 < core / h < 2.5
            ]
    return {writer: some for writer, some in samples.items() if len(some) >= _FEWEST_WORDS}


def _by_file(utterances: Iterable[Utterance]) -> Mapping[tuple[str, str], list[Utterance]]:
    """Group utterances by writer and file; the ink of a group has one scale."""
    groups: dict[tuple[str, str], list[Utterance]] = defaultdict(list)
    for one in utterances:
        groups[str(one.speaker), one.tags["file"]].append(one)
    return groups


def _ink(utterance: Utterance) -> Ink:
    assert utterance.start is not None  # a reader's utterance has both
    assert utterance.duration is not None
    return read_store(utterance.source, int(utterance.start), int(utterance.duration))


def _side(ink: Ink) -> float:
    left, bottom, right, top = ink.bounds()
    return max(right - left, top - bottom)


def _utterance(name: str, text: str, writer: str) -> Utterance:
    donor = writer.split("-")[0]
    return Utterance(name, Path(), "ink", text=text, speaker=writer, tags={"donor": donor, "quality": "composed"})
