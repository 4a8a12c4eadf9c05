"""Open a sound file: read its header, and decode its samples block by block."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from asr.audio import ogg, sphere
from asr.audio.containers import Layout, layout
from asr.audio.content import Content, View
from asr.audio.formats import FORMATS
from asr.errors import DataError

_RATES = (1_000, 1_000_000)  # hertz; a header with any other rate is damaged
_BLOCK_SAMPLES = 1 << 17  # of all channels together; memory must not depend on the length that a header claims
_COPY_OR_CONVERT = "copy it again, or convert it with `ffmpeg -i FILE NEW.flac`"
_UNKNOWN_FRAMES = 1 << 62  # libsndfile's value for a file of unknown length
_FORMATS = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3")  # libsndfile's names


@dataclass(frozen=True)
class AudioInfo:
    """The header of a sound file.

    Attributes:
        rate: sampling rate in hertz.
        channels: number of channels.
        frames: number of samples per channel.
        format: `WAV`, `WAVEX`, `RF64`, `W64`, `FLAC`, `OGG` (Vorbis or Opus), `MP3`, `AIFF`, `AU`, `CAF`, `SPHERE`;
            for files decoded by ffmpeg `MP4`, `WebM`, `AMR`, `WMA`, `AAC`, `Speex`.

    >>> AudioInfo(rate=16000, channels=1, frames=24000, format="WAV").seconds
    1.5
    """

    rate: int
    channels: int
    frames: int
    format: str

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate


class Sphere:
    """An open NIST SPHERE file."""

    def __init__(self, content: Content) -> None:
        header = sphere.read_header(content)
        self.info = _checked(content.name, AudioInfo(header.rate, header.channels, header.frames, "SPHERE"))
        self._content, self._header = content, header

    def blocks(self, first: int, n_frames: int, channel: int) -> Iterator[NDArray[np.float32]]:
        """Yield `n_frames` samples of one channel, from sample `first` on, as blocks (n,) float32."""
        n_block = max(1, _BLOCK_SAMPLES // self.info.channels)
        for begin in range(first, first + n_frames, n_block):
            n_read = min(n_block, first + n_frames - begin)
            yield sphere.read_samples(self._content, self._header, begin, n_read)[:, channel]


class Decoded:
    """An open file that libsndfile decodes; it may consist of several sounds in sequence (chained Ogg)."""

    def __init__(self, content: Content, found: Layout, parts: list[soundfile.SoundFile]) -> None:
        self._content, self._found, self._parts = content, found, parts
        self._are_fresh = True
        self.info = _checked(content.name, _common(content.name, parts, found.format))

    def blocks(self, first: int, n_frames: int, channel: int) -> Iterator[NDArray[np.float32]]:
        """Yield `n_frames` samples of one channel, from sample `first` on, as blocks (n,) float32.

        The method may be called again when the previous iteration is over; MP3 samples may then differ by rounding
        (2e-7). If the whole of an Ogg file is read, the checksums of its pages are checked.
        """
        if self._found.pages is not None and n_frames == self.info.frames:
            ogg.check_pages(self._content, self._found.pages)
        if not self._are_fresh:  # not every format can go back, such as GSM 6.10
            for number, view in enumerate(self._found.views):
                self._parts[number].close()
                self._parts[number] = _sound_file(self._content.name, view, _COPY_OR_CONVERT)
        self._are_fresh = False
        missing = n_frames
        for view, part in zip(self._found.views, self._parts, strict=True):
            begin = max(first, 0)
            wanted = min(missing, part.frames - begin)
            if wanted > 0:
                yield from self._blocks(view, part, begin, wanted, channel)
                missing -= wanted
            first -= part.frames

    def _blocks(
        self, view: View, part: soundfile.SoundFile, first: int, n_frames: int, channel: int
    ) -> Iterator[NDArray[np.float32]]:
        """Decode samples of one channel in blocks, so that memory depends on the data, not on the header."""
        name, missing = self._content.name, n_frames
        try:
            if first > 0:
                part.seek(first)
            while missing > 0:
                n_block = max(1, min(missing, _BLOCK_SAMPLES // part.channels))
                block = part.read(n_block, dtype="float32", always_2d=True)
                if len(block) == 0:
                    break
                yield block[:, channel]
                missing -= len(block)
        except soundfile.LibsndfileError as error:
            _check_view(name, view)
            raise DataError(f"{name}: damaged or truncated: {error.error_string.rstrip('.')}; copy it again") from error
        _check_view(name, view)
        if missing > 0:
            raise DataError(
                f"{name}: truncated: {n_frames - missing} of {n_frames} samples could be decoded; copy it again"
            )


def joined(blocks: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Join blocks (at least one) to one contiguous array."""
    several = list(blocks)
    return np.ascontiguousarray(several[0]) if len(several) == 1 else np.concatenate(several)


