"""Align a known transcript with its recording or ink: find the time, or the points, of each label and word.

A `TranscriptDecoder` replaces the decoder of the recogniser, so that recordings of any length and ink are read as for
recognition; its only hypothesis is the transcript.

The times of a recording are computed by `asr.recogniser.alignment_timing`. If the frames of the model are a filterbank,
`asr.recogniser.alignment_change` then moves boundaries to where the sound changes. The points of ink are computed by
`asr.recogniser.alignment_ink`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asr.compiling import can_compile
from asr.corpus.inventory import Inventory
from asr.corpus.utterance import Utterance
from asr.ctc.guard import count_repeats, frames_needed
from asr.decoding.hypothesis import Hypothesis, Score, Span, words_of
from asr.errors import DataError
from asr.features.sound.spectral import SpectralFeatures
from asr.ink import Ink
from asr.recogniser.alignment_change import Changes, changes_of, sharpened
from asr.recogniser.alignment_ink import at_lifts, frames_of_letters
from asr.recogniser.alignment_timing import Emission, Timing, times_of, timing_of
from asr.recogniser.alignment_transcript import Transcript, aligned, chosen_ways, spoken_words, transcript_of
from asr.recogniser.batching import placed
from asr.recogniser.long import transcribe_long
from asr.recogniser.sources import LongSound, Source, ink_of, opened
from asr.text import normalise_text

if TYPE_CHECKING:
    from asr.recogniser.recogniser import Recogniser

DOUBTFUL = 0.02
"""The confidence of a word, the geometric mean of its labels', below which the word was probably not said."""

_PLAIN_CELLS = 300_000_000  # the most frames times labels that are aligned without numba: some minutes of work


def align_transcript(
    recogniser: Recogniser,
    source: Source,
    transcript: Transcript,
    channel: int | None = None,
    rate: int | None = None,
) -> Hypothesis:
    """Find the time, or the points of ink, of each label of a transcript.

    Args:
        recogniser: the recogniser; its decoder is not used.
        source: a recording or ink, as for `Recogniser.transcribe`.
        transcript: a transcript from `spelled` or, for words of a model of phonemes, from
            `asr.recogniser.alignment_transcript.pronounced`.
        channel: which channel of a recording with several, from 0.
        rate: the sampling rate of samples that do not carry it, in hertz.

    Returns:
        The transcript as a hypothesis: `spans` and `words` with their times in seconds, or points of ink. The
        confidence of a label is its highest posterior in its span, that of a word the lowest of its labels, that of the
        transcript the geometric mean of all labels. Confidences are not calibrated; see `doubtful_words`.

    Raises:
        DataError: the source cannot be read, or the transcript needs more frames than the source has.
    """
    inventory = recogniser.inventory
    timing = None if recogniser.reads_ink else timing_of(inventory)
    aligner = replace(recogniser, decoder=TranscriptDecoder(inventory, transcript, timing))
    if recogniser.reads_ink:
        source = aligned_ink(source)
    with opened(recogniser.extractor, source, rate, channel) as one:
        if isinstance(one, LongSound):
            return _sharpened(transcribe_long(aligner, one)[0], recogniser, one.frames, one.start)
        found = aligner.recognise([aligner.frames(one.values)], one.start)[0][0]
    if isinstance(source, Ink):
        return at_lifts(placed([found], one)[0], np.cumsum([len(stroke) for stroke in source.strokes]))
    return _sharpened(found, recogniser, lambda: [one.values], one.start)


def aligned_ink(source: Source) -> Ink:
    """Return the ink whose points an alignment of this source counts; for an utterance, its part of the file."""
    if not isinstance(source, Utterance) or source.start is None:
        return ink_of(source.source if isinstance(source, Utterance) else source)
    from asr.ink.reading import read_ink  # imported here, because recognisers of sound do not need it

    return read_ink(source.source, int(source.start), None if source.duration is None else int(source.duration))


