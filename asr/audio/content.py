"""Access the bytes of a sound file on disk or in memory, and rearranged views of these bytes."""

from __future__ import annotations

import bisect
import errno
import io
import itertools
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from asr.errors import DataError

MOST_BYTES = 1 << 30  # of a stream, which must fit into memory; nine hours of 16-bit samples at 16 kHz
_BLOCK = 1 << 20  # bytes read from a stream at a time
_MOST_IN_MEMORY = 1 << 25  # bytes of a stream, 17 minutes of 16-bit samples at 16 kHz; longer ones go to a file


@dataclass(frozen=True)
class Content:
    """The bytes of one sound file.

    Attributes:
        name: name of the file in error messages.
        file: the bytes; every reader seeks before it reads.
        size: number of bytes.
        path: path on disk; None if the bytes are in memory.
    """

    name: str
    file: BinaryIO
    size: int
    path: Path | None = None

    def at(self, position: int, n_bytes: int) -> bytes:
        """Read `n_bytes` from a position; fewer if the file ends before."""
        self.file.seek(position)
        return self.file.read(n_bytes)


class View(io.RawIOBase):
    """A readable file made of pieces of another file, in order.

    libsndfile calls these methods from C, where an exception would be printed and ignored. No method raises one;
    `error` keeps the last failure.

    Args:
        content: the file.
        pieces: each piece is either bytes, or a range of positions in the file.
    """

    def __init__(self, content: Content, pieces: Sequence[bytes | range]) -> None:
        super().__init__()
        self.content = content
        self.error: OSError | None = None
        self._pieces = tuple(piece for piece in pieces if len(piece))
        self._begins = [0, *itertools.accumulate(map(len, self._pieces))]
        self._size = self._begins.pop()
        self._position = 0

    @property
    def is_whole(self) -> bool:
        """Return whether the view is the whole file, unchanged."""
        return self._pieces == (range(self.content.size),)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position inside the file; keep the current position if the new one is outside."""
        position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if 0 <= position <= self._size:
            self._position = position
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer, or as much of it as the rest of the file."""
        done = 0
        while done < len(buffer) and self._position < self._size:
            number = bisect.bisect_right(self._begins, self._position) - 1
            inside = self._position - self._begins[number]
            block = self._read(self._pieces[number][inside : inside + len(buffer) - done])
            if not block:
                break
            buffer[done : done + len(block)] = block
            done += len(block)
            self._position += len(block)
        return done

    def _read(self, piece: bytes | range) -> bytes:
        if isinstance(piece, bytes):
            return piece
        try:
            return self.content.at(piece.start, len(piece))
        except OSError as error:
            self.error = error
            return b""


def patched(content: Content, start: int, changes: dict[int, bytes]) -> View:
    """Return the file from position `start` to its end, with some bytes replaced.

    Args:
        content: the file.
        start: first position of the view.
        changes: new bytes by position in the file; positions are at least `start`.

    >>> patched(of_bytes(b"abcdef", "x"), 1, {3: b"X"}).read()
    b'bcXef'
    """
    pieces: list[bytes | range] = []
    for position, new in sorted(changes.items()):
        pieces += [range(start, position), new]
        start = position + len(new)
    return View(content, [*pieces, range(start, content.size)])


@contextmanager
def open_path(path: Path) -> Iterator[Content]:
    """Open a regular file that is not empty.

    Raises:
        DataError: the file is missing, a folder, a device, empty or not readable, or its name is invalid.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # opening a FIFO would block
            raise DataError(f"{path}: not a file; name a sound file")
        file = path.open("rb")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {reason_of(error)}") from error
    except ValueError as error:  # Python's message differs between versions
        reason = "a NUL character" if "\0" in str(path) else "a character that this system's file names do not have"
        raise DataError(f"{path}: cannot be read: its name holds {reason}; check the path") from error
    with file:
        try:
            yield _not_empty(Content(str(path), file, os.fstat(file.fileno()).st_size, path))
        except OSError as error:  # a medium that fails
            raise DataError(f"{path}: cannot be read: {reason_of(error)}") from error


def of_bytes(data: bytes, name: str) -> Content:
    """Return the content of a sound file held in memory.

    Raises:
        DataError: `data` is empty.
    """
    return _not_empty(Content(name, io.BytesIO(data), len(data)))


def read_stream(stream: BinaryIO, name: str, most_bytes: int = MOST_BYTES) -> bytes:
    """Read a binary stream to its end, but not more than `most_bytes`: a pipe or a terminal may never end.

    Raises:
        DataError: the stream holds more, gives text instead of bytes, is closed, or fails.
    """
    blocks = io.BytesIO()
    for block in _stream_blocks(stream, name, most_bytes):
        blocks.write(block)
    return blocks.getvalue()


@contextmanager
def of_stream(stream: BinaryIO, name: str, most_bytes: int = MOST_BYTES) -> Iterator[Content]:
    """Read a binary stream to its end; keep its content in memory or, if it is large, in a temporary file.

    Raises:
        DataError: for the reasons of `read_stream`, or because the stream is empty or the disk is full.
    """
    with tempfile.SpooledTemporaryFile(_MOST_IN_MEMORY, prefix="asr-stream-") as file:
        try:
            for block in _stream_blocks(stream, name, most_bytes):
                file.write(block)
        except OSError as error:
            raise DataError(
                f"{name}: cannot be stored in {tempfile.gettempdir()} ({reason_of(error)}); free some space there, or"
                " set TMPDIR to another folder"
            ) from error
        yield _not_empty(Content(name, cast(BinaryIO, file), file.tell()))


def _stream_blocks(stream: BinaryIO, name: str, most_bytes: int) -> Iterator[bytes]:
    n_bytes = 0
    while n_bytes <= most_bytes:
        try:
            block = stream.read(min(_BLOCK, most_bytes + 1 - n_bytes))
        except (OSError, ValueError) as error:  # ValueError: it is closed
            raise DataError(f"{name}: cannot be read: {reason_of(error)}") from error
        if not _checked_bytes(block, name):
            return
        n_bytes += len(block)
        yield block
    raise DataError(f"{name}: holds more than {most_bytes} bytes; write it to a file and pass the file's path")


def _checked_bytes(block: object, name: str) -> bool:
    """Check that a stream gave bytes; return whether there are any."""
    if not isinstance(block, (bytes, bytearray, memoryview)):
        kind = type(block).__name__
        raise DataError(f"{name}: reading gives {kind} instead of bytes; open it for bytes, as open(..., 'rb') does")
    return len(block) > 0


def _not_empty(content: Content) -> Content:
    if content.size == 0:
        raise DataError(f"{content.name}: is empty (0 bytes); copy or record it again")
    return content


def reason_of(error: Exception) -> str:
    """Return the reason of an OSError or ValueError as a phrase, without the path."""
    code = getattr(error, "errno", None)
    if code == errno.ENAMETOOLONG:
        return "its name, or that of a folder above it, is longer than this system allows; check the path"
    if code in (errno.EACCES, errno.EPERM):
        return "you may not read it; change its permissions"
    return str(getattr(error, "strerror", None) or error)
