r"""ARPA files, the text form of n-gram models that all programs share; log10 there, natural logarithms here.

    \data\
    ngram 1=4

    \1-grams:
    -0.7782  the  -0.3010

A line holds a log probability, the symbols, and the back-off weight where it is not 0. Lines before `\data\` say
nothing; ours name the unit.
"""

from __future__ import annotations

import gzip
import math
import re
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast, get_args

import numpy as np
from numpy.typing import NDArray

from asr.config import shown
from asr.corpus.text_lines import decoded, numbered_lines
from asr.errors import DataError
from asr.files import atomic_file
from asr.lm.automaton import NONE
from asr.lm.backoff import masses
from asr.lm.model import SPACE, UNKNOWN, Unit
from asr.lm.ngram import LARGEST_BACKOFF, LEAST, NgramModel, model_of
from asr.lm.trie import Trie, extended, unigrams
from asr.printable import printable

_LN10 = math.log(10.0)
_UNIT = "# ctc-asr unit: "
_IMPOSSIBLE = -99.0  # what a log probability of minus infinity is written as
_LONGEST = 20  # n-grams that are read
_ROUNDING = 1e-5  # above 0, of a probability that other programs meant as 1
_LARGEST = LARGEST_BACKOFF / _LN10
_LEAST_BYTES = 4  # of the line of an n-gram
_GZIP_RATIO = 100  # of the text; numbers and words become 3 to 10 times smaller
_LONGEST_LINE = 1 << 16  # bytes
_LONGEST_HEADER = 10_000  # lines
_LEAST_SUM, _LARGEST_SUM = 0.5, 1.5  # of the probabilities behind a context
_ODD = 0.1  # the share of contexts that may be outside these: some programs write odd weights behind `<s>`


def save_arpa(model: NgramModel, path: Path) -> None:
    """Write an ARPA file, compressed where the name ends in `.gz`.

    Raises:
        DataError: the file cannot be written.
    """
    with atomic_file(path) as file:
        if path.suffix != ".gz":
            _write(model, file)
            return
        with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
            _write(model, cast(BinaryIO, packed))


def _write(model: NgramModel, file: BinaryIO) -> None:
    trie = model.trie
    sizes = [trie.levels[n + 1] - trie.levels[n] for n in range(1, trie.order + 1)]
    lines = [f"{_UNIT}{model.unit}", "\\data\\", *(f"ngram {n}={size}" for n, size in enumerate(sizes, 1)), ""]
    file.write(("\n".join(lines) + "\n").encode())
    with np.errstate(divide="ignore"):
        log_probs = np.maximum(model.log_probs.astype(float) / _LN10, _IMPOSSIBLE)
    backoffs = model.backoffs.astype(float) / _LN10
    words = list(model.symbols)
    texts = [""]  # of the n-grams of the level before
    for length in range(1, trie.order + 1):
        level = trie.level(length)
        parent = (trie.parent[level] - trie.levels[length - 1]).tolist()
        symbols = trie.symbol[level].tolist()
        texts = [f"{texts[p]} {words[s]}" if length > 1 else words[s] for p, s in zip(parent, symbols, strict=True)]
        file.write(f"\\{length}-grams:\n".encode())
        rows = zip(log_probs[level].tolist(), texts, backoffs[level].tolist(), strict=True)
        file.writelines((f"{p:.7g}\t{text}\t{b:.7g}\n" if b else f"{p:.7g}\t{text}\n").encode() for p, text, b in rows)
        file.write(b"\n")
    file.write(b"\\end\\\n")


def load_arpa(path: Path, unit: Unit | None = None) -> NgramModel:
    """Read an ARPA file, compressed where the name ends in `.gz`.

    The probability of `<s>`, which programs write differently, is not read: it is context only. `<UNK>` is `<unk>`.

    Args:
        path: of the file.
        unit: what its symbols should be. A file of this package says what they are. Of others, symbols of several
            characters are no characters, and `<space>` is no word: the file counts, and not what it should be. Where
            nothing is said, symbols of one character each are taken for characters, and others for words.

    Raises:
        DataError: the file is missing or malformed; the message has file and line.
    """
    if not path.is_file():
        raise DataError(f"no language model at {printable(path)}")
    return _Reader(path, unit).read()


