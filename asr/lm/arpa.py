r"""Read and write ARPA files, the text format of n-gram models that other programs share.

The files hold logarithms to base 10; models in memory hold natural logarithms.

    \data\
    ngram 1=4

    \1-grams:
    -0.7782  the  -0.3010

A line holds a log probability, the symbols, and the back-off weight unless it is 0. Lines before `\data\` are
comments; this package writes the unit of the symbols into one.
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
from asr.lm.ngram import LARGEST_BACKOFF, LEAST, NgramModel, ngram_model
from asr.lm.trie import Trie, extended, unigrams
from asr.printable import printable

_LN10 = math.log(10.0)
_UNIT = "# ctc-asr unit: "
_IMPOSSIBLE = -99.0  # is written for a log probability of minus infinity
_LONGEST = 20  # symbols in an n-gram
_ROUNDING = 1e-5  # a log probability may be above 0 by so much: other programs round
_LARGEST = LARGEST_BACKOFF / _LN10
_LEAST_BYTES = 4  # in the line of an n-gram
_GZIP_RATIO = 100  # the most that gzip may compress a file; real files become 3 to 10 times smaller
_LONGEST_LINE = 1 << 16  # bytes
_LONGEST_HEADER = 10_000  # lines
_LEAST_SUM, _LARGEST_SUM = 0.5, 1.5  # limits for the sum of the probabilities after a context
_ODD = 0.1  # the share of contexts that may be outside these limits: some programs write odd weights after `<s>`


def save_arpa(model: NgramModel, path: Path) -> None:
    """Write an ARPA file; compress it if the name ends in `.gz`.

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
    texts = [""]  # the n-grams that are one symbol shorter
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
    """Read an ARPA file; decompress it if the name ends in `.gz`.

    The probability of `<s>` is ignored, because `<s>` is only ever context and programs write different values for it.
    `<UNK>` is read as `<unk>`.

    Args:
        path: the file.
        unit: the expected unit of the symbols. It decides only what the file leaves open: files of this package name
            their unit; a file with symbols of several characters has words (unless labels are expected), and a file
            with `<space>` has characters. None: characters if all symbols are single characters, otherwise words.

    Raises:
        DataError: the file is missing or malformed; the message names file and line.
    """
    if not path.is_file():
        raise DataError(f"no language model at {printable(path)}")
    return _Reader(path, unit).read()


@dataclass
class _Section:
    """The n-grams of one length, in the order of the file.

    Attributes:
        line: the line number of the first n-gram.
        log_prob: the log probability of each n-gram, to base 10.
        backoff: the back-off weight of each n-gram, to base 10.
        symbols: the numbers of the symbols of all n-grams, concatenated.
    """

    line: int
    log_prob: array[float] = field(default_factory=lambda: array("d"))
    backoff: array[float] = field(default_factory=lambda: array("d"))
    symbols: array[int] = field(default_factory=lambda: array("i"))


