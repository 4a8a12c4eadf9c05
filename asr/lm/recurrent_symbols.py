"""The symbols of a recurrent language model of characters; convert text to their numbers and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from asr.lm.model import END, SPACE, UNKNOWN

ASCII = tuple(map(chr, range(0x20, 0x7F)))
"""The printable characters of ASCII: the labels of the pen models."""

_BREAK = "\n"  # the end of a line


def character_symbols(characters: Iterable[str], unknown: bool) -> tuple[str, ...]:
    """Return the symbols of a model: `END`, `UNKNOWN` if wanted, and the sorted characters.

    Args:
        characters: the characters that the model shall know; line breaks are left out.
        unknown: whether the model has the symbol `UNKNOWN`.

    >>> character_symbols("a cab", unknown=True)
    ('</s>', '<unk>', '<space>', 'a', 'b', 'c')
    """
    named = (SPACE if one == " " else one for one in sorted(set(characters) - {_BREAK}))
    return (END, *((UNKNOWN,) if unknown else ()), *named)


def encoded(lines: Sequence[str], symbols: Sequence[str]) -> NDArray[np.int64]:
    """Return the numbers of all characters of lines of text, with `END` after each line.

    Args:
        lines: lines of text, without line breaks.
        symbols: the symbols of the model, from `character_symbols`.

    Returns:
        (N,) int64, where N counts characters and lines. A character that is not a symbol becomes `UNKNOWN`, or -1 if
        the symbols lack `UNKNOWN`.

    >>> encoded(["cab", "bx"], ("</s>", "<unk>", "a", "b", "c")).tolist()
    [4, 2, 3, 0, 3, 1, 0]
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
    """Return the text of numbers of symbols: `END` as a line break, `UNKNOWN` as the replacement character U+FFFD.

    >>> decoded([4, 2, 3, 0], ("</s>", "<unk>", "a", "b", "c"))
    'cab\\n'
    """
    shown = ["\N{REPLACEMENT CHARACTER}" if one == UNKNOWN else _character(one) for one in symbols]
    return "".join(shown[number] for number in numbers)


def _character(symbol: str) -> str:
    return {SPACE: " ", END: _BREAK}.get(symbol, symbol)
