"""Files of words, as lexicons and lists of expected words are: their lines, and what is wrong with these."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from asr.corpus.text_lines import whole_text
from asr.decoding.files import file_of
from asr.errors import DataError, Problems
from asr.printable import printable

MOST_BYTES = 64 << 20
MOST_LINES = 1 << 22
"""Limits of a file, unpacked: a model from outside may name one, and its words take 50 times the memory of its text."""

MOST_FAULTS = 1000


def word_rows(name: str | Path, what: str) -> list[str]:
    """Read the lines of a file of words, without a byte order mark, in Unicode NFC.

    Args:
        name: of a file that comes with the package, or the path of another; unpacked where it ends in `.gz`.
        what: what was expected there, for messages.

    Raises:
        DataError: it cannot be read, is damaged or not UTF-8, or holds more than `MOST_BYTES` or `MOST_LINES`.
    """
    path = file_of(name)
    text = whole_text(path, what, MOST_BYTES)
    if (n_lines := text.count("\n")) > MOST_LINES:
        raise DataError(f"{printable(path)} has {n_lines} lines; expected {what}, {MOST_LINES} lines at most")
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).split("\n")


class Faults:
    """What is wrong with the lines of a file; all of it is reported together, as far as `MOST_FAULTS`.

    Args:
        name: of the file.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._found: list[tuple[int, str]] = []

    def add(self, number: int, sentence: str) -> None:
        """Note a fault of a line.

        Raises:
            Problems: there are so many faults that nobody wants to see more.
        """
        self._found.append((number, sentence))
        if len(self._found) == MOST_FAULTS:
            self._raise(f"{self.name}, whose other lines were not checked")

    def check(self) -> None:
        """Raise `Problems`, with file and line, where there are any."""
        if self._found:
            self._raise(self.name)

    def __len__(self) -> int:
        return len(self._found)

    def _raise(self, what: str) -> None:
        raise Problems([f"{self.name}:{number}: {sentence}" for number, sentence in sorted(self._found)], what)
