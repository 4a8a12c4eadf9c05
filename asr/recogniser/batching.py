"""Recognise many utterances: in batches of similar length, a stretch of the list at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asr.decoding.hypothesis import Hypothesis, at_points
from asr.errors import DataError
from asr.features.grouping import group_by_length
from asr.recogniser.long import transcribe_long
from asr.recogniser.sources import RawFrames, Source, opened

if TYPE_CHECKING:
    from asr.recogniser.recogniser import Recogniser

_BATCH_FRAMES = 16000  # stacked frames recognised at once, padding included
_BATCH_UTTERANCES = 64
_STRETCH_FRAMES = 4 * _BATCH_FRAMES  # frames kept in memory; enough of them that batches are of similar length
_STRETCH_SOURCES = 4 * _BATCH_UTTERANCES


def recognise_all(
    recogniser: Recogniser,
    sizes: Sequence[int],
    frames_of: Callable[[int], NDArray[np.float32]],
    starts: Sequence[float] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Hypothesis]:
    """Recognise utterances in batches of similar length.

    Args:
        recogniser: with its decoder.
        sizes: stacked frames of each utterance.
        frames_of: gives the stacked frames (T, F) of an utterance by its index, when they are needed.
        starts: where each utterance's first frame stands; None: at 0.
        on_progress: hears how many of how many are done.

    Returns:
        the best hypothesis of each utterance, in their order; as each gives alone, but for rounding: see
        `Recogniser.transcribe`.
    """
    found: dict[int, Hypothesis] = {}
    for batch in group_by_length(sizes, _BATCH_FRAMES, _BATCH_UTTERANCES):
        offset = 0.0 if starts is None else [starts[i] for i in batch]
        hypotheses = recogniser.recognise([frames_of(i) for i in batch], offset)
        found.update(zip(batch, (n_best[0] for n_best in hypotheses), strict=True))
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
) -> Iterator[Hypothesis | DataError]:
    """Recognise many sources, which are asked for as they are needed.

    Args:
        recogniser: with its decoder.
        sources: each as of `Recogniser.transcribe`.
        channel, speaker, rate: of all sources, as of `Recogniser.transcribe`.
        batched: recognise sources of similar length together; else one by one, each as soon as it is read.
        on_progress: hears how many seconds of how many of a long recording are recognised.

    Returns:
        for each source, in order, its hypothesis, or why it could not be read.
    """
    stretch: list[RawFrames | Hypothesis | DataError] = []
    n_frames = 0
    for source in sources:
        raw = _read(recogniser, source, rate, channel, speaker, on_progress)
        stretch.append(raw)
        n_frames += len(raw.values) if isinstance(raw, RawFrames) else 0
        if len(stretch) >= (_STRETCH_SOURCES if batched else 1) or n_frames >= _STRETCH_FRAMES:
            yield from _of_stretch(recogniser, stretch, speaker)
            stretch, n_frames = [], 0
    yield from _of_stretch(recogniser, stretch, speaker)


def _read(
    recogniser: Recogniser,
    source: Source,
    rate: int | None,
    channel: int | None,
    speaker: str | None,
    on_progress: Callable[[float, float], None] | None,
) -> RawFrames | Hypothesis | DataError:
    """The frames of a source; the hypothesis of a recording that is too long to keep its frames."""
    try:
        with opened(recogniser.extractor, source, rate, channel) as one:
            return one if isinstance(one, RawFrames) else transcribe_long(recogniser, one, speaker, on_progress)
    except DataError as error:
        return error


def _of_stretch(
    recogniser: Recogniser, stretch: Sequence[RawFrames | Hypothesis | DataError], speaker: str | None
) -> Iterator[Hypothesis | DataError]:
    """The result of each, in order."""
    raws = [one for one in stretch if isinstance(one, RawFrames)]
    sizes = [recogniser.stacking.out_length(len(raw.values)) for raw in raws]
    starts = [raw.start for raw in raws]
    found = iter(recognise_all(recogniser, sizes, lambda i: recogniser.frames(raws[i].values, speaker), starts))
    for one in stretch:
        yield placed(next(found), one) if isinstance(one, RawFrames) else one


def placed(hypothesis: Hypothesis, raw: RawFrames) -> Hypothesis:
    """The hypothesis with spans that count the points of the ink, where the source is ink."""
    return hypothesis if raw.places is None else at_points(hypothesis, raw.places)
