"""NIST SPHERE files, as TIMIT and most LDC corpora of the nineties hold them.

A text header of 1024 bytes or a multiple of it (`NIST_1A`, its size, then `name -type value` lines up to `end_head`),
then the interleaved samples. Read here: 16-bit PCM in both byte orders and 8-bit mu-law. Compressed files
(shorten, wavpack, shortpack) are refused by name. Format: NIST's `sphere` package 2.6, `doc/header.doc`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError

MAGIC = b"NIST_1A\n"
_FIRST_LINES = 16  # bytes: the magic and the header's size, eight bytes each
_LARGEST_HEADER = 1 << 20  # bytes; real ones have 1024
_SAMPLE_BYTES = {"pcm": 2, "ulaw": 1}
_CODINGS = {"pcm": "pcm", "ulaw": "ulaw", "mu-law": "ulaw", "mulaw": "ulaw"}
_BYTE_ORDERS = {"01": "<i2", "10": ">i2"}
_CONVERT = "convert it with `sph2pipe -f wav`"


@dataclass(frozen=True)
class SphereHeader:
    """What the header says about the samples.

    Attributes:
        rate: samples per second and channel.
        channels: interleaved channels.
        frames: samples per channel.
        coding: `pcm` (16 bit) or `ulaw`.
        dtype: NumPy type of a sample in the file.
        offset: bytes before the first sample.
    """

    rate: int
    channels: int
    frames: int
    coding: str
    dtype: str
    offset: int


def read_header(path: Path) -> SphereHeader:
    """Read and check the header; the samples it promises are compared with the size of the file.

    Raises:
        DataError: not a SPHERE header, a coding that is not read here, or fewer samples than promised.
    """
    with path.open("rb") as file:
        offset, fields = _fields(file, path)
    coding, dtype = _coding(fields, path)
    channels = _whole(fields, "channel_count", path, default=1)
    rate = _whole(fields, "sample_rate", path)
    there = (os.stat(path).st_size - offset) // (channels * _SAMPLE_BYTES[coding])
    frames = _whole(fields, "sample_count", path, default=max(there, 1))
    if frames > there:
        raise DataError(
            f"{path}: truncated: its SPHERE header promises {frames} samples, {max(there, 0)} are there; copy it again"
        )
    return SphereHeader(rate, channels, frames, coding, dtype, offset)


def read_samples(path: Path, header: SphereHeader, start: int, frames: int) -> NDArray[np.float32]:
    """Samples `start` to `start + frames` of every channel.

    Returns:
        (frames, channels) float32 in [-1, 1].

    Raises:
        DataError: the file ends before.
    """
    width = header.channels * _SAMPLE_BYTES[header.coding]
    with path.open("rb") as file:
        file.seek(header.offset + start * width)
        raw = file.read(frames * width)
    if len(raw) != frames * width:
        raise DataError(f"{path}: truncated: {len(raw) // width} of {frames} samples could be read; copy it again")
    codes = np.frombuffer(raw, dtype=header.dtype).reshape(frames, header.channels)
    if header.coding == "ulaw":
        return np.asarray(_MU_LAW[codes])
    return codes.astype(np.float32) / np.float32(32768)


def _fields(file: BinaryIO, path: Path) -> tuple[int, dict[str, str]]:
    """The header's size in bytes, and its fields as text."""
    first = file.read(_FIRST_LINES)
    size_text = first[len(MAGIC) :].strip()
    if not first.startswith(MAGIC) or not size_text.isdigit():
        raise DataError(f"{path}: not a NIST SPHERE file: it does not start with NIST_1A and the header's size")
    size = int(size_text)
    if not _FIRST_LINES < size <= _LARGEST_HEADER:
        raise DataError(f"{path}: its SPHERE header gives itself {size} bytes; expected 1024 or a small multiple")
    header = first + file.read(size - _FIRST_LINES)
    if len(header) < size:
        raise DataError(f"{path}: truncated inside its SPHERE header ({len(header)} of {size} bytes); copy it again")
    fields: dict[str, str] = {}
    for line in header[_FIRST_LINES:].decode("latin-1").splitlines():
        if line.strip() == "end_head":
            return size, fields
        name, _, rest = line.partition(" ")
        fields[name] = rest.strip().partition(" ")[2]
    raise DataError(f"{path}: its SPHERE header has no end_head line; copy it again")


def _coding(fields: dict[str, str], path: Path) -> tuple[str, str]:
    """Coding and NumPy type of the samples."""
    named = fields.get("sample_coding", "pcm").strip().lower()
    coding = _CODINGS.get(named)
    if coding is None:
        raise DataError(f"{path}: SPHERE with sample_coding '{named}' is not read here (pcm and ulaw are); {_CONVERT}")
    width = _whole(fields, "sample_n_bytes", path, default=_SAMPLE_BYTES[coding])
    if width != _SAMPLE_BYTES[coding]:
        raise DataError(f"{path}: SPHERE with {width}-byte {coding} samples is not read here; {_CONVERT}")
    if coding == "ulaw":
        return coding, "u1"
    order = fields.get("sample_byte_format", "").strip()
    if order not in _BYTE_ORDERS:
        raise DataError(f"{path}: its SPHERE header has sample_byte_format '{order}'; expected 01 or 10; {_CONVERT}")
    return coding, _BYTE_ORDERS[order]


def _whole(fields: dict[str, str], name: str, path: Path, default: int | None = None) -> int:
    """A whole number above 0 from the header."""
    text = fields.get(name)
    if text is None and default is not None:
        return default
    if text is None or not (text.strip().isascii() and text.strip().isdigit()) or len(text) > 18 or int(text) == 0:
        raise DataError(f"{path}: its SPHERE header has {name} '{text}'; expected a whole number above 0")
    return int(text)


def _mu_law_table() -> NDArray[np.float32]:
    """The 256 values of ITU-T G.711 mu-law, divided by 32768."""
    inverted = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (inverted >> 4) & 7, inverted & 15
    magnitude = (((mantissa.astype(np.int32) << 3) + 0x84) << exponent) - 0x84
    return (np.where(inverted & 0x80, -magnitude, magnitude) / 32768).astype(np.float32)


_MU_LAW = _mu_law_table()
