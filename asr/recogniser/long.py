"""Recognise long recordings in pieces, in memory that does not grow with their length.

The sound is read twice. The first pass measures its loudness, which decides where to divide it (`asr.recogniser.cuts`),
and the mean and deviation of its frames, so that every piece is normalised like the whole. In the second pass the
network computes each piece together with `_CONTEXT` seconds of sound before and after it, whose posteriors are dropped;
they give the network context at both borders. The remaining posteriors are those of the whole recording, and a single
search reads them. So a word across a border is found once, language models see the whole text, and times continue.

Posteriors near a border differ from those of the whole recording, because the network remembers more than the context.
`benchmarks/long_recordings.py` measures the effect on texts; `benchmarks/README.md` has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asr.decoding.hypothesis import Hypothesis
from asr.engines.names import MANY
from asr.features.normalise import Scale
from asr.recogniser.cuts import LONGEST_SECONDS, Loudness, plan_cuts
from asr.recogniser.sources import LongSound

if TYPE_CHECKING:
    from asr.recogniser.recogniser import Recogniser

Frames = NDArray[np.float32]

_CONTEXT = 2.0  # seconds; see benchmarks/README.md
_BATCH_FRAMES = 3000  # the most stacked frames in a batch of several pieces; more are not faster and need more memory
_UTTERANCE_SECONDS = 5.0  # the duration of a usual utterance, to compare a recording with a number of utterances
_END = 1 << 62


@dataclass(frozen=True)
class Piece:
    """A piece of a recording, with context.

    Attributes:
        frames: (T, F) normalised frames of the extractor, context included.
        n_before: how many posteriors belong to the context before the piece.
        n_kept: how many posteriors belong to the piece, at most; the last piece has fewer.
    """

    frames: Frames
    n_before: int
    n_kept: int


def transcribe_long(
    recogniser: Recogniser,
    recording: LongSound,
    speaker: str | None = None,
    on_progress: Callable[[float, float], None] | None = None,
    n_best: int = 1,
) -> list[Hypothesis]:
    """Recognise a recording of any length; the module describes the method.

    Args:
        recogniser: the recogniser, with its decoder.
        recording: the recording, which is read twice.
        speaker: the speaker, see `Recogniser.transcribe`.
        on_progress: called with `(seconds done, seconds in total)`.
        n_best: the most hypotheses to return.

    Returns:
        The hypotheses of the whole recording, best first, with times from the beginning of the file.

    Raises:
        DataError: the sound cannot be read to its end, or the network computes NaN.
    """
    seconds = recording.sound.seconds
    if (utterances := math.ceil(seconds / _UTTERANCE_SECONDS)) >= MANY:
        recogniser = recogniser.for_many(utterances)
    frame_seconds = recogniser.frame_seconds
    scale, borders = _prepare(recogniser, recording, speaker)
    pieces = pieces_of(
        map(scale.apply, recording.frames()),
        [round(border / frame_seconds) for border in borders],
        context=math.ceil(_CONTEXT / frame_seconds),
        unit=recogniser.stacking.stride * recogniser.engine.time_reduction,
    )
    search = recogniser.decoder.begin(frame_seconds, recording.start)
    n_done = 0
    while batch := list(islice(pieces, _batch_size(recogniser))):
        for log_probs in _posteriors(recogniser, batch):
            search.step(log_probs)
            n_done += len(log_probs)
        if on_progress is not None:
            on_progress(n_done * frame_seconds, seconds)
    if on_progress is not None:
        on_progress(seconds, seconds)
    return search.end(n_best)


def pieces_of(blocks: Iterable[Frames], borders: Sequence[int], context: int, unit: int) -> Iterator[Piece]:
    """Divide frames into pieces with context; only one piece and one block are in memory at a time.

    Args:
        blocks: blocks (t, F) of consecutive frames.
        borders: the borders between pieces, rising, counted in posteriors.
        context: how many posteriors of context each piece gets before and after it.
        unit: how many frames become one posterior.

    Yields:
        The pieces, in order, without empty ones.
    """
    waiting = iter(blocks)
    held, first = next(waiting, None), 0  # the frames in memory, and the number of the first
    if held is None:
        return
    for begin, end in zip([0, *borders], [*borders, _END], strict=True):
        low = max(0, begin - context)
        held, first = held[low * unit - first :], low * unit
        n_frames = (end + context - low) * unit
        held = _filled(held, waiting, n_frames)
        if len(held) > (begin - low) * unit and begin < end:
            yield Piece(held[:n_frames], begin - low, end - begin)


def _filled(held: Frames, blocks: Iterator[Frames], n_frames: int) -> Frames:
    """Append blocks until there are `n_frames` frames, or no more blocks."""
    parts, n_held = [held], len(held)
    while n_held < n_frames and (block := next(blocks, None)) is not None:
        parts.append(block)
        n_held += len(block)
    return np.concatenate(parts)


def _batch_size(recogniser: Recogniser) -> int:
    """Return how many pieces are computed together."""
    stacked = (LONGEST_SECONDS + 2 * _CONTEXT) / recogniser.frame_seconds * recogniser.engine.time_reduction
    return max(1, int(_BATCH_FRAMES / stacked))


def _prepare(recogniser: Recogniser, recording: LongSound, speaker: str | None) -> tuple[Scale, list[float]]:
    """Read a recording once; return the scale of its frames for normalisation, and the borders of pieces in seconds."""
    loudness = Loudness(recording.sound.rate)
    blocks = loudness.heard(recording.sound)
    scale = recogniser.normaliser.scale_of(recording.extractor.compute_blocks(blocks), speaker)
    for _ in blocks:  # measures the loudness if a known scale has not read the blocks
        pass
    return scale, plan_cuts(loudness.levels())


def _posteriors(recogniser: Recogniser, batch: Sequence[Piece]) -> Iterator[Frames]:
    """Yield the posteriors (T, L) of each piece, without its context."""
    stacked = [recogniser.stacking(piece.frames) for piece in batch]
    for piece, log_probs, length in zip(batch, *recogniser.posteriors(stacked), strict=True):
        yield log_probs[piece.n_before : min(int(length), piece.n_before + piece.n_kept)]
