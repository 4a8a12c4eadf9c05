"""Recognise many utterances in batches of similar length, a part of the list at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asr.decoding.hypothesis import Hypothesis, at_points
from asr.decoding.search import decode
from asr.errors import DataError
from asr.features.grouping import group_by_length
from asr.recogniser.long import transcribe_long
from asr.recogniser.sources import LongSound, RawFrames, Source, opened

if TYPE_CHECKING:
    from asr.recogniser.recogniser import Recogniser

_BATCH_FRAMES = 16000  # the most stacked frames in a batch, padding included
_BATCH_UTTERANCES = 64
_STRETCH_FRAMES = 4 * _BATCH_FRAMES  # frames kept in memory, enough to make batches of similar length
_STRETCH_SOURCES = 4 * _BATCH_UTTERANCES


@dataclass(frozen=True, eq=False)
class Posteriors:
    """The posteriors of a batch of utterances of similar length.

    Attributes:
        numbers: the numbers of the utterances, from 0.
        log_probs: (B, T, L) float32.
        lengths: (B,) how many frames each utterance has.
    """

    numbers: Sequence[int]
    log_probs: NDArray[np.float32]
    lengths: NDArray[np.int64]


def posteriors_of(
    recogniser: Recogniser, sizes: Sequence[int], frames_of: Callable[[int], NDArray[np.float32]]
) -> Iterator[Posteriors]:
    """Compute the posteriors of utterances in batches of similar length.

    Args:
        recogniser: the recogniser.
        sizes: how many stacked frames each utterance has.
        frames_of: returns the stacked frames (T, F) of an utterance, given its number.
    """
    for batch in group_by_length(sizes, _BATCH_FRAMES, _BATCH_UTTERANCES):
        yield Posteriors(batch, *recogniser.posteriors([frames_of(i) for i in batch]))


def recognise_all(
    recogniser: Recogniser,
    sizes: Sequence[int],
    frames_of: Callable[[int], NDArray[np.float32]],
    starts: Sequence[float] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    n_best: int = 1,
) -> list[list[Hypothesis]]:
    """Recognise utterances in batches of similar length.

    Args:
        recogniser: the recogniser, with its decoder.
        sizes: how many stacked frames each utterance has.
        frames_of: returns the stacked frames (T, F) of an utterance, given its number.
        starts: the time of the first frame of each utterance; None: 0.
        on_progress: called with `(done, total)`.
        n_best: the most hypotheses to return for an utterance.

    Returns:
        The hypotheses of each utterance, best first, in the order of the utterances. But for rounding, they do not
        depend on the other utterances.
    """
    found: dict[int, list[Hypothesis]] = {}
    for one in posteriors_of(recogniser, sizes, frames_of):
        offset = 0.0 if starts is None else [starts[i] for i in one.numbers]
        decoded = decode(recogniser.decoder, one.log_probs, one.lengths, recogniser.frame_seconds, offset, n_best)
        found.update(zip(one.numbers, decoded, strict=True))
        if on_progress is not None:
            on_progress(len(found), len(sizes))
    return [found[i] for i in range(len(sizes))]


def transcribe_each(
    recogniser: Recogniser,
    sources: Iterable[Source],
    channel: int | None = None,
    speaker: str | None = None,
    rate: int | None = None,
    batched: bool = True,
    on_progress: Callable[[float, float], None] | None = None,
    n_best: int = 1,
) -> Iterator[list[Hypothesis] | DataError]:
    """Recognise many sources, which are read only as they are needed.

    Args:
        recogniser: the recogniser, with its decoder.
        sources: the sources, see `Recogniser.transcribe`.
        channel: the channel of all sources.
        speaker: the speaker of all sources.
        rate: the sampling rate of samples, for all sources.
        batched: recognise sources of similar length together; otherwise one by one, as soon as each is read.
        on_progress: called with `(seconds done, seconds in total)` for a long recording.
        n_best: the most hypotheses to return for a source.

    Yields:
        For each source, in order, its hypotheses, best first, or the error with which it could not be read.
    """
    stretch: list[RawFrames | list[Hypothesis] | DataError] = []
    n_frames = 0
    for source in sources:
        raw = _read(recogniser, source, rate, channel, speaker, on_progress, n_best)
        stretch.append(raw)
        n_frames += len(raw.values) if isinstance(raw, RawFrames) else 0
        if len(stretch) >= (_STRETCH_SOURCES if batched else 1) or n_frames >= _STRETCH_FRAMES:
            yield from _of_stretch(recogniser, stretch, speaker, n_best)
            stretch, n_frames = [], 0
    yield from _of_stretch(recogniser, stretch, speaker, n_best)


def _read(
    recogniser: Recogniser,
    source: Source,
    rate: int | None,
    channel: int | None,
    speaker: str | None,
    on_progress: Callable[[float, float], None] | None,
    n_best: int,
) -> RawFrames | list[Hypothesis] | DataError:
    """Return the frames of a source or its error; for a long recording, whose frames are not kept, the hypotheses."""
    try:
        with opened(recogniser.extractor, source, rate, channel) as one:
            if isinstance(one, LongSound):
                return transcribe_long(recogniser, one, speaker, on_progress, n_best)
            return one
    except DataError as error:
        return error


def _of_stretch(
    recogniser: Recogniser,
    stretch: Sequence[RawFrames | list[Hypothesis] | DataError],
    speaker: str | None,
    n_best: int,
) -> Iterator[list[Hypothesis] | DataError]:
    """Yield the result of each source of a stretch, in order."""
    raws = [one for one in stretch if isinstance(one, RawFrames)]
    sizes = [recogniser.stacking.out_length(len(raw.values)) for raw in raws]
    starts = [raw.start for raw in raws]
    found = iter(
        recognise_all(recogniser, sizes, lambda i: recogniser.frames(raws[i].values, speaker), starts, n_best=n_best)
    )
    for one in stretch:
        yield placed(next(found), one) if isinstance(one, RawFrames) else one


def placed(hypotheses: Sequence[Hypothesis], raw: RawFrames) -> list[Hypothesis]:
    """Return the hypotheses of a source; if it is ink, with spans that count its points."""
    return [one if raw.places is None else at_points(one, raw.places) for one in hypotheses]
