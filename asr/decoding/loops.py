"""Loops that both searches are made of: over language models and candidates."""

from __future__ import annotations

import math
from typing import Any

from asr.compiling import Loop

MOST_EXPONENT = 600.0
"""Where exponents end: the product of such a factor and those of a bonus and a boost is a number still."""


def _factor(exponent: Any) -> Any:
    """Return exp(exponent), never more than exp(`MOST_EXPONENT`): plain Python refuses what would be infinite.

    It is 0 for NaN, which two impossible things make of each other.
    """
    if exponent > MOST_EXPONENT:
        return math.exp(MOST_EXPONENT)
    return math.exp(exponent) if exponent > -math.inf else 0.0


def _nth_largest(values: Any, size: Any, nth: Any) -> Any:
    """Return the nth largest of the first `size` values, and reorder these (Hoare's quickselect)."""
    low, high, wanted = 0, size - 1, nth - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] > pivot:
                i += 1
            while values[j] < pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if wanted <= j:
            high = j
        elif wanted >= i:
            low = i
        else:
            break
    return values[wanted]


def _last_place(mass: Any, room: Any, size: Any, width: Any) -> Any:
    """Find what is kept when the `width` best of `size` candidates are, the earlier ones of equals.

    Args:
        mass: of each candidate.
        room: as many places to select in.
        size, width: how many there are, and how many are kept.

    Returns:
        the mass of the last one that is kept, and how many that have it are kept.
    """
    for at in range(size):
        room[at] = mass[at]
    least = _nth_largest(room, size, width)
    n_equal = width
    for at in range(size):
        if mass[at] > least:
            n_equal -= 1
    return least, n_equal


def _walk(
    first: Any, symbol: Any, log_prob: Any, target: Any, backoff: Any, shorter: Any, state: int, wanted: int
) -> Any:
    """Return the log probability of a symbol in a state, and the state behind it: `Automaton.step` in a loop."""
    weight = 0.0
    while state >= 0:
        low, end = first[state], first[state + 1]
        high = end
        while low < high:  # written out: as a part of its own it cost the lexicon search a tenth
            middle = (low + high) // 2
            if symbol[middle] < wanted:
                low = middle + 1
            else:
                high = middle
        if low < end and symbol[low] == wanted:
            return weight + log_prob[low], target[low]
        weight += backoff[state]
        state = shorter[state]
    return -math.inf, 0


FACTOR, WALK, NTH_LARGEST = Loop(_factor), Loop(_walk), Loop(_nth_largest)
LAST_PLACE = Loop(_last_place, (NTH_LARGEST,))
