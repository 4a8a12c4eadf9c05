"""Long recordings: recognised in pieces, in memory that does not grow with their length.

The sound is read twice. The first time gives its loudness, by which it is cut (`asr.recogniser.cuts`), and the mean and
deviation of its frames, so that every piece is normalised as the whole is. The second time the network computes each
piece together with `_CONTEXT` seconds of sound before and behind it, whose posteriors are thrown away: they are there
so that the network has heard, at both borders, what it would have heard of the whole. What is kept of the pieces are
the posteriors of the whole recording, each once, and they go one behind the other into one search. So a word that
stands across a border is found once, language models see the whole text, and times go on.

Posteriors beside a border differ from those of the whole recording, for the network remembers more than the context.
What that does to texts is measured by `benchmarks/long_recordings.py` and stated in `benchmarks/README.md`.
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
_BATCH_FRAMES = 3000  # stacked frames computed together, or one piece; more are not faster, and take more memory
_UTTERANCE_SECONDS = 5.0  # of a usual one: how much work a recording is
_END = 1 << 62


@dataclass(frozen=True)
class Piece:
    """Frames that the network reads at once.

    Attributes:
        frames: (T, F) normalised frames of the extractor, context included.
        n_before: posteriors of the context before the piece.
        n_kept: posteriors of the piece; more than there are in the last one.
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
    """Recognise a recording of any length; this module describes the method.

    Args:
        recogniser: with its decoder.
        recording: with frames of the recogniser's extractor; read twice.
        speaker: as of `Recogniser.transcribe`.
        on_progress: hears how many seconds of how many are recognised.
        n_best: how many hypotheses are wanted at most.

    Returns:
        The hypotheses of the whole recording, best first, with times from the beginning of the file.

    Raises:
        DataError: the sound cannot be read to its end, or as `Recogniser.transcribe`.
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
    """Cut frames that come block by block; no more than a piece and a block are held.

    Args:
        blocks: (t, F) consecutive frames.
        borders: between the pieces, rising, counted in posteriors.
        context: posteriors before and behind a piece that are computed with it.
        unit: frames that become one posterior.

    Returns:
        the pieces, in order; none is empty.
    """
    waiting = iter(blocks)
    held, first = next(waiting, None), 0  # frames, and the number of the first of them
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
    """Add blocks until there are so many frames, or no more."""
    parts, n_held = [held], len(held)
    while n_held < n_frames and (block := next(blocks, None)) is not None:
        parts.append(block)
        n_held += len(block)
    return np.concatenate(parts)


def _batch_size(recogniser: Recogniser) -> int:
    """Pieces that are computed together."""
    stacked = (LONGEST_SECONDS + 2 * _CONTEXT) / recogniser.frame_seconds * recogniser.engine.time_reduction
    return max(1, int(_BATCH_FRAMES / stacked))


def _prepare(recogniser: Recogniser, recording: LongSound, speaker: str | None) -> tuple[Scale, list[float]]:
    """Read a recording once: what its frames are normalised with, and where it is cut, in seconds."""
    loudness = Loudness(recording.sound.rate)
    blocks = loudness.heard(recording.sound)
    scale = recogniser.normaliser.scale_of(recording.extractor.compute_blocks(blocks), speaker)
    for _ in blocks:  # a scale that is known needs no frames
        pass
    return scale, plan_cuts(loudness.levels())


def _posteriors(recogniser: Recogniser, batch: Sequence[Piece]) -> Iterator[Frames]:
    """The posteriors (T, L) that each piece is there for."""
    stacked = [recogniser.stacking(piece.frames) for piece in batch]
    for piece, log_probs, length in zip(batch, *recogniser.posteriors(stacked), strict=True):
        yield log_probs[piece.n_before : min(int(length), piece.n_before + piece.n_kept)]
