"""The UCI sets of pen characters: small files in the UNIPEN format, one for many characters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asr.corpus.named_files import file_problem
from asr.errors import DataError
from asr.ink.unipen import MAX_FILE_BYTES, Document, Segment, cut, read_document


def file_identity(path: Path) -> list[str | int]:
    """Name, size and time of change, for `data_prep.ink_cache`."""
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    return [path.name, status.st_size, status.st_mtime_ns]


def read_uci(path: Path) -> Document:
    """A file whose includes, descriptions that UCI does not carry, are left out.

    Raises:
        DataError: it cannot be read. What is wrong inside is among the document's problems.
    """
    if reason := file_problem(path):
        raise DataError(f"{path} {reason}; expected a file in the UNIPEN format")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    return read_document(path.name, lambda name: cut(name, content), lambda written, including: None)


def labelled(document: Document, problems: list[str]) -> Iterator[Segment]:
    """Segments with a label that fits a character; others, and the document's own, go to the problems."""
    problems += document.problems
    if not document.segments and not document.problems:
        problems.append(f"{document.name}: has no .SEGMENT; expected a file in the UNIPEN format")
    for segment in document.segments:
        if len(segment.label) == 1:
            yield segment
        else:
            problems.append(f"{segment.place}: the label is {segment.label[:20]!r}; expected one character")
