"""Numbers written one after the other in a text."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

_OTHER = re.compile(r"[^0-9eE+\-.\s]")  # float() would take more: names of NaN, underscores, digits of other scripts


def plain_numbers(text: str) -> NDArray[np.float64] | None:
    """Decimal numbers between whitespace.

    Returns:
        (N,) float64, where a number too large is infinite; None where the text holds anything else.
    """
    if _OTHER.search(text):
        return None
    words = text.split()
    try:
        return np.fromiter(map(float, words), dtype=np.float64, count=len(words))
    except ValueError:
        return None
