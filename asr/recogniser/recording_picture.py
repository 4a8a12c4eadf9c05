"""A picture of a recording and of what a recogniser makes of it: words, waveform and posteriorgram, as SVG.

The posteriorgram has a row for each label that is likely somewhere, in the order in which they become likely, and the
blank below. A cell is as opaque as its label is probable in that frame; frames of a word have the word's colour.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asr.audio import Sound
from asr.audio.blocks import sound_blocks
from asr.corpus.inventory import Inventory
from asr.corpus.utterance import Utterance
from asr.decoding.hypothesis import Hypothesis, Span
from asr.decoding.search import decode
from asr.errors import DataError
from asr.features.extractor import Sampled
from asr.recogniser.picture_theme import TEXT, Theme, framed, number, rectangle, text, theme_of
from asr.recogniser.sources import LONG_SECONDS, LongSound, Source, opened

if TYPE_CHECKING:
    from asr.recogniser.recogniser import Recogniser

MOST_LABELS = 40
"""Rows of a posteriorgram; of more labels, the most probable ones are drawn."""

_LIKELY = 0.1  # a label whose posterior never reaches this gets no row
_VISIBLE = 0.02  # a cell below this is not drawn
_COLUMNS = 480  # of the waveform

_WIDTH, _LEFT, _RIGHT = 720.0, 64.0, 16.0
_WORDS, _WAVE, _ROW, _GAP = 40.0, 88.0, 20.0, 12.0  # heights


Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RecognisedRecording:
    """A recording with its posteriors.

    Attributes:
        samples: (N,) float32.
        rate: hertz.
        log_probs: (T, L) float32, natural logarithms.
        step: seconds from one frame of `log_probs` to the next.
        start: seconds from the beginning of the file to the first sample.
        inventory: the labels, L of them.
        hypothesis: the text that the recogniser's decoder finds.
    """

    samples: NDArray[np.float32]
    rate: int
    log_probs: NDArray[np.float32]
    step: float
    start: float
    inventory: Inventory
    hypothesis: Hypothesis


def recognised_recording(
    recogniser: Recogniser, source: Source, channel: int | None = None, speaker: str | None = None
) -> RecognisedRecording:
    """Recognise a recording and keep its posteriors.

    Args:
        recogniser: of recordings.
        source, channel, speaker: as for `Recogniser.transcribe`.

    Raises:
        DataError: the source cannot be read, is ink, or is longer than a minute. The length of a stream is checked
            before its samples are decoded, and so is that of a file if the extractor is `Streaming`.
    """
    extractor = recogniser.extractor
    if recogniser.reads_ink:
        raise DataError("this model reads ink, not recordings; load one that has learned from recordings")
    if not isinstance(extractor, Sampled):
        raise DataError(f"{type(extractor).__name__} has no `rate`; a picture shows recordings of a known rate only")
    source = _readable_twice(source, channel, extractor.rate)
    with opened(extractor, source, None, channel) as one:
        if isinstance(one, LongSound):
            raise _too_long(one.sound.name, one.sound.seconds)
        samples = source.samples if isinstance(source, Sound) else extractor.read(source)
        if len(samples) > LONG_SECONDS * extractor.rate:
            raise _too_long(_name(source), len(samples) / extractor.rate)
        log_probs, lengths = recogniser.posteriors([recogniser.frames(one.values, speaker)])
        start = one.start
    step = recogniser.frame_seconds
    hypothesis = decode(recogniser.decoder, log_probs, lengths, step, start)[0][0]
    return RecognisedRecording(
        samples, extractor.rate, log_probs[0, : lengths[0]], step, start, recogniser.inventory, hypothesis
    )


def _readable_twice(source: Source, channel: int | None, rate: int) -> Utterance | Sound:
    """Return a file by its name, and any other source as its samples at a rate, if they are not too many."""
    if isinstance(source, (str, Path)):
        path = Path(source).expanduser().absolute()
        return Utterance(path.stem, path, channel=channel)
    if isinstance(source, Utterance):
        return source
    with sound_blocks(source, rate, channel) as sound:
        if sound.seconds > LONG_SECONDS:
            raise _too_long(sound.name, sound.seconds)
        return Sound(sound.whole(), rate)


def _name(source: Utterance | Sound) -> str:
    return str(source.source) if isinstance(source, Utterance) else "<samples>"


def _too_long(name: str, seconds: float) -> DataError:
    shown = math.ceil(seconds * 10) / 10  # rounded up, so that it is more than the limit
    return DataError(f"{name}: {shown:.1f} s long; a picture shows {LONG_SECONDS:.0f} s at most, cut the recording")


def recording_lines(
    recording: RecognisedRecording, name: str, hypothesis: Hypothesis | None = None, theme: str = "light"
) -> Iterator[str]:
    """Yield the lines of an SVG file.

    Args:
        recording: a recording with its posteriors, see `recognised_recording`.
        name: of the file, for the title.
        hypothesis: words and labels to draw, such as an alignment; None: what the recogniser found.
        theme: `light` or `dark`.

    Raises:
        ConfigError: there is no such theme.
    """
    drawing = _Drawing(recording, hypothesis or recording.hypothesis, theme_of(theme))
    return framed(drawing.lines(), _WIDTH, drawing.height, f"{name}: {drawing.found.text}", drawing.theme)


class _Drawing:
    """The places of everything in the picture, and its elements."""

    def __init__(self, recording: RecognisedRecording, found: Hypothesis, theme: Theme) -> None:
        self.recording, self.found, self.theme = recording, found, theme
        self.probabilities: Floats = np.exp(recording.log_probs.astype(np.float64))
        self.seconds = max(len(recording.samples) / recording.rate, len(recording.log_probs) * recording.step)
        self.rows = [*_likely(self.probabilities, recording.inventory.blank), recording.inventory.blank]
        self.top = _WORDS + _WAVE + _GAP  # of the posteriorgram
        self.bottom = self.top + len(self.rows) * _ROW
        self.height = self.bottom + 2.2 * TEXT

    def x(self, seconds: float) -> float:
        """Return the place of a moment, in seconds from the first sample."""
        return _LEFT + min(max(seconds / self.seconds, 0.0), 1.0) * (_WIDTH - _LEFT - _RIGHT)

    def lines(self) -> Iterator[str]:
        """Yield the elements."""
        yield from self._words()
        yield self._wave()
        yield from self._labels()
        yield from self._cells()
        yield from self._axis()

    def _words(self) -> Iterator[str]:
        right = -np.inf
        for place, word in enumerate(self.found.words):
            start, end = self._within(word)
            middle, half = (start + end) / 2, len(word.label) * TEXT * 0.33
            yield rectangle(start, _WORDS - 8, max(end - start, 2.0), 3, self.theme.colour(place))
            yield rectangle(start, _WORDS, max(end - start, 2.0), self.bottom - _WORDS, self.theme.colour(place), 0.07)
            if middle - half > right:  # a text that would cover the one before it is left out
                yield text(word.label, middle, _WORDS - 16, self.theme.colour(place))
                right = middle + half

    def _within(self, span: Span) -> tuple[float, float]:
        return self.x(span.start - self.recording.start), self.x(span.end - self.recording.start)

    def _wave(self) -> str:
        """Return the outline of the least and the largest samples of each column."""
        samples = self.recording.samples
        columns = min(_COLUMNS, len(samples))
        edges = np.linspace(0, len(samples), columns + 1).astype(np.int64)[:-1]
        low, high = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
        loudest = float(np.abs(samples).max()) or 1.0
        width = self.x(len(samples) / self.recording.rate) - _LEFT
        xs = _LEFT + (np.arange(columns) + 0.5) * width / columns
        middle, scale = _WORDS + _WAVE / 2, _WAVE / 2 / loudest
        places = [*zip(xs, middle - high * scale, strict=True), *zip(xs[::-1], middle - low[::-1] * scale, strict=True)]
        outline = "L".join(f"{number(x)} {number(y)}" for x, y in places)
        return f'<path d="M{outline}Z" fill="{self.theme.ink}" opacity="0.55"/>'

    def _labels(self) -> Iterator[str]:
        for place, label in enumerate(self.rows):
            name = self.recording.inventory.labels[label]
            shown = "blank" if label == self.recording.inventory.blank else "space" if name.isspace() else name
            y = self.top + place * _ROW
            yield text(shown, _LEFT - 8, y + 0.72 * _ROW, self.theme.ink, "end")
            yield rectangle(_LEFT, y + _ROW - 1, _WIDTH - _LEFT - _RIGHT, 1, self.theme.faint, 0.5)

    def _cells(self) -> Iterator[str]:
        colours = self._colours()
        for place, label in enumerate(self.rows):
            shown: Floats = np.round(self.probabilities[:, label], 2)
            own = None if label == self.recording.inventory.blank else colours
            for first, last in _runs(shown, own):
                if shown[first] < _VISIBLE:
                    continue
                colour = self.theme.ink if own is None or own[first] < 0 else self.theme.colour(own[first])
                left, right = self.x(first * self.recording.step), self.x(last * self.recording.step)
                opacity = shown[first] * (0.35 if own is None else 1.0)
                yield rectangle(left, self.top + place * _ROW + 2, right - left, _ROW - 4, colour, opacity)

    def _colours(self) -> NDArray[np.int64]:
        """Return the number of the word that each frame belongs to, -1 between words: (T,)."""
        middles = self.recording.start + (np.arange(len(self.probabilities)) + 0.5) * self.recording.step
        numbers = np.full(len(middles), -1, dtype=np.int64)
        for place, word in enumerate(self.found.words):
            numbers[(middles >= word.start) & (middles < word.end)] = place
        return numbers

    def _axis(self) -> Iterator[str]:
        every = next(step for step in (0.5, 1.0, 2.0, 5.0, 10.0) if self.seconds / step <= 12 or step == 10.0)
        for tick in np.arange(0.0, self.seconds, every):
            x = self.x(tick)
            yield rectangle(x, self.bottom, 1, 5, self.theme.ink)
            unit = " s" if tick + every >= self.seconds else ""
            yield text(f"{number(self.recording.start + tick)}{unit}", x, self.bottom + 1.5 * TEXT, self.theme.ink)


def _likely(probabilities: Floats, blank: int) -> list[int]:
    """Return the labels that are likely in a frame, in the order of their highest peaks."""
    peaks = probabilities.max(axis=0, initial=0.0)
    peaks[blank] = 0.0
    labels = np.flatnonzero(peaks >= _LIKELY)
    labels = labels[np.argsort(-peaks[labels], kind="stable")[:MOST_LABELS]]
    first = {int(label): int(np.argmax(probabilities[:, label] >= _LIKELY)) for label in labels}
    return sorted(first, key=lambda label: (first[label], label))


def _runs(values: Floats, groups: Sequence[int] | NDArray[np.int64] | None) -> Iterator[tuple[int, int]]:
    """Yield the first frame of each run of equal values in one group, and the first frame behind it."""
    if not len(values):
        return
    changes = values[1:] != values[:-1]
    if groups is not None:
        numbers = np.asarray(groups)
        changes |= numbers[1:] != numbers[:-1]
    edges = [0, *(np.flatnonzero(changes) + 1).tolist(), len(values)]
    yield from pairwise(edges)
