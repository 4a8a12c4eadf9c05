"""Read a sound file or a segment of it, at the rate that the features want."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from asr.audio import sphere
from asr.audio.containers import check_mp3_length, check_ogg_end, check_ogg_pages, check_wave
from asr.audio.resampling import resample
from asr.errors import DataError

_RATES = (1_000, 1_000_000)  # hertz; anything else is a broken header
_LONGEST_SECONDS = 6 * 3600.0  # one read; a forged header must not make us allocate the machine's memory
_BLOCK_FRAMES = 1 << 20  # decoded at a time, for the same reason
_LARGEST_SAMPLE = 1e9  # full scale is 1, of integers written as floats 2^31; float32 power spectra overflow above 1e16
_UNKNOWN_FRAMES = 1 << 62  # what libsndfile says of a FLAC stream that was written into a pipe
_EXPECTED = "WAV, FLAC, OGG, Opus, MP3 or NIST SPHERE"
_CHECKS: dict[str, Callable[[Path], None]] = {  # of formats by libsndfile's names; a cut FLAC file fails to decode
    "WAV": check_wave,
    "WAVEX": check_wave,
    "OGG": check_ogg_end,
    "MP3": check_mp3_length,
    "FLAC": lambda path: None,
}
_ROUNDING_SECONDS = 0.005  # manifests round their times; a segment may end this far behind the end of the file


@dataclass(frozen=True)
class AudioInfo:
    """What the header of a sound file says.

    Attributes:
        rate: hertz.
        channels: channels.
        frames: samples per channel.
        format: `WAV`, `WAVEX`, `FLAC`, `OGG` (Vorbis or Opus), `MP3` or `SPHERE`
    """

    rate: int
    channels: int
    frames: int
    format: str

    @property
    def seconds(self) -> float:
        """Length of the file."""
        return self.frames / self.rate


def audio_info(path: str | os.PathLike[str]) -> AudioInfo:
    """Rate, channels and length of a sound file, from its header and its size alone.

    Raises:
        DataError: missing, empty, truncated, not audio, or a header that makes no sense; names the file.
    """
    path = Path(path)
    if _is_sphere(path):
        return _sphere_info(path, sphere.read_header(path))
    with _open(path) as file:
        return _info(path, file)


def segment_frames(
    path: str | os.PathLike[str], info: AudioInfo, start: float | None = None, duration: float | None = None
) -> tuple[int, int]:
    """First sample and number of samples of a segment given in seconds.

    Raises:
        DataError: the segment is empty, reaches outside the file, or is longer than six hours.
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
    if length > _LONGEST_SECONDS:
        raise DataError(
            f"{path}: {length / 3600:.1f} hours in one piece; at most {_LONGEST_SECONDS / 3600:g}:"
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
        path: WAV, FLAC, OGG (Vorbis or Opus), MP3 or NIST SPHERE; told by content, not by name.
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
    path = Path(path)
    if _is_sphere(path):
        header = sphere.read_header(path)
        info = _sphere_info(path, header)
        chosen = check_channel(path, info, channel)
        first, n_frames = segment_frames(path, info, start, duration)
        signal = np.ascontiguousarray(sphere.read_samples(path, header, first, n_frames)[:, chosen])
    else:
        with _open(path) as file:
            info = _info(path, file)
            chosen = check_channel(path, info, channel)
            first, n_frames = segment_frames(path, info, start, duration)
            if info.format == "OGG" and n_frames == info.frames:  # a segment is read without reading the whole file
                check_ogg_pages(path)
            signal = _decode(path, file, first, n_frames, chosen)
    _check_samples(path, signal, first)
    return resample(signal, info.rate, rate)


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


def _is_sphere(path: Path) -> bool:
    """Whether a regular, non-empty file begins as SPHERE files do."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a FIFO would block, a folder has no sound
            raise DataError(f"{path}: not a file; name a sound file")
        with path.open("rb") as file:
            first = file.read(len(sphere.MAGIC))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; check the path") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise DataError(f"{path}: cannot be read: {error}") from error
    if not first:
        raise DataError(f"{path}: is empty (0 bytes); copy or record it again")
    return first == sphere.MAGIC


def _open(path: Path) -> soundfile.SoundFile:
    """Open a file of one of the formats whose wholeness can be told, and check that it is whole."""
    try:
        file = soundfile.SoundFile(os.fsencode(path) if os.name == "posix" else path)  # a name may be no UTF-8
    except (soundfile.LibsndfileError, TypeError, ValueError) as error:  # TypeError: named .raw, so rate unknown
        reason = getattr(error, "error_string", str(error)).rstrip(".")
        raise DataError(f"{path}: not audio that can be read here ({reason}); expected {_EXPECTED}") from error
    try:
        if file.format not in _CHECKS:
            raise DataError(f"{path}: {file.format} is not read here; convert it to {_EXPECTED}")
        _CHECKS[file.format](path)
    except BaseException:
        file.close()
        raise
    return file


def _info(path: Path, file: soundfile.SoundFile) -> AudioInfo:
    if file.frames >= _UNKNOWN_FRAMES:
        raise DataError(f"{path}: its header does not tell its length; write it again with `ffmpeg -i FILE NEW.flac`")
    return _checked(path, AudioInfo(file.samplerate, file.channels, file.frames, file.format))


def _sphere_info(path: Path, header: sphere.SphereHeader) -> AudioInfo:
    return _checked(path, AudioInfo(header.rate, header.channels, header.frames, "SPHERE"))


def _checked(path: Path, info: AudioInfo) -> AudioInfo:
    if info.frames <= 0:
        raise DataError(f"{path}: holds no samples; record it again or leave it out of the manifest")
    if not _RATES[0] <= info.rate <= _RATES[1]:
        raise DataError(f"{path}: its header gives a rate of {info.rate} Hz; expected {_RATES[0]} to {_RATES[1]}")
    return info


def _decode(path: Path, file: soundfile.SoundFile, first: int, n_frames: int, channel: int) -> NDArray[np.float32]:
    """Samples of one channel, block by block, so that memory follows what is really there."""
    blocks = []
    missing = n_frames
    try:
        if first > 0:
            file.seek(first)
        while missing > 0:
            block = file.read(min(missing, _BLOCK_FRAMES), dtype="float32", always_2d=True)
            if len(block) == 0:
                break
            blocks.append(block[:, channel])
            missing -= len(block)
    except soundfile.LibsndfileError as error:
        raise DataError(f"{path}: damaged or truncated: {error.error_string.rstrip('.')}; copy it again") from error
    if missing > 0:
        raise DataError(
            f"{path}: truncated: {n_frames - missing} of {n_frames} samples could be decoded; copy it again"
        )
    return np.ascontiguousarray(blocks[0]) if len(blocks) == 1 else np.concatenate(blocks)


def _check_samples(path: Path, signal: NDArray[np.float32], first: int) -> None:
    """Raise DataError at the first sample that is no sound; `first` is the place of `signal` in the file."""
    sound = np.abs(signal) <= _LARGEST_SAMPLE  # False of NaN
    if not sound.all():
        bad = int(np.flatnonzero(~sound)[0])
        raise DataError(
            f"{path}: sample {first + bad} is {signal[bad]}; write the file again from its source, or leave it out"
        )
