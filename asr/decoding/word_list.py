"""Read the lines of lexicons and word lists, and collect the faults in them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from asr.corpus.text_lines import whole_text
from asr.decoding.files import file_of
from asr.errors import DataError, Problems
from asr.printable import printable

MOST_BYTES = 64 << 20
MOST_LINES = 1 << 22
"""Limits of a decompressed file: a model from elsewhere may bring one, and words take 50 times the memory of text."""

MOST_FAULTS = 1000
"""The most faults that are collected from a file."""


def word_rows(name: str | Path, what: str) -> list[str]:
    """Read the lines of a file of words, without a byte order mark, in Unicode NFC.

    Args:
        name: the name of a file that comes with the package, or the path of another; decompressed if it ends in `.gz`.
        what: a description of the expected content, for messages.

    Raises:
        DataError: the file cannot be read, is damaged or not UTF-8, or exceeds `MOST_BYTES` or `MOST_LINES`.
    """
    path = file_of(name)
    text = whole_text(path, what, MOST_BYTES)
    if (n_lines := text.count("\n")) > MOST_LINES:
        raise DataError(f"{printable(path)} has {n_lines} lines; expected {what}, {MOST_LINES} lines at most")
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).split("\n")


class Faults:
    """The faults in the lines of a file, which are reported together.

    Args:
        name: the name of the file.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._found: list[tuple[int, str]] = []

    def add(self, number: int, sentence: str) -> None:
        """Note a fault.

        Args:
            number: the number of the line.
            sentence: the fault, for the message.

        Raises:
            Problems: there are `MOST_FAULTS` faults.
        """
        self._found.append((number, sentence))
        if len(self._found) == MOST_FAULTS:
            self._raise(f"{self.name}, whose other lines were not checked")

    def check(self) -> None:
        """Raise `Problems`, with file and line of each fault, if there are any."""
        if self._found:
            self._raise(self.name)

    def __len__(self) -> int:
        return len(self._found)

    def _raise(self, what: str) -> None:
        raise Problems([f"{self.name}:{number}: {sentence}" for number, sentence in sorted(self._found)], what)
