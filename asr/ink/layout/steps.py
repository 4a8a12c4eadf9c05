"""Split off words that were set above the next line, to the right of a shorter line."""

from __future__ import annotations

import numpy as np

from asr.ink.layout.strokes import Floats, Ints, Pieces

_GAP = 0.3  # h between a line and a word that is not part of it
_DROP = 0.95  # h from the end of a line down to such a word
_INK = 4.0  # h of ink: the least in such a word; less is a letter that may be low
_WINDOW = 6.0  # h of a line before its end, in which its height is measured
_CLOSE = 1.5  # h from the word down to the line that it is set above


def without_words_of_next(line: Ints, parts: Pieces, size: float) -> Ints:
    """Split the last word off a line if it is a step lower than the line, and just above another line.

    Args:
        line: (S,) line of each stroke.
        parts: pieces of all strokes that show the height of their line.
        size: h.

    Returns:
        (S,) line of each stroke; the words have new numbers.
    """
    result = line.copy()
    of_piece = line[parts.owner]
    following = int(line.max()) + 1
    for which in np.split(np.argsort(of_piece, kind="stable"), np.cumsum(np.bincount(of_piece))[:-1]):
        tail = _tail(which, parts, size)
        if len(tail) and _is_above(tail, of_piece, parts, size):
            owners = np.unique(parts.owner[tail])
            if not np.isin(parts.owner[np.setdiff1d(which, tail)], owners).any():
                result[owners] = following
                following += 1
    return result


def _tail(which: Ints, parts: Pieces, size: float) -> Ints:
    """Return the pieces of a line after the gap with the greatest step down; none if there is no such step."""
    none = np.zeros(0, dtype=np.int64)
    order = which[np.argsort(parts.boxes[which, 0], kind="stable")]
    reach = np.maximum.accumulate(parts.boxes[order, 2]) if len(order) else np.zeros(0)
    gaps = np.flatnonzero(parts.boxes[order[1:], 0] - reach[:-1] > _GAP * size) + 1 if len(order) > 1 else none
    best, drop = none, _DROP * size
    for at in gaps:
        before, after = order[:at], order[at:]
        near = before[parts.boxes[before, 2] > reach[at - 1] - _WINDOW * size]
        step = _mean(near, parts) - _mean(after, parts)
        if step >= drop and parts.ink[after].sum() >= _INK * size:
            best, drop = np.asarray(after), step
    return best


def _mean(some: Ints, parts: Pieces) -> float:
    """Return the mean height of the ink of some pieces."""
    return float(np.average(parts.height[some], weights=parts.ink[some] + 1e-12))


def _is_above(tail: Ints, of_piece: Ints, parts: Pieces, size: float) -> bool:
    """Return whether another line is just below some pieces."""
    box: Floats = np.concatenate([parts.boxes[tail, :2].min(axis=0), parts.boxes[tail, 2:].max(axis=0)])
    others = of_piece != of_piece[tail[0]]
    others &= (parts.boxes[:, 2] > box[0]) & (parts.boxes[:, 0] < box[2])
    drop = _mean(tail, parts) - parts.height[others]
    return bool(((drop > 0) & (drop <= _CLOSE * size)).sum() >= 2)
