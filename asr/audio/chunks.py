"""Are all samples of a WAV, RF64, W64, AIFF, AU or CAF file there?

libsndfile silently reads what is left of a cut file, nothing of one whose header says 0 bytes because its writer could
not go back, and gives up where the samples stand in two pieces. So the header is read here before it is.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from asr.audio.content import Content, View, patched
from asr.errors import DataError, DataWarning

_UNKNOWN = 0x7FFF_0000  # WAV and AIFF: programs that write into a pipe promise at least this many bytes
_UNKNOWN_64 = 1 << 62
_LARGEST = 0xFFFF_FFFF  # a size of 32 bits that stands elsewhere, or means the rest of the file
_MOST_CHUNKS = 1000


@dataclass(frozen=True)
class _Chain:
    """How the chunks of a format follow each other.

    Attributes:
        code: struct format of a chunk's name and size.
        counted: bytes of its head that the size counts.
        align: the length is rounded up to a multiple of this.
    """

    code: str
    counted: int = 0
    align: int = 2


_RIFF, _IFF, _WAVE64, _CAF = _Chain("<4sI"), _Chain(">4sI"), _Chain("<16sQ", 24, 8), _Chain(">4sq", 0, 1)


@dataclass(frozen=True)
class _Chunk:
    name: bytes
    begin: int
    length: int


@dataclass(frozen=True)
class _Size:
    """A place in the header that counts the bytes of samples, and `more`."""

    position: int
    code: str
    more: int = 0


def wave(content: Content, start: int) -> View:
    """A WAV file in either byte order; several data chunks are read as one."""
    chain = _IFF if content.at(start, 4) == b"RIFX" else _RIFF
    chunks = list(_chunks(content, start + 12, chain))
    data = [chunk for chunk in chunks if chunk.name == b"data"]
    if not data or (data[0].length == 0 and not _is_chain(content, data[0].begin, chain)):
        return _unfinished_wave(content, start, data[:1], chain.code[0])
    full = [chunk for chunk in data if chunk.length > 0]
    if not full:
        raise _empty(content)
    for chunk in full:
        if chunk.length < _UNKNOWN:
            _check_length(content, chunk.begin, chunk.length)
    if len(data) == 1:
        return _from(content, start)
    return _joined(content, [chunk for chunk in chunks if chunk.name == b"fmt "][:1], full, chain.code[0])


def rf64(content: Content, start: int) -> View:
    """An RF64 file, whose sizes of 64 bits stand in a chunk of their own, `ds64`."""
    chunks = {chunk.name: chunk for chunk in reversed(list(_chunks(content, start + 12, _RIFF)))}
    if not {b"ds64", b"data"} <= chunks.keys():
        raise _empty(content)
    told, data = chunks[b"ds64"].begin, chunks[b"data"]
    length = data.length
    if length == _LARGEST:
        length = int.from_bytes(content.at(told + 8, 8), "little")
    sizes = (_Size(told, "<Q", data.begin - start - 8), _Size(told + 8, "<Q"))
    if length >= _UNKNOWN_64 or length == 0:
        return _rest(content, start, data.begin, sizes, told=length > 0)
    _check_length(content, data.begin, length)
    return _from(content, start)


def wave64(content: Content, start: int) -> View:
    """A Wave64 file: names of 16 bytes, sizes of 64 bits that count their own 24 bytes."""
    data = _first(content, start + 40, _WAVE64, b"data")
    if data.length >= _UNKNOWN_64 or data.length <= 0:
        return _rest(content, start, data.begin, told=data.length > 0)
    _check_length(content, data.begin, data.length)
    return _from(content, start)


def aiff(content: Content, start: int) -> View:
    """An AIFF or AIFF-C file; eight bytes stand before the samples of its SSND chunk."""
    data = _first(content, start + 12, _IFF, b"SSND")
    if data.length > 8:
        if data.length < _UNKNOWN:
            _check_length(content, data.begin + 8, data.length - 8)
        return _from(content, start)
    if _is_chain(content, data.begin + data.length, _IFF):
        raise _empty(content)
    return _rest(content, start, data.begin + 8)


def au(content: Content, start: int) -> View:
    """An AU file, which has no chunks: a header, and the rest are samples."""
    head = content.at(start, 12)
    order = "<" if head.startswith(b"dns.") else ">"
    if len(head) < 12:
        raise _empty(content)
    begin, length = struct.unpack(f"{order}II", head[4:])
    if length == 0:
        return _rest(content, start, start + begin, (_Size(start + 8, f"{order}I"),))
    if length != _LARGEST:
        _check_length(content, start + begin, length)
    return _from(content, start)


def caf(content: Content, start: int) -> View:
    """A CAF file; four bytes stand before the samples of its data chunk, and a size of -1 means the rest."""
    data = _first(content, start + 8, _CAF, b"data")
    if data.length > 4:
        _check_length(content, data.begin + 4, data.length - 4)
        return _from(content, start)
    if data.length >= 0 and _is_chain(content, data.begin + data.length, _CAF):
        raise _empty(content)
    return _rest(content, start, data.begin + 4, (_Size(data.begin - 8, ">q", 4),), told=data.length == -1)


def _chunks(content: Content, position: int, chain: _Chain) -> Iterator[_Chunk]:
    """The chunks from a position on; the last may reach beyond the end."""
    head = struct.calcsize(chain.code)
    for _ in range(_MOST_CHUNKS):
        packed = content.at(position, head)
        if len(packed) < head:
            return
        name, length = struct.unpack(chain.code, packed)
        position += head
        yield _Chunk(name, position, length - chain.counted)
        if length < chain.counted:
            return
        position += length - chain.counted + -length % chain.align
        if position > content.size:
            return


def _first(content: Content, position: int, chain: _Chain, name: bytes) -> _Chunk:
    """The first chunk whose name begins so."""
    for chunk in _chunks(content, position, chain):
        if chunk.name.startswith(name):
            return chunk
    raise _empty(content)


def _is_chain(content: Content, position: int, chain: _Chain) -> bool:
    """Whether nothing but whole chunks stands between a position and the end of the file."""
    end = position
    for chunk in _chunks(content, position, chain):
        if not all(0x20 <= byte < 0x7F for byte in chunk.name[:4]):
            return False
        end = chunk.begin + chunk.length
    return end <= content.size <= end + 1


def _empty(content: Content) -> DataError:
    return DataError(f"{content.name}: holds no samples; record it again or leave it out of the manifest")


def _check_length(content: Content, begin: int, promised: int) -> None:
    there = max(content.size - begin, 0)
    if promised > there:
        raise DataError(
            f"{content.name}: truncated: its header promises {promised} bytes of samples, {there} are there;"
            " copy it again"
        )


def _from(content: Content, start: int) -> View:
    return View(content, [range(start, content.size)])


def _rest(content: Content, start: int, begin: int, sizes: tuple[_Size, ...] = (), told: bool = False) -> View:
    """All up to the end of the file as samples, told to libsndfile where `sizes` stand.

    Args:
        content: the file.
        start: where the file begins, behind a tag.
        begin: position of the first sample.
        sizes: what libsndfile wants to know.
        told: whether the header means the rest, rather than nothing.
    """
    there = content.size - begin
    if there <= 0:
        raise _empty(content)
    try:
        changes = {size.position: struct.pack(size.code, there + size.more) for size in sizes}
    except struct.error:
        raise DataError(
            f"{content.name}: its header gives its samples 0 bytes; {there} are there, more than such a file holds;"
            " convert it with `ffmpeg -i FILE NEW.flac`"
        ) from None
    if not told:
        _warn(
            f"{content.name}: its header gives its samples 0 bytes, {there} are there, and all of them are read"
            " (its writer was stopped, or wrote into a pipe)"
        )
    return patched(content, start, changes)


def _unfinished_wave(content: Content, start: int, data: list[_Chunk], order: str) -> View:
    if not data:
        raise _empty(content)
    begin = data[0].begin
    sizes = (_Size(begin - 4, f"{order}I"), _Size(start + 4, f"{order}I", begin - start - 8))
    return _rest(content, start, begin, sizes)


def _joined(content: Content, form: list[_Chunk], data: list[_Chunk], order: str) -> View:
    """A WAV file of the samples of several data chunks."""
    if not form or form[0].length > content.size:
        raise DataError(f"{content.name}: has no whole chunk that tells the format of its samples; copy it again")
    pieces = [range(chunk.begin, min(chunk.begin + chunk.length, content.size)) for chunk in data]
    n_bytes = sum(map(len, pieces))
    described = b"WAVE" + content.at(form[0].begin - 8, 8 + form[0].length + form[0].length % 2)
    try:
        head = struct.pack(f"{order}4sI", b"RIFX" if order == ">" else b"RIFF", len(described) + 8 + n_bytes)
        tail = struct.pack(f"{order}4sI", b"data", n_bytes)
    except struct.error:
        raise DataError(f"{content.name}: its data chunks hold {n_bytes} bytes, more than a WAV file does") from None
    _warn(
        f"{content.name}: has more than one data chunk, where a WAV file should have one; the samples of all are read,"
        " one behind the other"
    )
    return View(content, [head + described + tail, *pieces])


def _warn(message: str) -> None:
    warnings.warn(message, DataWarning, stacklevel=2)
