"""Read a sound file or a segment of it, resampled to the rate that the features need."""

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

_LONGEST_SECONDS = 6 * 3600.0  # limit of one read, so that a forged header cannot exhaust the memory
_LARGEST_SAMPLE = 1e9  # full scale is 1, or 2^31 for integers stored as floats; power spectra overflow above 1e16
_ROUNDING_SECONDS = 0.005  # a segment may end this much after the end of the file, because manifests round times


def audio_info(path: str | os.PathLike[str]) -> AudioInfo:
    """Return rate, channels, length and format of a sound file.

    Only the header and the file size are read, except for formats that need ffmpeg, which are decoded.

    Raises:
        DataError: the file is missing, empty, truncated or not audio, or its header is invalid.
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
    """Return the first sample and the number of samples of a segment given in seconds.

    Args:
        path: the file, for error messages.
        info: its header.
        start: start of the segment in seconds; None for the start of the file.
        duration: length of the segment in seconds; None for the rest of the file.
        longest_seconds: largest accepted length.

    Raises:
        DataError: the segment is empty, reaches outside the file, or is longer than `longest_seconds`.

    >>> segment_frames("a.wav", AudioInfo(16000, 1, 32000, "WAV"), start=0.5, duration=1.0)
    (8000, 16000)
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
            f"{path}: has {length / 3600:.1f} hours in one piece; at most {longest_seconds / 3600:g} are supported;"
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
    """Read one channel of a sound file or of a segment of it, and resample it to `rate`.

    Args:
        path: a file of any format listed in `AudioInfo`; its content decides the format, not its name.
        start: start of the segment in seconds; None for the start of the file.
        duration: length of the segment in seconds; None for the rest of the file.
        channel: channel to read, counted from 0; None if the file has only one.
        rate: sampling rate of the result in hertz.

    Returns:
        (N,) float32 with full scale [-1, 1]; files of floats, and resampling, may go slightly beyond.

    Raises:
        DataError: the file is missing, empty, truncated or not audio; it has several channels and `channel` is None;
            the segment is outside the file; or samples are NaN, infinite or above 1e9.

    >>> import tempfile
    >>> import soundfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     soundfile.write(f"{folder}/a.wav", np.zeros(8000), 8000)
    ...     audio_info(f"{folder}/a.wav").seconds, read_audio(f"{folder}/a.wav", start=0.5).shape
    (1.0, (8000,))
    """
    with open_path(Path(path)) as content:
        signal, rate_in = read_content(content, start, duration, channel)
    return resample(signal, rate_in, rate)


def read_content(
    content: Content, start: float | None = None, duration: float | None = None, channel: int | None = None
) -> tuple[NDArray[np.float32], int]:
    """Read one channel of an open sound file or of a segment of it; see `read_audio` for the arguments and errors.

    Returns:
        The samples (N,) float32 at the file's own rate, and this rate in hertz.
    """
    with opened(content) as sound:
        chosen = check_channel(content.name, sound.info, channel)
        first, n_frames = segment_frames(content.name, sound.info, start, duration)
        signal = joined(sound.blocks(first, n_frames, chosen))
    check_samples(content.name, signal, first)
    return signal, sound.info.rate


def check_channel(path: str | os.PathLike[str], info: AudioInfo, channel: int | None) -> int:
    """Return the channel to read: the chosen one, or 0 if the file has only one.

    Raises:
        DataError: the file has several channels and none was chosen, or it has no such channel.

    >>> check_channel("a.wav", AudioInfo(16000, 1, 32000, "WAV"), None)
    0
    """
    if channel is None and info.channels > 1:
        numbers = "0 or 1" if info.channels == 2 else f"0 to {info.channels - 1}"
        raise DataError(
            f"{path}: has {info.channels} channels; choose one with `channel` ({numbers}), or split or mix the file"
        )
    if channel is not None and not 0 <= channel < info.channels:
        raise DataError(f"{path}: has no channel {channel}; it has {info.channels}, counted from 0")
    return channel or 0


def check_samples(name: str, signal: NDArray[np.floating[Any]], first: int) -> None:
    """Raise a DataError if a sample is NaN, infinite or above 1e9.

    Args:
        name: the file, for the error message.
        signal: samples.
        first: position of the first of these samples in the file.
    """
    sound = np.abs(signal) <= _LARGEST_SAMPLE  # False of NaN
    if not sound.all():
        bad = int(np.flatnonzero(~sound)[0])
        raise DataError(
            f"{name}: sample {first + bad} is {signal[bad]}; write the file again from its source, or leave it out"
        )
