"""Read the UCI sets of pen characters: files in the UNIPEN format with many characters each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asr.corpus.named_files import file_problem
from asr.errors import DataError
from asr.ink.unipen import MAX_FILE_BYTES, Document, Segment, cut, read_document


def file_identity(path: Path) -> list[str | int]:
    """Return name, size and modification time of a file, for the identity of an ink cache."""
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    return [path.name, status.st_size, status.st_mtime_ns]


def read_uci(path: Path) -> Document:
    """Read a file, ignoring its includes: these are descriptions that UCI does not distribute.

    Raises:
        DataError: the file cannot be read. Faults inside it are listed in `Document.problems`.
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
    """Yield the segments whose label is one character; append all faults of the document to `problems`."""
    problems += document.problems
    if not document.segments and not document.problems:
        problems.append(f"{document.name}: has no .SEGMENT; expected a file in the UNIPEN format")
    for segment in document.segments:
        if len(segment.label) == 1:
            yield segment
        else:
            problems.append(f"{segment.place}: the label is {segment.label[:20]!r}; expected one character")
