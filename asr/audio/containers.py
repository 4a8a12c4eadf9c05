"""Is a sound file whole? libsndfile silently reads what is left of a cut one, so the containers are looked at here."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from asr.errors import DataError

_UNKNOWN_SIZE = 0x7FFF_0000  # WAV: programs that write into a pipe promise at least this many bytes
_MOST_CHUNKS = 1000
_OGG_PAGE_LIMIT = 27 + 255 + 255 * 255  # bytes
_OGG_END = 0x04
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_MP3_SEARCH = 1 << 16  # bytes after the ID3 tag in which the first frame is looked for


def check_wave(path: Path) -> None:
    """Raise DataError where the data chunk of a WAV file reaches beyond the end of the file."""
    size = os.stat(path).st_size
    with path.open("rb") as file:
        order = ">" if file.read(12)[:4] == b"RIFX" else "<"
        begin, promised = _data_chunk(file, size, order) or (size, 1)
    if promised < _UNKNOWN_SIZE and begin + promised > size:
        raise DataError(
            f"{path}: truncated: its header promises {promised} bytes of samples, {size - begin} are there;"
            " copy it again"
        )


def _data_chunk(file: BinaryIO, size: int, order: str) -> tuple[int, int] | None:
    """Where the samples begin, and how many bytes they should have."""
    position = 12
    for _ in range(_MOST_CHUNKS):
        if position + 8 > size:
            return None
        file.seek(position)
        name, length = struct.unpack(f"{order}4sI", file.read(8))
        if name == b"data":
            return position + 8, length
        position += 8 + length + length % 2
    return None


def check_ogg_end(path: Path) -> None:
    """Raise DataError where an Ogg file does not end with a whole page that is marked as the last."""
    size = os.stat(path).st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 2 * _OGG_PAGE_LIMIT))
        tail = file.read()
    start = tail.rfind(b"OggS")
    page = next(_pages(tail[start:]), b"") if start >= 0 else b""
    if not page or not page[5] & _OGG_END:
        raise DataError(
            f"{path}: truncated: its last Ogg page is cut or not marked as the end; copy it again, or, if a live"
            " stream was recorded, close it with `ffmpeg -i FILE -c copy NEW`"
        )


def check_ogg_pages(path: Path) -> None:
    """Raise DataError where a page of an Ogg file is damaged; libsndfile would leave it out without a word.

    Every page carries a checksum (RFC 3533): the CRC of zlib, of bit-reversed bytes and without its inversions.
    """
    content = path.read_bytes()
    good = 0
    for page in _pages(content):
        promised = int.from_bytes(page[22:26], "little")
        plain = page[:22] + bytes(4) + page[26:]
        crc = zlib.crc32(plain.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
        if int(f"{crc:032b}"[::-1], 2) != promised:
            break
        good += len(page)
    if content[good : good + 4] == b"OggS" or b"OggS" in content[good:]:
        raise DataError(f"{path}: damaged at byte {good}: a wrong Ogg checksum; copy it again")


def _pages(content: bytes) -> Iterator[bytes]:
    """Whole Ogg pages from the start of the bytes, up to the first that is cut or does not begin with its mark."""
    position = 0
    while content[position : position + 4] == b"OggS" and position + 27 <= len(content):
        segments = content[position + 27 : position + 27 + content[position + 26]]
        end = position + 27 + len(segments) + sum(segments)
        if len(segments) < content[position + 26] or end > len(content):
            return
        yield content[position:end]
        position = end


def check_mp3_length(path: Path) -> None:
    """Raise DataError where an MP3 file does not tell its number of frames (a Xing or Info header in the first).

    Without it libsndfile guesses the length from the first bit rate and may lose more than half of the sound.
    """
    with path.open("rb") as file:
        tag = file.read(10)
        if tag[:3] == b"ID3" and len(tag) == 10:
            file.seek(sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True)) + 10)
        else:
            file.seek(0)
        start = file.read(_MP3_SEARCH)
    for mark in (b"Xing", b"Info"):
        at = start.find(mark)
        if 0 <= at <= len(start) - 8 and start[at + 7] & 0x01:
            return
    raise DataError(
        f"{path}: an MP3 file that does not tell its length (no Xing or Info header); convert it to FLAC with"
        " `ffmpeg -i FILE NEW.flac`"
    )