@dataclass
class _Section:
    """The n-grams of one length as they stand in a file.

    Attributes:
        line: of the first.
        log_prob: of each, to base 10.
        backoff: of each, to base 10.
        symbols: of each, one behind another.
    """

    line: int
    log_prob: array[float] = field(default_factory=lambda: array("d"))
    backoff: array[float] = field(default_factory=lambda: array("d"))
    symbols: array[int] = field(default_factory=lambda: array("i"))


class _Reader:
    """A reader of one file that keeps the line number for messages."""

    def __init__(self, path: Path, unit: Unit | None) -> None:
        self._path, self._unit = path, unit
        self._told: Unit | None = None
        self._lines = numbered_lines(path, "an ARPA file", _LONGEST_LINE)
        self._room = path.stat().st_size * (_GZIP_RATIO if path.suffix == ".gz" else 1)  # bytes
        self._number = 0
        self._index: dict[bytes, int] = {}

    def read(self) -> NgramModel:
        """Read the whole file."""
        sizes = self._sizes()
        sections = [self._section(length, size) for length, size in enumerate(sizes, 1)]
        self._expect("\\end\\")
        symbols = self._symbols()
        trie = unigrams(len(symbols))
        log_probs, backoffs = [np.zeros(1)], [np.zeros(1)]
        for length, section in enumerate(sections, 1):
            order: Any = slice(None)
            if length > 1:
                trie, order = self._extended(trie, length, section)
            log_probs.append(np.minimum(section.log_prob, 0.0)[order])
            backoffs.append(np.maximum(section.backoff, _IMPOSSIBLE)[order])
        log_prob, backoff = np.concatenate(log_probs) * _LN10, np.concatenate(backoffs) * _LN10
        log_prob[log_prob <= LEAST] = -np.inf
        model = model_of(symbols, self._told or _unit_of(symbols, self._unit), trie, log_prob, backoff)
        self._check_sums(model, sections[0].line)
        return model

    def _fault(self, problem: str, line: int | None = None) -> DataError:
        return DataError(f"{printable(self._path)}:{line or self._number}: {problem}")

    def _line(self) -> bytes:
        for number, line in self._lines:
            self._number = number
            return line.strip(b" \t")
        self._number += 1
        raise self._fault("the file ends here, before \\end\\; it is not whole: copy or make it again")

    def _filled(self) -> bytes:
        while not (line := self._line()):
            pass
        return line

    def _expect(self, wanted: str) -> None:
        if (line := self._filled()) != wanted.encode():
            raise self._fault(f"expected {wanted}, found {_shown(line)}; do the counts at the beginning fit?")

    def _sizes(self) -> list[int]:
        while (line := self._line()) != b"\\data\\":
            if self._number > _LONGEST_HEADER:
                raise self._fault(f"no \\data\\ in the first {_LONGEST_HEADER:,} lines; this is no ARPA file")
            self._read_unit(line.decode(errors="replace"))
        sizes: list[int] = []
        while line := self._line():
            found = re.fullmatch(rb"ngram\s+(\d{1,2})\s*=\s*(\d{1,12})", line)
            if not found or int(found[1]) != len(sizes) + 1:
                raise self._fault(f"expected 'ngram {len(sizes) + 1}=' and a count, found {_shown(line)}")
            sizes.append(int(found[2]))
        if not sizes or not sizes[0] or len(sizes) > _LONGEST:
            raise self._fault(f"the file says it has n-grams of {len(sizes)} lengths; expected 1 to {_LONGEST}")
        if sum(sizes) > self._room // _LEAST_BYTES:
            raise self._fault(f"the file says it has {sum(sizes):,} n-grams; that is more than it has room for")
        return sizes

    def _read_unit(self, line: str) -> None:
        told = line.removeprefix(_UNIT)
        if told != line and told in get_args(Unit):
            self._told = cast(Unit, told)

    def _section(self, length: int, size: int) -> _Section:
        self._expect(f"\\{length}-grams:")
        section = _Section(self._number + 1)
        number_of = self._index.__getitem__
        log_prob, backoff = section.log_prob, section.backoff
        for done in range(size):
            line = self._line()
            fields = line.split()
            if not length + 1 <= len(fields) <= length + 2:
                raise self._fault(self._no_ngram(line, length, size, done))
            if length == 1:
                self._add_symbol(line, fields[1])
            try:
                log_prob.append(float(fields[0]))
                backoff.append(float(fields[length + 1]) if len(fields) > length + 1 else 0.0)
                section.symbols.extend(map(number_of, fields[1 : length + 1]))
            except KeyError as error:
                raise self._fault(f"{_shown(error.args[0])} is not among the 1-grams") from error
            except ValueError as error:
                raise self._fault("expected numbers as the log probability and the back-off weight") from error
        self._check_numbers(section, b"<s>" if length == 1 else None)
        return section

    def _add_symbol(self, line: bytes, symbol: bytes) -> None:
        decoded(line, self._path, self._number)
        if symbol in self._index:
            raise self._fault(f"{_shown(symbol)} is among the 1-grams already")
        self._index[symbol] = len(self._index)
        self._room -= len(symbol)
        if self._room < 0:
            raise self._fault("the symbols are longer than a file of this size has room for; it is damaged")

    def _check_numbers(self, section: _Section, free: bytes | None) -> None:
        """Raise a DataError for a number out of range; the probability of one symbol, `free`, is not checked."""
        log_prob, backoff = np.frombuffer(section.log_prob), np.frombuffer(section.backoff)
        good = log_prob <= _ROUNDING
        if free in self._index:
            good[self._index[free]] = True
        if len(bad := np.flatnonzero(~good)):
            told = f"the log probability is {log_prob[bad[0]]:g}; expected 0 or less: logarithms to base 10"
            raise self._fault(told, section.line + int(bad[0]))
        if len(bad := np.flatnonzero(~(backoff < _LARGEST))):
            told = f"the back-off weight is {backoff[bad[0]]:g}; expected a logarithm to base 10"
            raise self._fault(told, section.line + int(bad[0]))

    @staticmethod
    def _no_ngram(line: bytes, length: int, size: int, done: int) -> str:
        if not line or line.startswith(b"\\"):
            return f"{done:,} {length}-grams stand here; {size:,} were promised at the beginning: the file is not whole"
        wanted = f"a log probability, {length} symbols and perhaps a back-off weight"
        return f"expected {wanted}, found {_shown(line)}"

    def _symbols(self) -> list[str]:
        symbols = [one.decode() for one in self._index]
        if UNKNOWN not in symbols and "<UNK>" in symbols:
            symbols[symbols.index("<UNK>")] = UNKNOWN
        return symbols

    def _extended(self, trie: Trie, length: int, section: _Section) -> tuple[Trie, NDArray[np.int64]]:
        rows = np.array(section.symbols, np.int64).reshape(-1, length)
        node = np.zeros(len(rows), np.int64)
        for column in rows[:, :-1].T:
            node = trie.find(node, column)
        if len(missing := np.flatnonzero(node == NONE)):
            told = f"the {length - 1} symbols that this {length}-gram begins with are no {length - 1}-gram of the file"
            raise self._fault(told, section.line + int(missing[0]))
        keys = node * trie.n_symbols + rows[:, -1]
        order = np.argsort(keys, kind="stable")
        if len(again := np.flatnonzero(np.diff(keys[order]) == 0)):
            first, second = (section.line + int(order[again[0] + one]) for one in (0, 1))
            raise self._fault(f"the {length}-gram of line {first} again; give each once", second)
        return extended(trie, keys[order]), order

    def _check_sums(self, model: NgramModel, line: int) -> None:
        """Raise a DataError if the probabilities behind many contexts of a length do not sum to about one."""
        log_probs, backoffs = model.log_probs.astype(float), model.backoffs.astype(float)
        total = masses(model.trie, log_probs, backoffs).total
        contexts = model.trie.has_children
        for length in range(model.trie.order):
            level = model.trie.level(length) if length else slice(0, 1)
            found = total[level][contexts[level]]
            odd = found[(found < _LEAST_SUM) | (found > _LARGEST_SUM)]
            if len(odd) > (max(1, _ODD * len(found)) if length else 0):
                told = f"the probabilities behind {f'contexts of {length} symbols' if length else 'no context'}"
                sums = f"sum to {float(np.median(odd)):.3g}; expected 1"
                raise self._fault(f"{told} {sums}: are they logarithms to base 10?", line)


def _shown(line: bytes) -> str:
    return shown(line[:60].decode(errors="replace"))


def _unit_of(symbols: list[str], wanted: Unit | None) -> Unit:
    """Return what the symbols of a file are that does not say so."""
    if wanted == "labels":
        return "labels"
    plain = [one for one in symbols if not (one.startswith("<") and one.endswith(">") and len(one) > 2)]
    if not plain or any(len(one) > 1 for one in plain):
        return "words"
    return "characters" if wanted is None or SPACE in symbols else wanted
