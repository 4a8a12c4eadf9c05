"""Read text files, plain or gzipped, as a whole or line by line; errors name the file and the line."""

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
MAX_LINE = 1 << 24  # bytes; a long paragraph has some thousands
MAX_TEXT = 1 << 30  # bytes, decompressed, of a text that is read as a whole
_BOM = b"\xef\xbb\xbf"


@contextmanager
def opened(path: Path, what: str) -> Iterator[BinaryIO]:
    """Open a file for reading; decompress it on the fly if its name ends in `.gz`.

    Args:
        path: the file, or `STANDARD_INPUT`.
        what: what the file should contain, for error messages: "a text".

    Raises:
        DataError: the file is missing, is not a regular file, or must not be read by this user.
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
    """Read a whole text file and remove its byte order mark.

    Args:
        path: the file, or `STANDARD_INPUT`.
        what: what the file should contain, for error messages.
        most: largest accepted size in bytes, after decompression.

    Returns:
        The decoded text.

    Raises:
        DataError: the file cannot be read, is damaged, is not UTF-8, or is larger than `most` bytes.
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
    """Turn the errors of a damaged gzip file into a DataError."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{printable(path)}: damaged gzip file{where}: {error}; copy it again") from error


def numbered_lines(path: Path, what: str, longest: int = MAX_LINE) -> Iterator[tuple[int, bytes]]:
    """Iterate over the lines of a file, blank lines included; remove line ends and a byte order mark.

    The file is opened when the first line is asked for, so that errors are raised there.

    Args:
        path: the file, or `STANDARD_INPUT`; a file whose name ends with `.gz` is decompressed.
        what: what the file should contain, for error messages.
        longest: largest accepted length of a line in bytes, with its line end.

    Yields:
        The number of the line, counted from 1, and its bytes.

    Raises:
        DataError: the file cannot be read, is damaged, or has a line longer than `longest`.
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
    r"""Decode one line of UTF-8.

    Args:
        line: the bytes.
        path: the file it comes from, for the error message.
        number: its line number, for the error message.

    Raises:
        DataError: the line is not UTF-8.

    >>> decoded(b"caf\xc3\xa9", Path("words.txt"), 1)
    'café'
    """
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        told = f"byte {error.start + 1} of the line is not UTF-8"
        raise DataError(f"{printable(path)}:{number}: {told}; save the file as UTF-8") from error
