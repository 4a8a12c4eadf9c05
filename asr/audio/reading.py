"""Read a sound file or a segment of it, at the rate that the features want."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.audio.content import Content, open_path
from asr.audio.opening import AudioInfo, joined, opened
from asr.audio.resampling import resample
from asr.errors import DataError

__all__ = ["AudioInfo", "audio_info", "check_channel", "read_audio", "read_content", "segment_frames"]

_LONGEST_SECONDS = 6 * 3600.0  # one read; a forged header must not make us allocate the machine's memory
_LARGEST_SAMPLE = 1e9  # full scale is 1, of integers written as floats 2^31; float32 power spectra overflow above 1e16
_ROUNDING_SECONDS = 0.005  # manifests round their times; a segment may end this far behind the end of the file


def audio_info(path: str | os.PathLike[str]) -> AudioInfo:
    """Rate, channels and length of a sound file, from its header and its size alone; what ffmpeg reads is decoded.

    Raises:
        DataError: missing, empty, truncated, not audio, or a header that makes no sense; names the file.
    """
    with open_path(Path(path)) as content, opened(content) as sound:
        return sound.info


def segment_frames(
    path: str | os.PathLike[str],
    info: AudioInfo,
    start: float | None = None,
    duration: float | None = None,
    longest_seconds: float = _LONGEST_SECONDS,
) -> tuple[int, int]:
    """First sample and number of samples of a segment given in seconds.

    Raises:
        DataError: the segment is empty, reaches outside the file, or is longer than allowed: six hours by default.
    """
    begin = 0.0 if start is None else start
    length = info.seconds - begin if duration is None else duration
    if not (math.isfinite(begin) and math.isfinite(length) and begin >= 0 and (duration is None or length > 0)):
        raise DataError(f"{path}: a segment from {start} s for {duration} s; expected start >= 0 and duration > 0")
    if begin >= info.seconds or begin + length > info.seconds + _ROUNDING_SECONDS:
        raise DataError(
            f"{path}: the segment {begin:g} to {begin + length:g} s lies outside the file, which ends at"
            f" {info.seconds:g} s; correct start and duration in the manifest"
        )
    if length > longest_seconds:
        raise DataError(
            f"{path}: {length / 3600:.1f} hours in one piece; at most {longest_seconds / 3600:g}:"
            " give start and duration"
        )
    first = min(round(begin * info.rate), info.frames - 1)
    return first, max(1, min(round(length * info.rate), info.frames - first))


def read_audio(
    path: str | os.PathLike[str],
    start: float | None = None,
    duration: float | None = None,
    channel: int | None = None,
    rate: int = 16000,
) -> NDArray[np.float32]:
    """Read one channel of a sound file, or of a segment of it, resampled where its rate differs.

    Args:
        path: a file of any of the formats of `AudioInfo`; told by content, not by name.
        start: seconds where the segment begins; None for the start of the file.
        duration: seconds of the segment; None for the rest of the file.
        channel: 0-based; None only where the file has one.
        rate: hertz of the result.

    Returns:
        (N,) float32; full scale is [-1, 1] (floating-point files and resampling may go slightly beyond).

    Raises:
        DataError: missing, empty, truncated, not audio, several channels and none chosen, a segment outside the file,
            samples that are NaN, infinite or beyond 1e9; names the file and the remedy.
    """
    with open_path(Path(path)) as content:
        signal, rate_in = read_content(content, start, duration, channel)
    return resample(signal, rate_in, rate)


def read_content(
    content: Content, start: float | None = None, duration: float | None = None, channel: int | None = None
) -> tuple[NDArray[np.float32], int]:
    """`read_audio` of a file that is open, or in memory: the samples at the file's own rate, and the rate."""
    with opened(content) as sound:
        chosen = check_channel(content.name, sound.info, channel)
        first, n_frames = segment_frames(content.name, sound.info, start, duration)
        signal = joined(sound.blocks(first, n_frames, chosen))
    check_samples(content.name, signal, first)
    return signal, sound.info.rate


def check_channel(path: str | os.PathLike[str], info: AudioInfo, channel: int | None) -> int:
    """The channel to read.

    Raises:
        DataError: there are several and none was chosen, or there is none of this number.
    """
    if channel is None and info.channels > 1:
        numbers = "0 or 1" if info.channels == 2 else f"0 to {info.channels - 1}"
        raise DataError(
            f"{path}: has {info.channels} channels; say with `channel` which one is meant ({numbers}), or, where that"
            " is no option, split or mix the file"
        )
    if channel is not None and not 0 <= channel < info.channels:
        raise DataError(f"{path}: has no channel {channel}; it has {info.channels}, counted from 0")
    return channel or 0


def check_samples(name: str, signal: NDArray[np.floating[Any]], first: int) -> None:
    """Raise DataError at the first sample that is no sound; `first` is the place of `signal` in its file."""
    sound = np.abs(signal) <= _LARGEST_SAMPLE  # False of NaN
    if not sound.all():
        bad = int(np.flatnonzero(~sound)[0])
        raise DataError(
            f"{name}: sample {first + bad} is {signal[bad]}; write the file again from its source, or leave it out"
        )
