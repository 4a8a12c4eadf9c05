"""Read NIST SPHERE files, the format of TIMIT and of most LDC corpora of the 1990s.

A file has a text header of 1024 bytes or a multiple of it (`NIST_1A`, its size, then `name -type value` lines up to
`end_head`), then the interleaved samples. Supported are 16-bit PCM in both byte orders and 8-bit mu-law. Compressed
files (shorten, wavpack, shortpack) raise a DataError that names the coding. Format: NIST's `sphere` package 2.6,
`doc/header.doc`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.audio.content import Content
from asr.errors import DataError

MAGIC = b"NIST_1A\n"
_FIRST_LINES = 16  # bytes: the marker and the header's size, eight bytes each
_LARGEST_HEADER = 1 << 20  # bytes; real ones have 1024
_SAMPLE_BYTES = {"pcm": 2, "ulaw": 1}
_CODINGS = {"pcm": "pcm", "ulaw": "ulaw", "mu-law": "ulaw", "mulaw": "ulaw"}
_BYTE_ORDERS = {"01": "<i2", "10": ">i2"}
_SHOWN = 40  # characters
_CONVERT = "convert it with `sph2pipe -f wav`"


@dataclass(frozen=True)
class SphereHeader:
    """The header of a SPHERE file.

    Attributes:
        rate: sampling rate in hertz.
        channels: number of interleaved channels.
        frames: number of samples per channel.
        coding: `pcm` (16 bit) or `ulaw`.
        dtype: NumPy type of a sample in the file.
        offset: position of the first sample, in bytes.
    """

    rate: int
    channels: int
    frames: int
    coding: str
    dtype: str
    offset: int


def read_header(content: Content) -> SphereHeader:
    """Read the header, and check that the file is large enough for its samples.

    Raises:
        DataError: the file has no valid SPHERE header, an unsupported coding, or fewer samples than the header says.
    """
    name = content.name
    offset, fields = _fields(content)
    coding, dtype = _coding(fields, name)
    channels = _whole(fields, "channel_count", name, default=1)
    rate = _whole(fields, "sample_rate", name)
    there = (content.size - offset) // (channels * _SAMPLE_BYTES[coding])
    frames = _whole(fields, "sample_count", name, default=max(there, 1))
    if frames > there:
        raise DataError(
            f"{name}: truncated: its SPHERE header says {frames} samples, {max(there, 0)} are there; copy it again"
        )
    return SphereHeader(rate, channels, frames, coding, dtype, offset)


def read_samples(content: Content, header: SphereHeader, start: int, frames: int) -> NDArray[np.float32]:
    """Read the samples `start` to `start + frames` of every channel.

    Returns:
        (frames, channels) float32 in [-1, 1].

    Raises:
        DataError: the file ends before the last of these samples.
    """
    width = header.channels * _SAMPLE_BYTES[header.coding]
    raw = content.at(header.offset + start * width, frames * width)
    if len(raw) != frames * width:
        n_read = len(raw) // width
        raise DataError(f"{content.name}: truncated: {n_read} of {frames} samples could be read; copy it again")
    codes = np.frombuffer(raw, dtype=header.dtype).reshape(frames, header.channels)
    if header.coding == "ulaw":
        return np.asarray(_MU_LAW[codes])
    return codes.astype(np.float32) / np.float32(32768)


def _fields(content: Content) -> tuple[int, dict[str, str]]:
    """Return the header's size in bytes, and its fields by name."""
    name = content.name
    first = content.at(0, _FIRST_LINES)
    size_text = first[len(MAGIC) :].strip()
    if not first.startswith(MAGIC) or not size_text.isdigit():
        raise DataError(f"{name}: not a NIST SPHERE file; expected NIST_1A and the header's size at its start")
    size = int(size_text)
    if not _FIRST_LINES < size <= _LARGEST_HEADER:
        raise DataError(f"{name}: its SPHERE header claims a size of {size} bytes; expected 1024 or a small multiple")
    header = content.at(0, size)
    if len(header) < size:
        raise DataError(f"{name}: truncated inside its SPHERE header ({len(header)} of {size} bytes); copy it again")
    fields: dict[str, str] = {}
    for line in header[_FIRST_LINES:].decode("latin-1").splitlines():
        if line.strip() == "end_head":
            return size, fields
        field, _, rest = line.partition(" ")
        fields[field] = rest.strip().partition(" ")[2]
    raise DataError(f"{name}: its SPHERE header has no end_head line; copy it again")


def _coding(fields: dict[str, str], name: str) -> tuple[str, str]:
    """Return the coding and the NumPy type of the samples."""
    named = fields.get("sample_coding", "pcm").strip().lower()
    coding = _CODINGS.get(named)
    if coding is None:
        raise DataError(
            f"{name}: SPHERE with sample_coding {_shown(named)} is not supported (pcm and ulaw are); {_CONVERT}"
        )
    width = _whole(fields, "sample_n_bytes", name, default=_SAMPLE_BYTES[coding])
    if width != _SAMPLE_BYTES[coding]:
        raise DataError(f"{name}: SPHERE with {width}-byte {coding} samples is not supported; {_CONVERT}")
    if coding == "ulaw":
        return coding, "u1"
    order = fields.get("sample_byte_format", "").strip()
    if order not in _BYTE_ORDERS:
        raise DataError(
            f"{name}: its SPHERE header has sample_byte_format {_shown(order)}; expected 01 or 10; {_CONVERT}"
        )
    return coding, _BYTE_ORDERS[order]


def _whole(fields: dict[str, str], field: str, name: str, default: int | None = None) -> int:
    """Return the value of a field that must be a whole number above 0."""
    text = fields.get(field)
    if text is None and default is not None:
        return default
    if text is None:
        raise DataError(f"{name}: its SPHERE header has no {field}; copy it again")
    if not (text.strip().isascii() and text.strip().isdigit()) or len(text) > 18 or int(text) == 0:
        raise DataError(f"{name}: its SPHERE header has {field} {_shown(text)}; expected a whole number above 0")
    return int(text)


def _shown(text: str) -> str:
    """Return a header value for a message: short, and without control characters."""
    return repr(text[:_SHOWN])


def _mu_law_table() -> NDArray[np.float32]:
    """Return the 256 values of ITU-T G.711 mu-law, divided by 32768."""
    inverted = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (inverted >> 4) & 7, inverted & 15
    magnitude = (((mantissa.astype(np.int32) << 3) + 0x84) << exponent) - 0x84
    return (np.where(inverted & 0x80, -magnitude, magnitude) / 32768).astype(np.float32)


_MU_LAW = _mu_law_table()
