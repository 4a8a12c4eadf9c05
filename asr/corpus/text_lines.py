"""Read text files, plain or gzipped, whole or line by line; errors name the file and the line."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from asr.corpus.named_files import file_problem
from asr.errors import DataError
from asr.printable import printable

STANDARD_INPUT = Path("-")
MAX_LINE = 1 << 24  # bytes; a paragraph has thousands
MAX_TEXT = 1 << 30  # bytes of a text that is read whole, unpacked
_BOM = b"\xef\xbb\xbf"


@contextmanager
def opened(path: Path, what: str) -> Iterator[BinaryIO]:
    """Open a file for reading, unpacked on the way if its name ends in `.gz`.

    Args:
        path: of the file, or `STANDARD_INPUT`.
        what: what was expected there, for messages: "a text".

    Raises:
        DataError: it is missing, is no file, or may not be read.
    """
    if path == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    if reason := file_problem(path):
        raise DataError(f"{printable(path)} {reason}; expected {what}")
    try:
        with path.open("rb") if path.suffix != ".gz" else BufferedReader(gzip.GzipFile(path)) as file:
            yield file
    except OSError as error:
        raise DataError(f"{printable(path)} cannot be read: {error.strerror or error}; expected {what}") from error


def whole_text(path: Path, what: str, most: int = MAX_TEXT) -> str:
    """Read a file at once, without a byte order mark.

    Args:
        path: of the file, or `STANDARD_INPUT`.
        what: what was expected there, for messages.
        most: bytes that it may hold, unpacked.

    Raises:
        DataError: the file cannot be read, is damaged or not UTF-8, or holds more than `most` bytes.
    """
    with opened(path, what) as file, _unpacked(path, ""):
        content = file.read(most + 1)
    if len(content) > most:
        raise DataError(f"{printable(path)} holds more than {most >> 20} MiB; expected {what}")
    content = content.removeprefix(_BOM)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{printable(path)}:{number}: the line is not UTF-8; save the file as UTF-8") from error


@contextmanager
def _unpacked(path: Path, where: str) -> Iterator[None]:
    """Raise a DataError where a compressed file turns out to be damaged."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{printable(path)}: damaged gzip file{where}: {error}; copy it again") from error


def numbered_lines(path: Path, what: str, longest: int = MAX_LINE) -> Iterator[tuple[int, bytes]]:
    """Read the lines of a file with their numbers, from 1, without the ends of lines and a byte order mark.

    Args:
        path: of the file, or `STANDARD_INPUT`.
        what: what was expected there, for messages.
        longest: bytes of a line at most.

    Raises:
        DataError: the file cannot be read, is damaged, or has a longer line.
    """
    number = 0
    with opened(path, what) as file:
        while True:
            with _unpacked(path, f" behind line {number}"):
                line = file.readline(longest + 1)
            if not line:
                return
            number += 1
            if len(line) > longest:
                raise DataError(f"{printable(path)}:{number}: the line has more than {longest} bytes; break it")
            yield number, (line.removeprefix(_BOM) if number == 1 else line).rstrip(b"\r\n")


def decoded(line: bytes, path: Path, number: int) -> str:
    """Decode a line.

    Raises:
        DataError: it is not UTF-8.
    """
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        told = f"byte {error.start + 1} of the line is not UTF-8"
        raise DataError(f"{printable(path)}:{number}: {told}; save the file as UTF-8") from error
