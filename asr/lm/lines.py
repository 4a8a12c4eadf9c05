"""Lines of text files, plain or compressed, with their numbers; what cannot be read is an error with file and line."""

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
_BOM = b"\xef\xbb\xbf"


@contextmanager
def opened(path: Path, what: str) -> Iterator[BinaryIO]:
    """Open a file, which is unpacked while it is read where its name ends in `.gz`.

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


def numbered_lines(path: Path, what: str) -> Iterator[tuple[int, bytes]]:
    """Read the lines of a file with their numbers, from 1, without the ends of lines and a byte order mark.

    Raises:
        DataError: the file cannot be read, is damaged, or has a line of more than `MAX_LINE` bytes.
    """
    number = 0
    with opened(path, what) as file:
        try:
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    raise DataError(f"{printable(path)}:{number}: the line has more than {MAX_LINE} bytes; break it")
                yield number, (line.removeprefix(_BOM) if number == 1 else line).rstrip(b"\r\n")
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            told = f"damaged gzip file behind line {number}: {error}; copy it again"
            raise DataError(f"{printable(path)}: {told}") from error


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
