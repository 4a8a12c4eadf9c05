"""Cut the strokes of writing into lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.ink.layout.columns import parted
from asr.ink.layout.evidence import log_odds, neighbours
from asr.ink.layout.grouping import grouped
from asr.ink.layout.steps import without_words_of_next
from asr.ink.layout.strokes import Floats, Ints, Pieces, Strokes, pieces

_WEAK = 0.35  # h: a lower piece does not show the height of its line
_SLANTED = 0.3  # height / width; a flatter piece is a bar that slants
_LITTLE = 2.6  # h of ink: a letter has more; a group with less is not a line if a line is near
_MOST_LITTLE = 1000  # groups of a page
_LOW = 0.95  # h: a higher group below other ink is not an accent
_LESS = 0.5  # ink of an accent as high as a letter / ink of its word
_NEAR = 0.7  # h
_NEAR_AMID = 1.7  # h, if the strokes before and after are in the same line


@dataclass(frozen=True)
class Cut:
    """Strokes, cut into lines.

    Attributes:
        line: (S,) line of each stroke, from 0 in the order of their first strokes.
        between: log odds that two lines are one, see `Groups.between`.
    """

    line: Ints
    between: dict[tuple[int, int], float]


def cut(strokes: Strokes, size: float, doubtful: NDArray[np.bool_]) -> Cut:
    """Cut level writing into lines.

    Args:
        strokes: level, and writing.
        size: h, above 0.
        doubtful: (S,) strokes that may be marks; they do not begin a line and do not show its height.
    """
    parts = pieces(strokes, size)
    is_strong = strong_pieces(parts, size) & ~doubtful[parts.owner]
    strong = parts.chosen(is_strong)
    if not len(strong):
        return Cut(np.zeros(len(strokes), dtype=np.int64), {})
    known, number = np.unique(strong.owner, return_inverse=True)
    pairs = neighbours(strong, size)
    groups = grouped(len(known), number[pairs], log_odds(strong, pairs, size))
    line = np.full(len(strokes), -1)
    line[known] = groups.of
    line = _without_little(line, strokes, parts, size)
    line = without_words_of_next(line, strong.chosen(line[strong.owner] >= 0), size)
    line = attached(line, parts, size)
    line = parted(line, parts, size)
    return _numbered(line, groups.between)


def strong_pieces(parts: Pieces, size: float) -> NDArray[np.bool_]:
    """Return (P,) whether a piece shows the height of its line; dots, hyphens and the bars of t do not."""
    width, height = parts.boxes[:, 2] - parts.boxes[:, 0], parts.boxes[:, 3] - parts.boxes[:, 1]
    return np.asarray((height > _WEAK * size) & (height > _SLANTED * width))


def _numbered(line: Ints, between: dict[tuple[int, int], float]) -> Cut:
    _, first, number = np.unique(line, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    new = {int(line[at]): int(rank[k]) for k, at in enumerate(first)}
    kept = {
        (min(new[i], new[j]), max(new[i], new[j])): value for (i, j), value in between.items() if i in new and j in new
    }
    return Cut(rank[number], kept)


def _without_little(line: Ints, strokes: Strokes, parts: Pieces, size: float) -> Ints:
    """Dissolve groups with little ink near one with more, such as accents and quotation marks (line -1)."""
    line = line.copy()
    has = line >= 0
    ink = np.bincount(line[has], strokes.lengths()[has])
    if len(ink) == 1:
        return line
    for group in np.argsort(ink, kind="stable")[:_MOST_LITTLE]:
        if ink[group] >= _LITTLE * size:
            break
        own = line[parts.owner] == group
        others = (line[parts.owner] >= 0) & ~own
        if not others.any():
            break
        box = _around(parts.boxes[own])
        distances = _distances(box, parts.boxes[others])
        at = np.flatnonzero(others)[int(np.argmin(distances))]
        is_below = box[1] + box[3] < parts.boxes[at, 1] + parts.boxes[at, 3]
        is_less = ink[group] < _LESS * ink[line[parts.owner[at]]]
        if box[3] - box[1] > _LOW * size and (is_below or not is_less):
            continue
        members = np.flatnonzero(line == group)
        near = _NEAR_AMID if _is_amid(line, members) else _NEAR
        if distances.min() < near * size:
            line[line == group] = -1
    return line


def _is_amid(line: Ints, members: Ints) -> bool:
    """Return whether the strokes before and after some strokes are in the same line."""
    before = line[: members[0]][line[: members[0]] >= 0]
    after = line[members[-1] + 1 :][line[members[-1] + 1 :] >= 0]
    return len(before) > 0 and len(after) > 0 and bool(before[-1] == after[0])


def _around(boxes: Floats) -> Floats:
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _distances(box: Floats, boxes: Floats) -> Floats:
    """Return (n,) the distances from a box to each of (n, 4) others."""
    across = np.maximum(np.maximum(boxes[:, 0] - box[2], box[0] - boxes[:, 2]), 0.0)
    up = np.maximum(np.maximum(boxes[:, 1] - box[3], box[1] - boxes[:, 3]), 0.0)
    return np.asarray(np.hypot(across, up))


_OTHER_IN_TIME = 1.2  # h by which a line must be nearer that was not being written
_AMID = 1.5  # h more, if the strokes before and after are in the same line
_FAR = 6.0  # h up and down, in which the nearest ink is searched first
_SEAM = (2.5, 5.0)  # h: greatest distance to the line that a stroke ends or begins, and least to the other
_UP = 1.5  # weight of vertical against horizontal distances


def attached(line: Ints, parts: Pieces, size: float) -> Ints:
    """Assign strokes without a line to the line whose ink is nearest; lines that were being written are preferred.

    Args:
        line: (S,) line of each stroke, -1 for none.
        parts: pieces of all strokes.
        size: h.

    Returns:
        (S,) the line of each stroke.
    """
    known = np.flatnonzero(line >= 0)
    strong = parts.chosen(line[parts.owner] >= 0)
    of_piece = line[strong.owner]
    middle = strong.boxes[:, [1, 3]].mean(axis=1)
    order = np.argsort(middle, kind="stable")
    middle = middle[order]
    result = line.copy()
    firsts = np.searchsorted(parts.owner, np.arange(len(line) + 1))
    for stroke in np.flatnonzero(line < 0):
        own = parts.boxes[firsts[stroke] : firsts[stroke + 1]]
        at = int(np.searchsorted(known, stroke))
        in_time = line[known[max(at - 1, 0) : at + 1]]
        price = _OTHER_IN_TIME + _AMID * (len(in_time) == 2 and in_time[0] == in_time[1])
        y = float(own[:, [1, 3]].mean())
        near = order[np.searchsorted(middle, y - _FAR * size) : np.searchsorted(middle, y + _FAR * size)]
        near = near if len(near) else order
        lines = of_piece[near]
        distance = _weighed(own, strong.boxes[near]) / size + price * ~np.isin(lines, in_time)
        result[stroke] = lines[np.argmin(distance)]
        if len(in_time) == 2 and in_time[0] != in_time[1]:
            before, after = (parts.boxes[firsts[k] : firsts[k + 1]] for k in known[at - 1 : at + 1])
            side = _side(_around(own), _around(before), _around(after), size)
            result[stroke] = result[stroke] if side is None else in_time[side]
    return result


def _side(own: Floats, before: Floats, after: Floats, size: float) -> int | None:
    """Return whether a stroke between two lines is the last of one (0) or the first of the next (1); None if unclear.

    From one line to the next the pen goes back to the left. So the full stop of a line is far from the beginning of the
    next, and an opening quotation mark is far from the end of the line before.
    """
    there, here = (float(_distances(own, box[None])[0]) / size for box in (before, after))
    if there < _SEAM[0] and here > max(_SEAM[1], 2 * there):
        return 0
    if here < _SEAM[0] and there > max(_SEAM[1], 2 * here):
        return 1
    return None


def _weighed(own: Floats, boxes: Floats) -> Floats:
    """Return weighted distances from the middle of some boxes to each of (n, 4) others."""
    around = _around(own)
    x, y = (around[0] + around[2]) / 2, (around[1] + around[3]) / 2
    across = np.maximum(np.maximum(boxes[:, 0] - x, x - boxes[:, 2]), 0.0)
    up = np.maximum(np.maximum(boxes[:, 1] - y, y - boxes[:, 3]), 0.0)
    return np.asarray(np.hypot(across, _UP * up))
