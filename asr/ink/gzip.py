"""Decompress gzip files within limits of time and memory."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from asr.errors import DataError
from asr.ink.assembling import MAX_BYTES

MAGIC = b"\x1f\x8b"
MAX_MEMBERS = 10_000  # gzip members of one file; programs write one or a few
MAX_RATIO = 100  # compression ratio; ink compresses to 1/3 to 1/10, only a decompression bomb exceeds this
_FREE_BYTES = 2 << 20  # size allowed at any ratio: an empty notebook of a thousand equal pages
_FIRST_BYTES, _MOST_BYTES = 1 << 10, 1 << 20  # of input at a time; small first, as bytes after a member are copied
_PADDING = re.compile(rb"\0*")


def decompressed(path: Path, content: bytes) -> bytes:
    """Decompress a gzip file.

    Args:
        path: the file, for error messages.
        content: its bytes.

    Raises:
        DataError: the file is damaged or truncated, or its content exceeds `MAX_BYTES` or the ratio `MAX_RATIO`.

    >>> import gzip
    >>> decompressed(Path("a.gz"), gzip.compress(b"ink"))
    b'ink'
    """
    most = min(MAX_BYTES, max(_FREE_BYTES, MAX_RATIO * len(content)))
    whole = bytearray()
    position = n_members = 0
    while position < len(content):
        n_members += 1
        if n_members > MAX_MEMBERS:
            raise DataError(f"{path}: more than {MAX_MEMBERS} gzip files in one; unpack it and compress it again")
        position = _member(path, content, position, whole, most)
        padding = _PADDING.match(content, position)
        position = padding.end() if padding else position
    return bytes(whole)


def _member(path: Path, content: bytes, position: int, whole: bytearray, most: int) -> int:
    """Append the content of one member to `whole`; return the position after the member."""
    stream = zlib.decompressobj(wbits=31)
    size = _FIRST_BYTES
    while not stream.eof:
        if position == len(content):
            raise DataError(f"{path}: truncated gzip file; copy it again")
        piece = content[position : position + size]
        try:
            whole += stream.decompress(piece, most + 1 - len(whole))
        except zlib.error as error:
            raise DataError(f"{path}: damaged gzip file: {error}; copy it again") from None
        if len(whole) > most:
            raise DataError(f"{path}: holds more than {most} bytes when decompressed; cut it into pages")
        position += len(piece) - len(stream.unused_data)
        size = min(2 * size, _MOST_BYTES)
    return position