def _sharpened(
    found: Hypothesis, recogniser: Recogniser, blocks: Callable[[], Iterable[NDArray[np.float32]]], start: float
) -> Hypothesis:
    changes = changes_in(recogniser, blocks, start)
    return found if changes is None else sharpened(found, changes, recogniser.inventory.unit)


def changes_in(
    recogniser: Recogniser, blocks: Callable[[], Iterable[NDArray[np.float32]]], start: float
) -> Changes | None:
    """Compute the changes of a recording's spectrum; None if the frames of the model are not a filterbank.

    Args:
        recogniser: the recogniser.
        blocks: returns the frames of the extractor, block by block; it is called twice.
        start: where the recording begins in its file, in seconds.
    """
    extractor = recogniser.extractor
    if not isinstance(extractor, SpectralFeatures) or extractor.kind != "filterbank":
        return None
    step = extractor.frame_shift
    first = start + float(extractor.positions(1)[0]) - step / 2
    return changes_of(blocks, extractor.n_mels, first, step)


def spelled(inventory: Inventory, text: str, name: str) -> Transcript:
    """Convert a text to a transcript in the labels of a model.

    Args:
        inventory: the inventory of the model.
        text: for a model of characters the words, which are converted to capitals or small letters if the model has
            only these; for a model of phonemes its labels, with spaces between them.
        name: the name of the transcript in messages, such as that of the file.

    Raises:
        DataError: the transcript is empty, or has a symbol that is not among the labels.

    >>> spelled(Inventory(("<blank>", "A", "B"), unit="characters"), "ab", "my recording").labels
    (1, 2)
    """
    return spelled_utterance(inventory, Utterance(name, Path(name), text=text, labels=tuple(text.split())))


def spelled_utterance(inventory: Inventory, utterance: Utterance) -> Transcript:
    """Convert the transcript of an utterance of a manifest; see `spelled`."""
    labels = inventory.encode(_in_its_case(inventory, utterance))
    if not labels:
        raise DataError(f"'{utterance.id}': the transcript is empty; expected what was said")
    return transcript_of(inventory, utterance.id, labels)


def _in_its_case(inventory: Inventory, utterance: Utterance) -> Utterance:
    """Return the utterance with its text in capitals or small letters, if the model has only such characters."""
    if inventory.unit == "characters" and utterance.text is not None:
        for text in (utterance.text, utterance.text.upper(), utterance.text.lower()):
            if not inventory.missing(normalise_text(text)):
                return replace(utterance, text=text)
    return utterance


class TranscriptDecoder:
    """A decoder that finds the times of a given transcript; see `asr.decoding.search.Decoder`.

    Args:
        inventory: the labels, one of which is the blank.
        transcript: the transcript.
        timing: the parameters for the times of a recording; None for ink, where times are whole frames.
    """

    def __init__(self, inventory: Inventory, transcript: Transcript, timing: Timing | None) -> None:
        self.inventory, self.transcript, self.timing = inventory, transcript, timing

    def begin(self, frame_seconds: float, offset: float = 0.0) -> TranscriptSearch:
        """Return the search for one utterance."""
        return TranscriptSearch(self, frame_seconds, offset)


