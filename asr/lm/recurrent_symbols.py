"""The symbols of a recurrent language model of characters, and text as their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from asr.lm.model import END, SPACE, UNKNOWN

ASCII = tuple(map(chr, range(0x20, 0x7F)))
"""The printable characters of ASCII, which the inventory of the pen models holds."""

_BREAK = "\n"  # the end of a line


def character_symbols(characters: Iterable[str], unknown: bool) -> tuple[str, ...]:
    """Return a model's symbols: the end of a line, the unknown symbol if wanted, and the sorted characters."""
    named = (SPACE if one == " " else one for one in sorted(set(characters) - {_BREAK}))
    return (END, *((UNKNOWN,) if unknown else ()), *named)


def encoded(lines: Sequence[str], symbols: Sequence[str]) -> NDArray[np.int64]:
    """Return the numbers of all characters of some lines, each line with its end.

    Args:
        lines: of text, without their ends.
        symbols: as `character_symbols` gives them.

    Returns:
        (N,) with N the number of characters and lines; -1 for a character that the model does not know, where it has no
        `UNKNOWN`.
    """
    text = _BREAK.join([*lines, ""])
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    known = {ord(_character(symbol)): number for number, symbol in enumerate(symbols) if symbol != UNKNOWN}
    largest = max(int(codes.max(initial=0)), *known)
    table = np.full(largest + 1, symbols.index(UNKNOWN) if UNKNOWN in symbols else -1, dtype=np.int64)
    table[list(known)] = list(known.values())
    numbers: NDArray[np.int64] = table[codes]
    return numbers


def decoded(numbers: Iterable[int], symbols: Sequence[str]) -> str:
    """Return the text of some numbers; the end of a line as a line break, `UNKNOWN` as a replacement character."""
    shown = ["\N{REPLACEMENT CHARACTER}" if one == UNKNOWN else _character(one) for one in symbols]
    return "".join(shown[number] for number in numbers)


def _character(symbol: str) -> str:
    return {SPACE: " ", END: _BREAK}.get(symbol, symbol)
