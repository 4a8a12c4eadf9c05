"""Log odds that two pieces of ink are in the same line.

The tables were measured on 400 pages composed of lines of UNIPEN's train writers (category 8): the number of pairs of
neighbours in the same line against the number in two lines. As a function of the difference in height, the log odds
fall on straight lines. The tables hold their value at the same height, and how much each h of difference takes away.
Both depend on how the second piece was written after the first (how much later, and whether to its right) and on the
gap between them.

Two things differ from the counts. Composed pages have hardly any strokes that were added later, so for pieces that are
far apart in time the tables hold the values without regard to time. And all log odds are limited to `_MOST` (about
400 to 1), because other writers may do what these did not.
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
_STACKED = 5.0  # subtracted for two letters above each other; in one line only fractions have them
_LETTER, _APART = 0.7, 0.1  # h
_BESIDE = 4  # next pieces in a band
_IN_TIME = 3  # next pieces in the order of writing
_MANY = 30_000  # pieces; on pages with more, which are not pages of writing, each has fewer neighbours


def neighbours(parts: Pieces, size: float) -> Ints:
    """Return (E, 2) pairs of neighbouring pieces, the earlier first, each once.

    Every piece is paired with the next three in time, and with the next four from left to right in each of the three
    bands (3 h high) that it is in. So there are at most 15 pairs per piece, however dense the ink.

    Args:
        parts: the pieces.
        size: h.
    """
    n = len(parts)
    band = np.floor(parts.height / size).astype(np.int64)
    bands, which = np.concatenate([band - 1, band, band + 1]), np.tile(np.arange(n), 3)
    order = np.lexsort((parts.boxes[which][:, [0, 2]].mean(axis=1), bands))
    bands, which = bands[order], which[order]
    pairs = []
    beside, in_time = (_BESIDE, _IN_TIME) if n <= _MANY else (1, 1)
    for step in range(1, beside + 1):
        together = bands[step:] == bands[:-step]
        pairs.append(np.stack([which[:-step][together], which[step:][together]], axis=1))
    for step in range(1, in_time + 1):
        pairs.append(np.stack([np.arange(n)[:-step], np.arange(n)[step:]], axis=1))
    ordered = np.sort(np.concatenate(pairs), axis=1)
    keys = np.unique(ordered[:, 0] * n + ordered[:, 1])
    return np.asarray(np.stack([keys // n, keys % n], axis=1))


def log_odds(parts: Pieces, pairs: Ints, size: float) -> Floats:
    """Return (E,) the log odds that each pair is in the same line.

    Args:
        parts: the pieces.
        pairs: (E, 2) pieces, the earlier first.
        size: h.
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
    """Return whether boxes as high as letters are above each other, with a gap between them."""
    low = np.minimum(one[:, 3] - one[:, 1], other[:, 3] - other[:, 1])
    gap = np.maximum(one[:, 1] - other[:, 3], other[:, 1] - one[:, 3])
    return np.asarray((low >= _LETTER * size) & (gap > _APART * size))


def gaps(one: Floats, other: Floats) -> Floats:
    """Return the horizontal distance between boxes (..., 4); below 0 if they overlap from side to side."""
    result: NDArray[np.float64] = np.maximum(other[..., 0] - one[..., 2], one[..., 0] - other[..., 2])
    return result
