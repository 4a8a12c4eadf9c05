"""Check that all samples of a WAV, RF64, W64, AIFF, AU or CAF file are there.

Each function returns a view of the file for libsndfile. If a header says 0 bytes of samples, because its writer was
stopped or wrote to a pipe, all bytes up to the end of the file are read as samples, with a DataWarning.

libsndfile reads what is left of a cut file without a warning. It reads nothing of a file whose header says 0 bytes
because its writer could not seek back, and fails if the samples are in two chunks. Therefore this module reads the
header first.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from asr.audio.content import Content, View, patched
from asr.errors import DataError, DataWarning

_UNKNOWN = 0x7FFF_0000  # WAV and AIFF: programs that write to a pipe claim at least this many bytes
_UNKNOWN_64 = 1 << 62
_LARGEST = 0xFFFF_FFFF  # as a 32-bit size: the size is elsewhere, or is the rest of the file
_MOST_CHUNKS = 1000


@dataclass(frozen=True)
class _Chain:
    """The layout of the chunks of a format.

    Attributes:
        code: struct format of a chunk's header: name and size.
        counted: number of header bytes that the size includes.
        align: chunk lengths are padded to a multiple of this.
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
    """A header field that holds the number of bytes of samples, plus `more`."""

    position: int
    code: str
    more: int = 0


def wave(content: Content, start: int) -> View:
    """Check that the data chunks of a WAV file (RIFF or RIFX) are complete; several data chunks are joined.

    A data chunk that claims 0x7FFF0000 bytes or more was written to a pipe; its length is not checked.

    Args:
        content: the file.
        start: position of the file's header, behind tags.

    Returns:
        A view of the file from `start` on.

    Raises:
        DataError: there are no samples, samples are missing at the end, several data chunks have no complete `fmt `
            chunk, or the sizes of a mended header would not fit into 32 bits.

    Warns:
        DataWarning: the header says 0 bytes of samples, or there are several data chunks.
    """
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
    """Check that the samples of an RF64 file are complete; its 64-bit sizes are in the chunk `ds64`.

    A size of 2^62 bytes or more means that the samples reach to the end of the file.

    Args:
        content: the file.
        start: position of the file's header, behind tags.

    Returns:
        A view of the file from `start` on.

    Raises:
        DataError: there are no samples, the chunk `ds64` is missing, or samples are missing at the end.

    Warns:
        DataWarning: the header says 0 bytes of samples.
    """
    chunks = {chunk.name: chunk for chunk in reversed(list(_chunks(content, start + 12, _RIFF)))}
    if not {b"ds64", b"data"} <= chunks.keys():
        raise _empty(content)
    told, data = chunks[b"ds64"].begin, chunks[b"data"]
    length = data.length
    if length == _LARGEST:
        length = int.from_bytes(content.at(told + 8, 8), "little")
    sizes = (_Size(told, "<Q", data.begin - start - 8), _Size(told + 8, "<Q"))
    if length >= _UNKNOWN_64 or length == 0:
        return _rest(content, start, data.begin, sizes, open_ended=length > 0)
    _check_length(content, data.begin, length)
    return _from(content, start)


def wave64(content: Content, start: int) -> View:
    """Check that the samples of a Wave64 file are complete.

    Its chunks have names of 16 bytes and 64-bit sizes that include the header. A size of 2^62 bytes or more means that
    the samples reach to the end of the file.

    Args:
        content: the file.
        start: position of the file's header, behind tags.

    Returns:
        A view of the file from `start` on.

    Raises:
        DataError: there are no samples, or samples are missing at the end.

    Warns:
        DataWarning: the header says 0 bytes of samples.
    """
    data = _first(content, start + 40, _WAVE64, b"data")
    if data.length >= _UNKNOWN_64 or data.length <= 0:
        return _rest(content, start, data.begin, open_ended=data.length > 0)
    _check_length(content, data.begin, data.length)
    return _from(content, start)


def aiff(content: Content, start: int) -> View:
    """Check that the samples of an AIFF or AIFF-C file are complete; eight bytes precede them in the SSND chunk.

    A chunk that claims 0x7FFF0000 bytes or more was written to a pipe; its length is not checked.

    Args:
        content: the file.
        start: position of the file's header, behind tags.

    Returns:
        A view of the file from `start` on.

    Raises:
        DataError: there are no samples, or samples are missing at the end.

    Warns:
        DataWarning: the header says 0 bytes of samples, but other bytes than chunks follow.
    """
    data = _first(content, start + 12, _IFF, b"SSND")
    if data.length > 8:
        if data.length < _UNKNOWN:
            _check_length(content, data.begin + 8, data.length - 8)
        return _from(content, start)
    if _is_chain(content, data.begin + data.length, _IFF):
        raise _empty(content)
    return _rest(content, start, data.begin + 8)


