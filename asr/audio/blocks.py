"""Read a recording in blocks of samples, so that an hour of sound needs no more memory than a minute.

Files that libsndfile supports and NIST SPHERE files are decoded block by block. ffmpeg decodes into a temporary file;
a large stream is stored, still encoded, in a temporary file. Bytes in memory stay encoded. Arrays of samples stay in
memory as float32: one hour at 16 kHz needs 230 MB.
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

_BLOCK_SAMPLES = 1 << 16  # size of the blocks of an array in memory


@dataclass(frozen=True, eq=False)
class SoundBlocks:
    """One channel of a recording or of a segment of it; each iteration reads it from its start.

    Iterating gives consecutive blocks (n,) float32 at `rate`, of different sizes, n >= 0. Joined they equal `whole()`;
    MP3 may differ by rounding (2e-7). A fault raises the DataError of `read_audio` when its block is reached.

    Attributes:
        name: name of the recording in error messages.
        own_rate: sampling rate of the recording, in hertz.
        rate: sampling rate of the blocks, in hertz.
        n_samples: number of samples at `own_rate`.
    """

    name: str
    own_rate: int
    rate: int
    n_samples: int
    _open: Callable[[], Iterator[NDArray[np.float32]]]  # gives blocks at `own_rate`
    _check_length: Callable[[], object]

    @property
    def seconds(self) -> float:
        """Length of the recording or segment in seconds."""
        return self.n_samples / self.own_rate

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return resample_blocks(self._open(), self.own_rate, self.rate)

    def whole(self) -> NDArray[np.float32]:
        """Return all samples, (N,) float32 with N >= 1, at `rate`: the result of `read_audio` or `Sound.at`.

        Raises:
            DataError: for the reasons of `read_audio`; also if the recording is longer than six hours.
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
    """Open a recording for reading in blocks, any number of times within the `with` statement.

    Args:
        source: a recording in any form that `asr.audio.sound_of` accepts.
        rate: sampling rate of the blocks in hertz; the recording is resampled if its rate differs.
        channel: channel to read, counted from 0; None if there is only one.
        start: start of the segment of a sound file in seconds; None for the start of the file.
        duration: length of the segment in seconds; None for the rest. The limit of six hours does not apply.
        own_rate: sampling rate of samples that have none, in hertz; if the source has a rate, it must be equal.

    Raises:
        DataError: for the reasons of `read_audio` and `sound_of`. Faulty samples raise it later, when they are read.

    >>> with sound_blocks((np.zeros(8000, dtype=np.float32), 8000), rate=16000) as sound:
    ...     sound.seconds, sum(len(block) for block in sound)
    (1.0, 16000)
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
    finally:  # not `with stack`, so that an error of the caller's block is not taken for one of the file
        stack.close()


def wrong_rate(name: str, given: int | None, own: int) -> DataError:
    """Return the error for a given rate that differs from the file's."""
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
