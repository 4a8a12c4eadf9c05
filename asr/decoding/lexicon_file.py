"""Read lexicon files: words, and their spellings in the labels of an inventory.

A file has one word per line, in UTF-8, compressed if the name ends in `.gz`; empty lines are ignored. For an inventory
of characters:

    WORD                                the word is spelled by its characters; it may have blanks, as in "New York"
    WORD<tab>FREQUENCY                  a number above 0: how often the word occurs, on any scale
    WORD<tab>S P E L L I N G            labels with blanks between them; `<space>` is the blank between words
    WORD<tab>S P E L L I N G<tab>FREQUENCY

For an inventory of whole labels (phonemes), as in the CMU Pronouncing Dictionary:

    WORD P R O N                        blanks or a tab after the word; a tab and a frequency may follow
    WORD(2) P R O N                     another pronunciation of the word

In such a dictionary, a line that begins with `;;;` is a comment, and so is everything after ` #`. If the inventory has
a vowel only without a stress digit, the digit (as in `AH0`) is removed. If no label of the inventory has capitals,
capitals are read as small letters.

A word may have several lines with different spellings, and several words may have the same spelling.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.config import nearest, shown
from asr.decoding.files import is_shipped
from asr.decoding.word_list import Faults, word_rows
from asr.errors import DataError
from asr.lm.model import SPACE

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory

CODE = 0xF0000
"""The code point of label 0: a spelling is a string of `chr(CODE + index)`, which sorts as fast as text."""

_FIRST = chr(CODE)
_LONGEST = 500  # labels of a spelling
_HINTS = 20  # faults that suggest another spelling: finding one takes a millisecond
_NUMBER = re.compile(r"\d+(\.\d+)?([eE][-+]?\d+)?")
_STRESSES = ("0", "1", "2")
_VARIANT = re.compile(r"(?<=.)\(\d+\)$")


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Words and their spellings.

    Attributes:
        words: the W words, each once.
        spellings: (E,) strings of `chr(CODE + index)`, at least one for each word; no word has a spelling twice.
        word_of: (E,) int64, the number of the word of each spelling.
        frequency: (W,) float64, the frequency of each word; None if the file has no frequencies.
    """

    words: tuple[str, ...]
    spellings: tuple[str, ...]
    word_of: NDArray[np.int64]
    frequency: NDArray[np.float64] | None = None


class _Line(NamedTuple):
    """A line of the file: its number, the word, the labels that spell it (None: its characters), and the frequency (0:
    none)."""

    number: int
    word: str
    labels: str | None
    frequency: float


def read_lexicon(path: str | Path, inventory: Inventory, leave_out: bool = False) -> Lexicon:
    """Read a lexicon.

    Args:
        path: the file, or the name of one that comes with the package.
        inventory: the labels that spell the words.
        leave_out: ignore words that the inventory cannot spell, instead of raising an error; in a file that comes with
            the package they are always ignored, because a user cannot change it.

    Raises:
        DataError: the file cannot be read, is not UTF-8, or holds no word.
        Problems: lines are malformed, have a symbol outside the inventory, or repeat an earlier line; the message names
            file and line of each, up to a thousand.
    """
    rows = word_rows(path, "a lexicon with one word per line")
    return lexicon_of(rows, inventory, Path(path).name, leave_out or is_shipped(path))


def lexicon_of(rows: Iterable[str], inventory: Inventory, name: str = "lexicon", leave_out: bool = False) -> Lexicon:
    """Make a lexicon of lines; `read_lexicon` describes the arguments and errors.

    >>> from asr.corpus.inventory import Inventory
    >>> inventory = Inventory(("<blank>", "b", "iy"), unit="labels")
    >>> lexicon = lexicon_of(["bee B IY1", "be B IY1", "be(2) B IY0"], inventory)
    >>> lexicon.words
    ('bee', 'be')
    >>> [[ord(one) - CODE for one in spelling] for spelling in lexicon.spellings]
    [[1, 2], [1, 2]]
    """
    faults = Faults(name)
    read = _characters if inventory.unit == "characters" else _pronounced
    lines = read(rows, faults)
    spellings = _spelled(lines, inventory)
    if not leave_out:
        unspelled = [line for line, spelling in zip(lines, spellings, strict=True) if not spelling]
        for at, line in enumerate(unspelled):
            faults.add(line.number, _why_not(line, inventory, at < _HINTS))
    _check_duplicates(lines, faults)
    _check_frequencies(lines, faults)
    faults.check()
    if not any(spellings):
        problem = "has no word that the inventory can spell" if lines else "is empty"
        raise DataError(f"{name} {problem}; expected one word per line")
    return _joined(lines, spellings)


def _characters(rows: Iterable[str], faults: Faults) -> list[_Line]:
    """Read the lines of a lexicon for an inventory of characters."""
    lines = []
    for number, row in enumerate(rows, start=1):
        if "\t" not in row:
            if word := " ".join(row.split()):
                lines.append(_Line(number, word, None, 0.0))
            continue
        word, *columns = row.split("\t")
        word = " ".join(word.split())
        labels: str | None = " ".join(columns[0].split())
        frequency = columns[1].strip() if len(columns) == 2 else ""
        if len(columns) == 1 and _NUMBER.fullmatch(labels or ""):
            labels, frequency = None, labels or ""
        _add(lines, number, word, labels, frequency, len(columns), faults)
    return lines