def au(content: Content, start: int) -> View:
    """Check that the samples of an AU file (in either byte order) are complete; they follow its header without chunks.

    A size of 0xFFFFFFFF means that the samples reach to the end of the file.

    Args:
        content: the file.
        start: position of the file's header, behind tags.

    Returns:
        A view of the file from `start` on.

    Raises:
        DataError: there are no samples, samples are missing at the end, or the header says 0 bytes and the samples are
            more than this format allows.

    Warns:
        DataWarning: the header says 0 bytes of samples.
    """
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
    """Check that the samples of a CAF file are complete; four bytes precede them in its data chunk.

    A size of -1 means that the samples reach to the end of the file.

    Args:
        content: the file.
        start: position of the file's header, behind tags.

    Returns:
        A view of the file from `start` on.

    Raises:
        DataError: there are no samples, or samples are missing at the end.

    Warns:
        DataWarning: the header says 0 bytes of samples, but other bytes than chunks follow.
    """
    data = _first(content, start + 8, _CAF, b"data")
    if data.length > 4:
        _check_length(content, data.begin + 4, data.length - 4)
        return _from(content, start)
    if data.length >= 0 and _is_chain(content, data.begin + data.length, _CAF):
        raise _empty(content)
    return _rest(content, start, data.begin + 4, (_Size(data.begin - 8, ">q", 4),), open_ended=data.length == -1)


def _chunks(content: Content, position: int, chain: _Chain) -> Iterator[_Chunk]:
    """Yield the chunks from a position on; the last one may reach beyond the end of the file."""
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
    """Return the first chunk whose name begins with `name`."""
    for chunk in _chunks(content, position, chain):
        if chunk.name.startswith(name):
            return chunk
    raise _empty(content)


def _is_chain(content: Content, position: int, chain: _Chain) -> bool:
    """Return whether complete chunks fill the file from a position to its end."""
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
            f"{content.name}: truncated: its header says {promised} bytes of samples, {there} are there; copy it again"
        )


def _from(content: Content, start: int) -> View:
    return View(content, [range(start, content.size)])


def _rest(content: Content, start: int, begin: int, sizes: tuple[_Size, ...] = (), open_ended: bool = False) -> View:
    """Return a view in which everything up to the end of the file counts as samples.

    Args:
        content: the file.
        start: position of the file's header, after tags.
        begin: position of the first sample.
        sizes: header fields to set to the actual size.
        open_ended: whether the header itself says that the samples reach to the end; otherwise a warning is given.
    """
    there = content.size - begin
    if there <= 0:
        raise _empty(content)
    try:
        changes = {size.position: struct.pack(size.code, there + size.more) for size in sizes}
    except struct.error:
        raise DataError(
            f"{content.name}: its header says 0 bytes of samples; {there} are there, more than this format allows;"
            " convert it with `ffmpeg -i FILE NEW.flac`"
        ) from None
    if not open_ended:
        _warn(
            f"{content.name}: its header says 0 bytes of samples, but {there} are there; all of them are read"
            " (its writer was stopped, or wrote to a pipe)"
        )
    return patched(content, start, changes)


def _unfinished_wave(content: Content, start: int, data: list[_Chunk], order: str) -> View:
    if not data:
        raise _empty(content)
    begin = data[0].begin
    sizes = (_Size(begin - 4, f"{order}I"), _Size(start + 4, f"{order}I", begin - start - 8))
    return _rest(content, start, begin, sizes)


def _joined(content: Content, form: list[_Chunk], data: list[_Chunk], order: str) -> View:
    """Return a view of a WAV file whose data chunks are joined to one."""
    if not form or form[0].length > content.size:
        raise DataError(f"{content.name}: has no complete `fmt ` chunk; copy it again")
    pieces = [range(chunk.begin, min(chunk.begin + chunk.length, content.size)) for chunk in data]
    n_bytes = sum(map(len, pieces))
    described = b"WAVE" + content.at(form[0].begin - 8, 8 + form[0].length + form[0].length % 2)
    try:
        head = struct.pack(f"{order}4sI", b"RIFX" if order == ">" else b"RIFF", len(described) + 8 + n_bytes)
        tail = struct.pack(f"{order}4sI", b"data", n_bytes)
    except struct.error:
        raise DataError(
            f"{content.name}: its data chunks hold {n_bytes} bytes, more than a WAV file may have;"
            " convert it with `ffmpeg -i FILE NEW.flac`"
        ) from None
    _warn(f"{content.name}: has more than one data chunk; a WAV file should have one; all of them are read in order")
    return View(content, [head + described + tail, *pieces])


def _warn(message: str) -> None:
    warnings.warn(message, DataWarning, stacklevel=2)
