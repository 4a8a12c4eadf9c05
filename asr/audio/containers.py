"""Detect the format of a sound file, check that it is complete, and prepare what libsndfile reads of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from asr.audio import chunks, ffmpeg, flac, mp3, ogg
from asr.audio.content import Content, View

_HEAD = 64  # bytes in which the format is detected
_MOST_TAGS = 8
_ID3_HEAD = 10

_READ_HERE: dict[bytes, Callable[[Content, int], View]] = {
    rb"RIF[FX].{4}WAVE": chunks.wave,
    rb"RF64.{4}WAVE": chunks.rf64,
    rb"riff\x2e\x91\xcf\x11": chunks.wave64,
    rb"FORM.{4}AIF[FC]": chunks.aiff,
    rb"\.snd|dns\.": chunks.au,
    rb"caff": chunks.caf,
    rb"fLaC": flac.with_length,
}
_FOREIGN: dict[bytes, tuple[str, str]] = {  # name in messages, ffmpeg's name
    rb".{4}(ftyp|moov)": ("MP4", "mov"),
    rb"\x1a\x45\xdf\xa3": ("WebM", "matroska"),
    rb"#!AMR": ("AMR", "amr"),
    rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11": ("WMA", "asf"),
    rb"\xff[\xf0\xf1\xf8\xf9]": ("AAC", "aac"),
}
_MP3 = rb"\xff[\xe2-\xe7\xea-\xef\xf2-\xf7\xfa-\xff]"  # in AAC both bits of the layer are 0


@dataclass(frozen=True)
class Layout:
    """The parts of a sound file that libsndfile reads.

    Attributes:
        views: the sounds of the file, in order; empty if the format is unknown.
        format: name of a format that ffmpeg decoded; None if libsndfile names the format.
        pages: position of the first Ogg page, for `ogg.check_pages`; None for other formats.
    """

    views: tuple[View, ...]
    format: str | None = None
    pages: int | None = None


def layout(content: Content) -> Layout:
    """Detect the format of a file and check that the file is complete.

    Raises:
        DataError: the file is truncated or damaged, or ffmpeg is needed and cannot decode it.
    """
    start = _behind_tags(content)
    head = content.at(start, _HEAD)
    for mark, view in _READ_HERE.items():
        if re.match(mark, head, re.DOTALL):
            return Layout((view(content, start),))
    if head.startswith(b"OggS"):
        if ogg.codec(content, start) == b"Speex   ":
            return _through_ffmpeg(content, "Speex", "ogg")
        return Layout(tuple(ogg.links(content, start)), pages=start)
    if re.match(_MP3, head, re.DOTALL):
        told = mp3.with_length(content, start)
        if told is not None:
            return Layout((told,))
        return _through_ffmpeg(content, "MP3 without its length (no Xing or Info header, damaged or cut)", "mp3")
    for mark, (kind, demuxer) in _FOREIGN.items():
        if re.match(mark, head, re.DOTALL):
            return _through_ffmpeg(content, kind, demuxer)
    return Layout(())


def _through_ffmpeg(content: Content, kind: str, demuxer: str) -> Layout:
    wave = ffmpeg.decoded(content, kind, demuxer)
    return Layout((View(wave, [range(wave.size)]),), format=kind.split()[0])


def _behind_tags(content: Content) -> int:
    """Return the position after the ID3 tags, which may precede any format."""
    start = 0
    for _ in range(_MOST_TAGS):
        head = content.at(start, _ID3_HEAD)
        if head[:3] != b"ID3" or len(head) < _ID3_HEAD:
            break
        start += _ID3_HEAD + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    return start
