"""The order in which the lines of a page are read."""

from __future__ import annotations

import numpy as np

from asr.ink.layout.strokes import Floats, Ints

_GUTTER = 1.0  # h, blank between two columns
_DEEPEST = 50


def reading_order(boxes: Floats, size: float) -> list[int]:
    """Return the indices of lines in reading order, by an XY cut (G. Nagy and S. Seth, ICPR 1984), columns first.

    If a gutter of 1 h runs from the top to the bottom of some lines, the lines left of it are read before those right
    of it. Otherwise rows with a common gutter are read as columns, and other rows one by one: from top to bottom, and
    from left to right at the same height.

    Args:
        boxes: (n, 4) left, bottom, right, top of each line.
        size: h.
    """
    return _read(np.arange(len(boxes)), boxes, size, _DEEPEST)


def _read(some: Ints, boxes: Floats, size: float, depth: int) -> list[int]:
    if len(some) <= 1 or depth == 0:
        return [int(k) for k in some]
    columns = _split(some, boxes[some, 0], boxes[some, 2], _GUTTER * size)
    if len(columns) > 1:
        return [k for column in columns for k in _read(column, boxes, size, depth - 1)]
    rows = _split(some, -boxes[some, 3], -boxes[some, 1], 0.0)
    if len(rows) > 1 and any(len(row) > 1 for row in rows):
        return [k for row in _blocks(rows, boxes, size) for k in _read(row, boxes, size, depth - 1)]
    return _from_top(some, boxes)


def _from_top(some: Ints, boxes: Floats) -> list[int]:
    middle = (boxes[some, 1] + boxes[some, 3]) / 2
    return [int(k) for k in some[np.lexsort((boxes[some, 0], -middle))]]


def _split(some: Ints, begin: Floats, end: Floats, least: float) -> list[Ints]:
    """Split intervals at blanks wider than `least`; return their indices, in rising order."""
    order = np.argsort(begin, kind="stable")
    reach = np.maximum.accumulate(end[order])
    gaps = np.flatnonzero(begin[order][1:] - reach[:-1] > least) + 1
    return [np.asarray(part) for part in np.split(some[order], gaps)]


def _blocks(rows: list[Ints], boxes: Floats, size: float) -> list[Ints]:
    """Join consecutive rows that have a common gutter; other rows stay alone."""
    blocks = [rows[0]]
    for row in rows[1:]:
        both = np.concatenate([blocks[-1], row])
        has_gutter = len(_split(both, boxes[both, 0], boxes[both, 2], _GUTTER * size)) > 1
        if has_gutter:
            blocks[-1] = both
        else:
            blocks.append(row)
    return blocks
