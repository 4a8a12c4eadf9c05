"""Split lines that run through two columns."""

from __future__ import annotations

import numpy as np

from asr.ink.layout.strokes import Ints, Pieces

_GAP = 1.5  # h: a line is not split at narrower gaps
_BETWEEN = 3  # pieces of other lines written between the two sides of a gap: the pen had left the line


def parted(line: Ints, parts: Pieces, size: float) -> Ints:
    """Split lines that run through two columns.

    A line is split at a gap of 1.5 h if the pen wrote elsewhere between its two sides. Columns that were written row by
    row, such as the cells of a table, stay lines: they are read as rows.

    Args:
        line: (S,) line of each stroke.
        parts: pieces of all strokes.
        size: h.

    Returns:
        (S,) line of each stroke; the new lines have new numbers.
    """
    result = line.copy()
    of_piece = line[parts.owner]
    following = int(line.max()) + 1
    order = np.argsort(of_piece, kind="stable")
    for which in np.split(order, np.cumsum(np.bincount(of_piece))[:-1]):
        if len(which) < 2:
            continue
        for side in _sides(which, of_piece, parts, size):
            result[parts.owner[side]] = following
            following += 1
    return result


def _sides(which: Ints, of_piece: Ints, parts: Pieces, size: float) -> list[Ints]:
    """Return the parts of a line after each gap at which the pen wrote elsewhere."""
    order = which[np.argsort(parts.boxes[which, 0], kind="stable")]
    reach = np.maximum.accumulate(parts.boxes[order, 2])
    gaps = np.flatnonzero(parts.boxes[order[1:], 0] - reach[:-1] > _GAP * size) + 1
    sides = np.split(order, gaps)
    kept: list[Ints] = []
    now = sides[0]
    for side in sides[1:]:
        if _was_left(now, side, of_piece):
            kept.append(side)
            now = side
        else:
            now = np.concatenate([now, side])
            if kept:
                kept[-1] = now
    return kept


def _was_left(one: Ints, other: Ints, of_piece: Ints) -> bool:
    """Return whether ink of other lines was written between two parts of a line."""
    own = np.sort(np.concatenate([one, other]))
    is_other = np.isin(own, other)
    changes = np.flatnonzero(np.diff(is_other.astype(np.int8)) != 0)
    number = of_piece[one[0]]
    between = [int((of_piece[own[k] + 1 : own[k + 1]] != number).sum()) for k in changes]
    return min(between) >= _BETWEEN
