"""A recording as blocks of samples, so that an hour of sound needs no more memory than a minute.

Files that libsndfile reads and NIST SPHERE are decoded block by block. ffmpeg decodes into a temporary file, and a
large stream is kept in one as it came. The bytes of a sound file stay as they are, encoded. Samples in memory stay
there as float32: whoever has an hour of them needs 230 MB at 16 kHz.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.audio.content import Content, reason_of
from asr.audio.opening import joined, opened
from asr.audio.reading import check_channel, check_samples, segment_frames
from asr.audio.resampling import resample, resample_blocks
from asr.audio.sources import Sound, encoded, sound_of
from asr.errors import DataError

_BLOCK_SAMPLES = 1 << 16  # of samples in memory


@dataclass(frozen=True, eq=False)
class SoundBlocks:
    """One channel of a recording, or of a segment of it; each iteration reads it again, from its first sample on.

    Iterating gives consecutive blocks (n,) float32 at `rate`, of unequal sizes, n >= 0, which together equal `whole()`
    (of MP3 but for rounding, 2e-7). It raises DataError as `read_audio` does, at the place of the fault.

    Attributes:
        name: what messages call the recording.
        own_rate: hertz of the recording.
        rate: hertz of the blocks.
        n_samples: at its own rate.
    """

    name: str
    own_rate: int
    rate: int
    n_samples: int
    _open: Callable[[], Iterator[NDArray[np.float32]]]  # blocks at its own rate
    _check_length: Callable[[], object]

    @property
    def seconds(self) -> float:
        """Length of the recording or segment."""
        return self.n_samples / self.own_rate

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return resample_blocks(self._open(), self.own_rate, self.rate)

    def whole(self) -> NDArray[np.float32]:
        """All samples (N,) float32, N >= 1, at `rate`: what `read_audio` or `Sound.at` give.

        Raises:
            DataError: as `read_audio`; longer than six hours.
        """
        self._check_length()
        return resample(joined(self._open()), self.own_rate, self.rate)


@contextmanager
def sound_blocks(
    source: object,
    rate: int,
    channel: int | None = None,
    start: float | None = None,
    duration: float | None = None,
    own_rate: int | None = None,
) -> Iterator[SoundBlocks]:
    """Open a recording; it can be read, and read again, while the block of the `with` statement runs.

    Args:
        source: in any form that `asr.audio.sound_of` takes; a path of any format of `read_audio`.
        rate: hertz of the blocks; other rates are resampled.
        channel: 0-based; needed where there are several.
        start: seconds where a segment of a sound file begins; None for its start.
        duration: seconds of the segment; None for the rest. There is no limit of six hours.
        own_rate: hertz of samples that do not tell it; where they or a file do, it must be the same.

    Raises:
        DataError: as `read_audio` and `sound_of`; the samples themselves are looked at when they are read.
    """
    stack = ExitStack()
    try:
        file = encoded(source)
        if file is not None:
            blocks = _of_content(stack.enter_context(file), stack, rate, channel, start, duration)
            if own_rate not in (None, blocks.own_rate):
                raise wrong_rate(blocks.name, own_rate, blocks.own_rate)
            yield blocks
        else:
            yield _of_sound(source if isinstance(source, Sound) else sound_of(source, own_rate, channel), rate)
    finally:  # what goes wrong in the block is not the file's fault, so it is not told
        stack.close()


def wrong_rate(name: str, given: int | None, own: int) -> DataError:
    """The error of a rate that is not the file's."""
    return DataError(f"{name}: rate={given} was given, but the file says {own} Hz; leave rate= out or correct it")


def _of_content(
    content: Content,
    stack: ExitStack,
    rate: int,
    channel: int | None,
    start: float | None,
    duration: float | None,
) -> SoundBlocks:
    sound = stack.enter_context(opened(content))
    chosen = check_channel(content.name, sound.info, channel)
    first, n_samples = segment_frames(content.name, sound.info, start, duration, longest_seconds=math.inf)

    def read() -> Iterator[NDArray[np.float32]]:
        position = first
        try:
            for block in sound.blocks(first, n_samples, chosen):
                check_samples(content.name, block, position)
                position += len(block)
                yield block
        except OSError as error:  # a medium that fails
            raise DataError(f"{content.name}: cannot be read: {reason_of(error)}") from error

    return SoundBlocks(
        content.name,
        sound.info.rate,
        rate,
        n_samples,
        read,
        lambda: segment_frames(content.name, sound.info, start, duration),
    )


def _of_sound(sound: Sound, rate: int) -> SoundBlocks:
    def read() -> Iterator[NDArray[np.float32]]:
        for begin in range(0, len(sound.samples), _BLOCK_SAMPLES):
            yield sound.samples[begin : begin + _BLOCK_SAMPLES]

    return SoundBlocks("<samples>", sound.rate, rate, len(sound.samples), read, lambda: None)