class _Reader:
    """A reader of one file; it counts lines, so that messages can name them."""

    def __init__(self, path: Path, unit: Unit | None) -> None:
        self._path, self._unit = path, unit
        self._stated_unit: Unit | None = None
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
        model = ngram_model(symbols, self._stated_unit or _unit_of(symbols, self._unit), trie, log_prob, backoff)
        self._check_sums(model, sections[0].line)
        return model

    def _fault(self, problem: str, line: int | None = None) -> DataError:
        return DataError(f"{printable(self._path)}:{line or self._number}: {problem}")

    def _line(self) -> bytes:
        for number, line in self._lines:
            self._number = number
            return line.strip(b" \t")
        self._number += 1
        raise self._fault("the file ends before \\end\\; expected a complete file: copy it or make it again")

    def _filled(self) -> bytes:
        while not (line := self._line()):
            pass
        return line

    def _expect(self, wanted: str) -> None:
        if (line := self._filled()) != wanted.encode():
            raise self._fault(f"expected {wanted}, found {_shown(line)}; check the counts at the beginning of the file")

    def _sizes(self) -> list[int]:
        while (line := self._line()) != b"\\data\\":
            if self._number > _LONGEST_HEADER:
                raise self._fault(f"no \\data\\ in the first {_LONGEST_HEADER:,} lines; expected an ARPA file")
            self._read_unit(line.decode(errors="replace"))
        sizes: list[int] = []
        while line := self._line():
            found = re.fullmatch(rb"ngram\s+(\d{1,2})\s*=\s*(\d{1,12})", line)
            if not found or int(found[1]) != len(sizes) + 1:
                raise self._fault(f"expected 'ngram {len(sizes) + 1}=' and a count, found {_shown(line)}")
            sizes.append(int(found[2]))
        if not sizes or not sizes[0] or len(sizes) > _LONGEST:
            raise self._fault(f"the header lists n-grams of {len(sizes)} lengths; expected 1 to {_LONGEST}")
        if sum(sizes) > self._room // _LEAST_BYTES:
            raise self._fault(f"the header lists {sum(sizes):,} n-grams, more than a file of this size can hold")
        return sizes

    def _read_unit(self, line: str) -> None:
        stated = line.removeprefix(_UNIT)
        if stated != line and stated in get_args(Unit):
            self._stated_unit = cast(Unit, stated)

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
                raise self._fault(
                    f"{_shown(error.args[0])} is not among the 1-grams; list every symbol there"
                ) from error
            except ValueError as error:
                raise self._fault("expected numbers as the log probability and the back-off weight") from error
        self._check_numbers(section, b"<s>" if length == 1 else None)
        return section

    def _add_symbol(self, line: bytes, symbol: bytes) -> None:
        decoded(line, self._path, self._number)
        if symbol in self._index:
            raise self._fault(f"{_shown(symbol)} is among the 1-grams twice; list each symbol once")
        self._index[symbol] = len(self._index)
        self._room -= len(symbol)
        if self._room < 0:
            raise self._fault("the symbols are longer than a file of this size can hold; the file is damaged")

    def _check_numbers(self, section: _Section, free: bytes | None) -> None:
        """Raise a DataError if a number is out of range; the probability of the symbol `free` may be anything."""
        log_prob, backoff = np.frombuffer(section.log_prob), np.frombuffer(section.backoff)
        good = log_prob <= _ROUNDING
        if free in self._index:
            good[self._index[free]] = True
        if len(bad := np.flatnonzero(~good)):
            problem = f"the log probability is {log_prob[bad[0]]:g}; expected 0 or less: logarithms to base 10"
            raise self._fault(problem, section.line + int(bad[0]))
        if len(bad := np.flatnonzero(~(backoff < _LARGEST))):
            problem = f"the back-off weight is {backoff[bad[0]]:g}; expected a logarithm to base 10"
            raise self._fault(problem, section.line + int(bad[0]))

    @staticmethod
    def _no_ngram(line: bytes, length: int, size: int, done: int) -> str:
        if not line or line.startswith(b"\\"):
            return f"found {done:,} {length}-grams, but the header lists {size:,}; copy or make the file again"
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
            problem = f"the first {length - 1} symbols of this {length}-gram are not a {length - 1}-gram of the file"
            raise self._fault(problem, section.line + int(missing[0]))
        keys = node * trie.n_symbols + rows[:, -1]
        order = np.argsort(keys, kind="stable")
        if len(again := np.flatnonzero(np.diff(keys[order]) == 0)):
            first, second = (section.line + int(order[again[0] + one]) for one in (0, 1))
            raise self._fault(f"this {length}-gram also stands in line {first}; list each n-gram once", second)
        return extended(trie, keys[order]), order

    def _check_sums(self, model: NgramModel, line: int) -> None:
        """Raise a DataError if the probabilities do not sum to about one after many contexts of one length."""
        log_probs, backoffs = model.log_probs.astype(float), model.backoffs.astype(float)
        total = masses(model.trie, log_probs, backoffs).total
        contexts = model.trie.has_children
        for length in range(model.trie.order):
            level = model.trie.level(length) if length else slice(0, 1)
            found = total[level][contexts[level]]
            odd = found[(found < _LEAST_SUM) | (found > _LARGEST_SUM)]
            if len(odd) > (max(1, _ODD * len(found)) if length else 0):
                problem = f"the probabilities {f'after contexts of {length} symbols' if length else 'without context'}"
                sums = f"sum to {float(np.median(odd)):.3g}; expected 1"
                raise self._fault(f"{problem} {sums}: check that the file has logarithms to base 10", line)


def _shown(line: bytes) -> str:
    return shown(line[:60].decode(errors="replace"))


def _unit_of(symbols: list[str], wanted: Unit | None) -> Unit:
    """Guess the unit of the symbols of a file that does not name it."""
    if wanted == "labels":
        return "labels"
    plain = [one for one in symbols if not (one.startswith("<") and one.endswith(">") and len(one) > 2)]
    if not plain or any(len(one) > 1 for one in plain):
        return "words"
    return "characters" if wanted is None or SPACE in symbols else wanted
