"""How much two pieces of ink speak for being of one line.

The numbers are log odds, measured on 400 pages composed of lines of UNIPEN's train writers (category 8), between
neighbours: in how many pairs both are of one line against how many are of two. Over the difference in height they fall
on straight lines, which the tables hold: the odds at the same height, and what each h of difference takes away. They
depend on how the second was written after the first (its distance in time and whether it stands to the right) and on
the gap between them.

Two changes were made to what was counted. The composed pages have hardly anything written later, so for pieces that are
far from each other in time the tables hold what holds when nothing is known of time. And no pair speaks louder than
`_MOST`, about 400 to 1, because the next writer may do what these did not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asr.ink.layout.strokes import Floats, Ints, Pieces

_MOST = 6.0
_LATER = (2, 5, 21)  # pieces: the next; up to 4 later; up to 20; more
_GAPS = (0.0, 1.0, 2.5, 5.0)  # h: one above the other; within a word; between words; wide; wider
_RIGHT = np.array(
    [[8.0, 9.5, 9.0, 7.0, 4.5], [6.5, 9.0, 10.5, 10.5, 9.2], [2.5, 2.2, 4.5, 7.2, 5.9], [0.5, 2.0, 2.0, 2.0, 0.0]]
)
_RIGHT_FALL = np.array(
    [[3.6, 3.6, 3.6, 3.3, 3.0], [3.6, 4.0, 4.5, 4.2, 3.7], [4.0, 3.6, 4.2, 5.0, 4.0], [3.5, 3.5, 3.5, 3.5, 3.0]]
)
_LEFT = np.array(
    [[6.3, 3.5, 3.0, 3.5, -0.6], [4.3, 3.7, 3.2, 3.0, -2.0], [2.0, 2.0, 1.2, 0.5, -3.0], [0.5, 2.0, 2.0, 2.0, 0.0]]
)
_LEFT_FALL = np.array(
    [[3.6, 2.2, 2.2, 3.0, 2.3], [3.3, 3.3, 3.3, 3.6, 2.0], [4.0, 3.6, 3.3, 3.5, 1.0], [3.5, 3.5, 3.5, 3.5, 3.0]]
)
_STACKED = 5.0  # taken away from two letters that stand above each other, or nearly: lines have that in fractions only
_LETTER, _APART = 0.7, 0.1  # h
_BESIDE = 4  # neighbours in a band
_IN_TIME = 3


def neighbours(parts: Pieces, size: float) -> Ints:
    """(E, 2) pairs of pieces that are worth a comparison, the earlier first, each once.

    They are the next three in time, and the next four from left to right in every band three h high; so there are at
    most 15 times as many as pieces, however dense the ink.
    """
    n = len(parts)
    band = np.floor(parts.height / size).astype(np.int64)
    bands, which = np.concatenate([band - 1, band, band + 1]), np.tile(np.arange(n), 3)
    order = np.lexsort((parts.boxes[which][:, [0, 2]].mean(axis=1), bands))
    bands, which = bands[order], which[order]
    pairs = []
    for step in range(1, _BESIDE + 1):
        together = bands[step:] == bands[:-step]
        pairs.append(np.stack([which[:-step][together], which[step:][together]], axis=1))
    for step in range(1, _IN_TIME + 1):
        pairs.append(np.stack([np.arange(n)[:-step], np.arange(n)[step:]], axis=1))
    ordered = np.sort(np.concatenate(pairs), axis=1)
    keys = np.unique(ordered[:, 0] * n + ordered[:, 1])
    return np.asarray(np.stack([keys // n, keys % n], axis=1))


def log_odds(parts: Pieces, pairs: Ints, size: float) -> Floats:
    """(E,) how much each pair speaks for one line, 0 for neither.

    Args:
        pairs: (E, 2), the earlier first.
    """
    first, second = pairs.T
    fall = np.abs(parts.height[second] - parts.height[first]) / size
    gap = gaps(parts.boxes[first], parts.boxes[second]) / size
    later, wide = np.digitize(second - first, _LATER), np.digitize(gap, _GAPS)
    middle = parts.boxes[:, 0] + parts.boxes[:, 2]
    is_right = middle[second] > middle[first]
    odds = np.where(
        is_right,
        _RIGHT[later, wide] - _RIGHT_FALL[later, wide] * fall,
        _LEFT[later, wide] - _LEFT_FALL[later, wide] * fall,
    )
    is_stacked = (gap < 1) & _are_stacked(parts.boxes[first], parts.boxes[second], size)
    return np.asarray(np.clip(odds - _STACKED * is_stacked, -_MOST, _MOST))


def _are_stacked(one: Floats, other: Floats, size: float) -> NDArray[np.bool_]:
    """Whether boxes as high as letters are above each other with a gap between."""
    low = np.minimum(one[:, 3] - one[:, 1], other[:, 3] - other[:, 1])
    gap = np.maximum(one[:, 1] - other[:, 3], other[:, 1] - one[:, 3])
    return np.asarray((low >= _LETTER * size) & (gap > _APART * size))


def gaps(one: Floats, other: Floats) -> Floats:
    """Width between boxes (..., 4), below 0 where one is above the other."""
    result: NDArray[np.float64] = np.maximum(other[..., 0] - one[..., 2], one[..., 0] - other[..., 2])
    return result
