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
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast, get_args

import numpy as np

from asr.errors import DataError
from asr.files import atomic_file
from asr.lm.automaton import NONE
from asr.lm.model import Unit
from asr.lm.ngram import NgramModel, model_of
from asr.lm.trie import Trie, extended, unigrams

_LN10 = math.log(10.0)
_UNIT = "# ctc-asr unit: "
_IMPOSSIBLE = -99.0  # what a log probability of minus infinity is written as
_MOST = 20  # n-grams of this length are read


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

    Args:
        path: of the file.
        unit: what its symbols are. A file of this package says so; of others, symbols of one character each are taken
            for characters, and others for words.

    Raises:
        DataError: it is missing or not as it should be, with file and line.
    """
    if not path.is_file():
        raise DataError(f"no language model at {path}")
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            return _Reader(path, cast(BinaryIO, file), unit).read()
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error


class _Reader:
    """Reads one file; knows in which line it is."""

    def __init__(self, path: Path, file: BinaryIO, unit: Unit | None) -> None:
        self.path, self.file, self.unit = path, file, unit
        self.number = 0
        self.index: dict[bytes, int] = {}

    def read(self) -> NgramModel:
        """Read the whole file."""
        sizes = self._sizes()
        probs, backoffs = [np.zeros(1)], [np.zeros(1)]
        trie: Trie | None = None
        for length, size in enumerate(sizes, 1):
            self._expect(f"\\{length}-grams:")
            prob, backoff, rows = self._section(length, size)
            if trie is None:
                trie = unigrams(len(self.index))
            else:
                trie, order = self._extended(trie, length, rows)
                prob, backoff = prob[order], backoff[order]
            probs.append(prob)
            backoffs.append(backoff)
        self._expect("\\end\\")
        assert trie is not None
        symbols = [one.decode() for one in self.index]
        return model_of(
            symbols, self.unit or _guess(symbols), trie, np.concatenate(probs) * _LN10, np.concatenate(backoffs) * _LN10
        )

    def _fault(self, problem: str, line: int | None = None) -> DataError:
        return DataError(f"{self.path}:{line or self.number}: {problem}")

    def _line(self) -> bytes:
        self.number += 1
        line = self.file.readline(1 << 16)
        if not line:
            raise self._fault("the file ends here; expected \\end\\ as its last line")
        return line.strip(b" \t\r\n")

    def _filled(self) -> bytes:
        while not (line := self._line()):
            pass
        return line

    def _expect(self, wanted: str) -> None:
        if (line := self._filled()) != wanted.encode():
            raise self._fault(f"expected {wanted}, found {line[:40].decode(errors='replace')!r}")

    def _sizes(self) -> list[int]:
        while (line := self._line()) != b"\\data\\":
            told = line.decode(errors="replace")
            if told.startswith(_UNIT) and told[len(_UNIT) :] in get_args(Unit):
                self.unit = cast(Unit, told[len(_UNIT) :])
        sizes: list[int] = []
        while line := self._line():
            found = re.fullmatch(rb"ngram\s+(\d{1,2})\s*=\s*(\d{1,12})", line)
            if not found or int(found[1]) != len(sizes) + 1 or len(sizes) == _MOST:
                raise self._fault(f"expected 'ngram {len(sizes) + 1}=' and a count")
            sizes.append(int(found[2]))
        if not sizes or not sizes[0]:
            raise self._fault("the file has no 1-grams")
        return sizes

    def _rows(self, size: int, length: int) -> Iterator[list[bytes]]:
        for done in range(size):
            fields = self._filled().split()
            if not length + 1 <= len(fields) <= length + 2:
                wanted = f"a log probability, {length} symbols and perhaps a back-off weight"
                raise self._fault(f"expected {wanted}; {done} of {size} {length}-grams were read")
            yield fields

    def _section(self, length: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        prob, backoff = [], []
        rows: list[int] = []
        index = self.index
        for fields in self._rows(size, length):
            try:
                prob.append(float(fields[0]))
                backoff.append(float(fields[length + 1]) if len(fields) > length + 1 else 0.0)
                if length == 1:
                    if index.setdefault(fields[1], len(index)) != len(prob) - 1:
                        raise self._fault(f"{fields[1].decode(errors='replace')!r} is there twice")
                else:
                    rows += [index[one] for one in fields[1 : length + 1]]
            except KeyError as error:
                raise self._fault(f"{error.args[0].decode(errors='replace')!r} is not among the 1-grams") from error
            except ValueError as error:
                raise self._fault("expected numbers as the log probability and the back-off weight") from error
        return np.array(prob), np.array(backoff), np.array(rows, np.int64).reshape(-1, length)

    def _extended(self, trie: Trie, length: int, rows: np.ndarray) -> tuple[Trie, np.ndarray]:
        node = np.zeros(len(rows), np.int64)
        for column in rows[:, :-1].T:
            node = trie.find(node, column)
        if (missing := np.flatnonzero(node == NONE)).size:
            raise self._fault(f"the context of the {length}-gram {missing[0] + 1} is not there")
        keys = node * trie.n_symbols + rows[:, -1]
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        if len(keys) and (np.diff(keys) == 0).any():
            raise self._fault(f"a {length}-gram is there twice")
        return extended(trie, keys), order


def _guess(symbols: list[str]) -> Unit:
    plain = [one for one in symbols if not (one.startswith("<") and one.endswith(">") and len(one) > 2)]
    return "characters" if plain and all(len(one) == 1 for one in plain) else "words"