def _pronounced(rows: Iterable[str], faults: Faults) -> list[_Line]:
    """Read the lines of a pronouncing dictionary, for an inventory of whole labels."""
    lines: list[_Line] = []
    for number, row in enumerate(rows, start=1):
        row = row.partition(" #")[0].strip()
        if not row or row.startswith(";;;"):
            continue
        said, *columns = re.sub(r"\s+", "\t", row, count=1).split("\t")
        labels = " ".join(columns[0].split()) if columns else ""
        frequency = columns[1].strip() if len(columns) == 2 else ""
        _add(lines, number, _VARIANT.sub("", said), labels, frequency, len(columns), faults)
    return lines


def _add(
    lines: list[_Line],
    number: int,
    word: str,
    labels: str | None,
    frequency: str,
    n_columns: int,
    faults: Faults,
) -> None:
    """Add a line that was split into columns, or note its fault."""
    if not word:
        faults.add(number, "there is no word before the tab")
    elif n_columns > 2:
        faults.add(number, f"{n_columns + 1} columns; expected the word, its spelling and its frequency at most")
    elif labels == "":
        faults.add(number, f"{shown(word)} has no spelling; write its labels after it, with blanks between them")
    elif n_columns == 2 and not (_NUMBER.fullmatch(frequency) and 0.0 < float(frequency) < np.inf):
        faults.add(number, f"the frequency of {shown(word)} is {shown(frequency)}; expected a number above 0")
    else:
        lines.append(_Line(number, word, labels, float(frequency or 0.0)))


def _spelled(lines: Sequence[_Line], inventory: Inventory) -> list[str]:
    """Return the spelling of each line; "" if the inventory cannot spell it."""
    table = {ord(label): CODE + index for label, index in inventory.index.items() if len(label) == 1}
    own = "\n".join(line.word for line in lines if line.labels is None).translate(table).split("\n")
    by_characters, index = iter(own), _forms(inventory)
    spellings = []
    for line in lines:
        spelling = next(by_characters) if line.labels is None else _coded(line.labels, index)
        spellings.append(spelling if min(spelling) >= _FIRST and len(spelling) <= _LONGEST else "")
    return spellings


def _coded(labels: str, forms: Mapping[str, int]) -> str:
    """Return the spelling of labels; a label outside the inventory becomes a line feed, which stands for no label."""
    found = [forms.get(label) for label in labels.split(" ")]
    return "".join("\n" if one is None else chr(CODE + one) for one in found)


def _forms(inventory: Inventory) -> dict[str, int]:
    """Return the index of each label, under every form in which a spelling may write it."""
    forms = dict(inventory.index)
    if inventory.unit == "characters":
        return forms | ({SPACE: forms[" "]} if " " in forms else {})
    if not any(character.isupper() for label in inventory.labels for character in label):
        forms = {label.upper(): index for label, index in forms.items()} | forms
    return {label + stress: index for label, index in forms.items() for stress in _STRESSES} | forms


def _unstressed(label: str) -> str:
    return label[:-1] if label[-1:] in _STRESSES else label


def _why_not(line: _Line, inventory: Inventory, with_hint: bool) -> str:
    """Return the message about a line that cannot be spelled."""
    symbols = list(line.word) if line.labels is None else line.labels.split(" ")
    forms = _forms(inventory)
    missing = [one for one in symbols if one not in forms]
    if not missing:
        return f"{shown(line.word)} has {len(symbols)} labels; expected {_LONGEST} at most"
    first = missing[0]
    hint = (_another_form(first, inventory) or nearest(first, inventory.index)) if with_hint else ""
    return f"{shown(first)} in the spelling of {shown(line.word)} is not among the {len(inventory)} labels{hint}"


def _another_form(symbol: str, inventory: Inventory) -> str:
    """Suggest the symbol in another case, or without its accent, if the inventory has it."""
    plain = unicodedata.normalize("NFD", symbol)[:1]
    forms = (symbol.lower(), symbol.upper(), _unstressed(symbol).lower(), _unstressed(symbol).upper(), plain)
    found = next((form for form in forms if form in inventory.index), None)
    return f"; did you mean {shown(found)}?" if found is not None else ""


def _check_duplicates(lines: Sequence[_Line], faults: Faults) -> None:
    """Note each line that repeats the word and the spelling of an earlier one."""
    if len({line.word for line in lines}) == len(lines):
        return
    seen: dict[tuple[str, str | None], int] = {}
    for line in lines:
        earlier = seen.setdefault((line.word, line.labels), line.number)
        if earlier != line.number:
            faults.add(line.number, f"{shown(line.word)} with this spelling is also in line {earlier}; list it once")


def _check_frequencies(lines: Sequence[_Line], faults: Faults) -> None:
    """Note the lines without a frequency where others have one."""
    bare = [line for line in lines if not line.frequency]
    if len(bare) < len(lines):
        for line in bare:
            faults.add(line.number, f"{shown(line.word)} has no frequency, but other words have one; give all or none")


def _joined(lines: Sequence[_Line], spellings: Sequence[str]) -> Lexicon:
    """Make the lexicon; lines with the same word and spelling (without stress marks) are merged."""
    pairs = [(line, spelling) for line, spelling in zip(lines, spellings, strict=True) if spelling]
    words = tuple(dict.fromkeys([line.word for line, _ in pairs]))
    counts = np.array([line.frequency for line, _ in pairs])
    if len(words) == len(pairs):  # one spelling each
        word_of, spelled = np.arange(len(words)), tuple([spelling for _, spelling in pairs])
    else:
        number_of = dict(zip(words, range(len(words)), strict=True))
        entries = dict.fromkeys((number_of[line.word], spelling) for line, spelling in pairs)
        counts = np.bincount([number_of[line.word] for line, _ in pairs], counts, len(words))
        word_of, spelled = np.array([word for word, _ in entries]), tuple([spelling for _, spelling in entries])
    return Lexicon(words, spelled, word_of.astype(np.int64), counts if counts.any() else None)
