"""Loops that the beam search and the lexicon search share: language model steps and the selection of candidates."""

from __future__ import annotations

import math
from typing import Any

from asr.compiling import Loop

MOST_EXPONENT = 600.0
"""The largest exponent: exp of it, times the factors of a bonus and a boost, is still a finite number."""


def _factor(exponent: Any) -> Any:
    """Return exp(exponent), at most exp(`MOST_EXPONENT`), because `math.exp` raises instead of returning infinity.

    It is 0 for NaN, the difference of two infinite log probabilities.
    """
    if exponent > MOST_EXPONENT:
        return math.exp(MOST_EXPONENT)
    return math.exp(exponent) if exponent > -math.inf else 0.0


def _nth_largest(values: Any, size: Any, nth: Any) -> Any:
    """Return the nth largest of the first `size` values, which are reordered (Hoare's quickselect)."""
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
    """Find the limit for keeping the `width` best of `size` candidates; of equal ones, the earlier are kept.

    Args:
        mass: the mass of each candidate.
        room: an array of the same size to work in.
        size: how many candidates there are.
        width: how many of them to keep.

    Returns:
        The least mass that is kept, and how many candidates with exactly this mass are kept.
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
    """Return the log probability of a symbol in a state, and the next state, as `Automaton.step` does.

    If the model lacks the symbol, return -inf and state 0.
    """
    weight = 0.0
    while state >= 0:
        low, end = first[state], first[state + 1]
        high = end
        while low < high:  # binary search, inlined: as a function of its own it slowed the lexicon search by a tenth
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