class TranscriptSearch:
    """A search that collects posteriors and aligns them at the end; see `asr.decoding.search.Search`."""

    def __init__(self, decoder: TranscriptDecoder, frame_seconds: float, offset: float) -> None:
        self._decoder, self._frame_seconds, self._offset = decoder, frame_seconds, offset
        self._chunks: list[NDArray[np.float32]] = []

    def step(self, log_probs: NDArray[np.float32]) -> None:
        """Read the next frames."""
        self._chunks.append(log_probs.copy())  # a view would keep its whole batch in memory

    @property
    def text(self) -> str:
        """The transcript."""
        inventory, transcript = self._decoder.inventory, self._decoder.transcript
        words = " ".join(word.word for word in transcript.words)
        return words or inventory.text(inventory.decode(transcript.said))

    def end(self, n_best: int = 1) -> list[Hypothesis]:
        """Return the transcript with its times.

        Raises:
            DataError: the transcript has too many labels for the frames, its path has probability 0, or aligning it
                requires numba, which is not installed.
        """
        inventory, transcript = self._decoder.inventory, self._decoder.transcript
        log_probs = np.concatenate([np.zeros((0, len(inventory)), dtype=np.float32), *self._chunks])
        self._check(len(log_probs))
        try:
            transcript = chosen_ways(log_probs, transcript, inventory)
            found = aligned(log_probs, transcript, inventory)
        except ValueError as error:  # every path has probability 0; other faults were checked before
            raise DataError(f"'{transcript.name}': the transcript is impossible for the model: {error}") from error
        stands = np.flatnonzero(found.end > found.start)
        names, optional = inventory.decode(found.labels[stands]), np.array(transcript.optional)
        times = self._times(names, found.start[stands], found.end[stands], len(log_probs))
        spans = tuple(
            Span(name, start, end, math.exp(score))
            for name, (start, end), score, left_out in zip(
                names, times, found.score[stands].tolist(), optional[stands].tolist(), strict=True
            )
            if not left_out
        )
        said = tuple(span.label for span in spans)
        score = Score(found.log_probability)
        words = spoken_words(spans, transcript.words) if transcript.words else words_of(spans, inventory.unit)
        return [Hypothesis(said, self.text, score, spans, words, confidence=_mean(spans))]

    def _check(self, n_frames: int) -> None:
        transcript = self._decoder.transcript
        said = transcript.said
        if n_frames < (needed := frames_needed(said)):
            repeats = count_repeats(said)
            raise DataError(
                f"'{transcript.name}': {n_frames} frames cannot carry the {len(said)} labels of the transcript with"
                f" {repeats} repeat{'s' * (repeats != 1)} (needs {needed}); give the transcript of this file only"
            )
        if n_frames * len(transcript.labels) > _PLAIN_CELLS and not can_compile():
            raise DataError(
                f"'{transcript.name}': {n_frames} frames with {len(transcript.labels)} labels are too many to align"
                " without numba; `pip install numba`, or divide the file"
            )

    def _times(
        self, names: Sequence[str], start: NDArray[np.int64], end: NDArray[np.int64], n_frames: int
    ) -> list[tuple[float, float]]:
        """Return start and end of each label: seconds for a recording, frames for ink."""
        if self._decoder.timing is None:
            frames = frames_of_letters(names, start, end, n_frames)
            offset, step = self._offset, self._frame_seconds
            return [(offset + first * step, offset + last * step) for first, last in frames]
        seconds, begin = self._frame_seconds, self._offset
        emissions = [
            Emission(name, begin + first * seconds, begin + last * seconds)
            for name, first, last in zip(names, start.tolist(), end.tolist(), strict=True)
        ]
        return times_of(emissions, self._decoder.timing, begin, begin + n_frames * seconds)


def doubtful_words(found: Hypothesis, inventory: Inventory) -> list[Span]:
    """Return the words of an alignment that were probably not said, with a confidence below `DOUBTFUL`.

    The confidence of a word is the geometric mean of the confidences of its labels. A model of whole labels (phonemes)
    often errs on single labels, so for such a model the whole transcript is treated as one word.
    """
    if inventory.unit == "labels":
        groups = [list(found.spans)]
        words = [Span(found.text, found.spans[0].start, found.spans[-1].end, 0.0)]
    else:
        by_space = groupby(found.spans, key=lambda span: span.label.isspace())
        groups = [list(group) for is_space, group in by_space if not is_space]
        words = list(found.words)
    judged = [replace(word, confidence=_mean(group)) for word, group in zip(words, groups, strict=True)]
    return [word for word in judged if word.confidence < DOUBTFUL]


def _mean(spans: Sequence[Span]) -> float:
    """Return the geometric mean of the confidences."""
    if min(span.confidence for span in spans) == 0:
        return 0.0
    return math.exp(sum(math.log(span.confidence) for span in spans) / len(spans))