@contextmanager
def opened(content: Content) -> Iterator[Sphere | Decoded]:
    """Open a sound file of a supported format, and check that it is complete.

    Raises:
        DataError: the file is truncated, is not audio, has an unsupported format or an invalid header.
    """
    if content.at(0, len(sphere.MAGIC)) == sphere.MAGIC:
        yield Sphere(content)
        return
    with contextlib.ExitStack() as stack:
        found = layout(content)
        for view in found.views:
            if view.content is not content:  # a temporary file
                stack.callback(view.content.file.close)
        views = found.views or (View(content, [range(content.size)]),)  # libsndfile may know the format's name
        remedy = _COPY_OR_CONVERT if found.views else f"expected {FORMATS}"
        parts = [_sound_file(content.name, view, remedy) for view in views]
        stack.callback(_close, parts)
        if not found.views or parts[0].format not in _FORMATS:
            raise DataError(f"{content.name}: the format {parts[0].format} is not supported; convert it to {FORMATS}")
        yield Decoded(content, found, parts)


def _close(parts: list[soundfile.SoundFile]) -> None:
    """Close the files that the list holds at the end; `Decoded.blocks` may have replaced some by reopened ones."""
    for part in parts:
        part.close()


def _sound_file(name: str, view: View, remedy: str) -> soundfile.SoundFile:
    view.seek(0)  # another reader may have moved it
    try:
        return soundfile.SoundFile(_source(view))
    except (soundfile.LibsndfileError, TypeError, ValueError) as error:
        _check_view(name, view)
        reason = getattr(error, "error_string", str(error)).rstrip(".")
        raise DataError(f"{name}: cannot be read as audio ({reason}); {remedy}") from error


def _source(view: View) -> View | Path | bytes:
    """Return the path if libsndfile can open the file itself, which is faster; otherwise the view."""
    path = view.content.path
    if path is None or not view.is_whole or path.suffix.lower() == ".raw":  # for .raw it would ask for the format
        return view
    return os.fsencode(path) if os.name == "posix" else path  # bytes, because a name may not be UTF-8


def _check_view(name: str, view: View) -> None:
    """Raise a read error that libsndfile took for the end of the file."""
    if view.error is not None:
        raise DataError(f"{name}: cannot be read: {view.error.strerror or view.error}") from view.error


def _common(name: str, parts: list[soundfile.SoundFile], called: str | None) -> AudioInfo:
    """Return the common header of all parts, with the sum of their lengths; parts must agree."""
    kinds = {(part.samplerate, part.channels): None for part in parts}
    if len(kinds) > 1:
        told = ", then ".join(f"{rate} Hz with {channels} channels" for rate, channels in kinds)
        raise DataError(f"{name}: holds several sounds of different rates or channels ({told}); split it")
    if any(part.frames >= _UNKNOWN_FRAMES for part in parts):
        raise DataError(f"{name}: its header has no length; convert it with `ffmpeg -i FILE NEW.flac`")
    return AudioInfo(
        parts[0].samplerate, parts[0].channels, sum(part.frames for part in parts), called or parts[0].format
    )


def _checked(name: str, info: AudioInfo) -> AudioInfo:
    if info.frames <= 0:
        raise DataError(f"{name}: holds no samples; record it again or leave it out of the manifest")
    if not _RATES[0] <= info.rate <= _RATES[1]:
        raise DataError(f"{name}: its header gives a rate of {info.rate} Hz; expected {_RATES[0]} to {_RATES[1]}")
    return info
