"""Parse a text of decimal numbers separated by white space."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_OTHER = re.compile(r"[^0-9eE+\-.\s]")  # float() also accepts "nan", underscores and digits of other scripts
_SPACE = re.compile(r"\s")
_AT_ONCE = 1 << 20  # characters split at a time; the words of a whole file would take many times its size


def plain_numbers(text: str) -> NDArray[np.float64] | None:
    """Parse decimal numbers separated by white space.

    Returns:
        (N,) float64; numbers that are too large become infinite. None if the text holds anything else.

    >>> plain_numbers("1 -2.5 3e2").tolist()
    [1.0, -2.5, 300.0]
    >>> plain_numbers("1 nan") is None
    True
    """
    if _OTHER.search(text):
        return None
    try:
        if len(text) <= _AT_ONCE:
            return _converted(text)
        return np.concatenate([_converted(piece) for piece in _pieces(text)])
    except ValueError:
        return None


def _converted(text: str) -> NDArray[np.float64]:
    words = text.split()
    return np.fromiter(map(float, words), dtype=np.float64, count=len(words))


def _pieces(text: str) -> Iterator[str]:
    """Cut the text into pieces at white space."""
    begin = 0
    while begin < len(text):
        space = _SPACE.search(text, begin + _AT_ONCE)
        end = len(text) if space is None else space.end()
        yield text[begin:end]
        begin = end
