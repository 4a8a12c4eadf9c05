"""Marks among lines: what a stroke is, by the writing round it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.ink.layout.shapes import Shapes, is_box
from asr.ink.layout.strokes import Floats, Ints, Pieces
from asr.ink.layout.types import Mark

_REACH = 1.6  # h up and down, in which writing may have an underline or be struck through
_COVERED = 0.15  # of the width of an underline: the least that writing stands above
_COVERED_SHORT = 0.6  # ... of a short one, below one letter
_APART, _APART_MOST = 0.2, 0.9  # h between a letter and its underline, where the foot of a letter touches it
_UNDER = 0.3  # of the ink of a line may be below its underline
_THROUGH = 0.6  # ... below a strike-through; more below is the bar of a t
_STRIKES, _UNDERLINES, _RULES = 1.8, 2.0, 4.5  # h: least widths
_CROSSED_MANY, _THROUGH_MANY = 4, 0.68  # through so many letters, one may be higher
_CROSSED = 2  # pieces: what crosses fewer is the bar of a letter
_ADDED_STRIKES, _THROUGH_ADDED = 1.3, 0.75  # h: the least width of a strike-through that was added later, and as above
_BAR = 4.5  # h: the widest bar of a t
_DASH = 2.5  # h to the writing beside a dash


@dataclass(frozen=True)
class Writing:
    """The writing of a page, in lines.

    Attributes:
        parts: pieces of the strokes that surely are writing.
        line: (P,) line of each piece.
        size: h.
        order: (P,) pieces from the lowest to the highest; so that few are looked at.
        heights: (P,) their heights.
    """

    parts: Pieces
    line: Ints
    size: float
    order: Ints
    heights: Floats

    @classmethod
    def of(cls, parts: Pieces, line: Ints, size: float) -> Writing:
        """From pieces and the line of each."""
        order = np.argsort(parts.height, kind="stable")
        return cls(parts, line, size, order, parts.height[order])

    def between(self, low: float, high: float) -> Ints:
        """Pieces whose middle is between two heights."""
        return self.order[np.searchsorted(self.heights, low) : np.searchsorted(self.heights, high)]


def judged_level(writing: Writing, form: Shapes, stroke: int, in_time: tuple[int, ...]) -> str | None:
    """The kind of a level stroke, None where it is writing.

    Args:
        in_time: the lines of the strokes just before and just after it, if they are near. Where none is, the pen wrote
            elsewhere, and it is no bar of a letter.
    """
    size = writing.size
    left, bottom, right, top = form.boxes[stroke]
    width, y = right - left, (bottom + top) / 2
    near = writing.between(y - _REACH * size, y + _REACH * size)
    boxes = writing.parts.boxes[near]
    over = near[(boxes[:, 2] > left) & (boxes[:, 0] < right)]
    if not in_time and len(over) and width < _BAR * size:
        return _added(writing.parts.boxes[over], writing.line[over], _below(writing, over, y), left, right, y, size)
    if _covered(writing.parts.boxes[over], left, right) < _COVERED:
        if len(over) and width < _RULES * size:
            return None
        return _beside(writing, near, left, right, y, width)
    boxes_over = writing.parts.boxes[over]
    shares = _below(writing, over, y)
    crossed = int(((boxes_over[:, 1] < y) & (boxes_over[:, 3] > y)).sum())
    through = _THROUGH if crossed < _CROSSED_MANY else _THROUGH_MANY
    if in_time and width <= _BAR * size and max(shares.get(line, 0.0) for line in in_time) > through:
        return None
    if width < _UNDERLINES * size:
        is_apart = _is_apart(boxes_over, y, size)
        return "underline" if is_apart and _covered(boxes_over, left, right) > _COVERED_SHORT else None
    line, below = min(shares.items(), key=lambda one: (abs(one[1] - 0.5), one[0]))
    if _UNDER < below <= through:
        return "strike_through" if width >= _STRIKES * size and crossed >= _CROSSED else None
    above = [one for one in shares.values() if one <= _UNDER]
    if not above:
        return None if width <= _BAR * size else "rule"
    return "rule" if _runs_out(writing, line, left, right) else "underline"


_SAME = 0.5  # h


def is_second(form: Shapes, stroke: int, first: int, size: float) -> bool:
    """Whether a level stroke is the second of a double underline or strike-through: as long, and close."""
    return bool(np.abs(form.boxes[stroke] - form.boxes[first]).max() <= _SAME * size)


def _added(
    boxes: Floats, line: Ints, shares: dict[int, float], left: float, right: float, y: float, size: float
) -> str | None:
    """A short level stroke that was added when the word was done: below its letters, or through their middle."""
    width = right - left
    below = min(shares.values(), key=lambda share: abs(share - 0.5))
    if _UNDER < below <= _THROUGH_ADDED:
        return "strike_through" if width >= _ADDED_STRIKES * size else None
    own = boxes[np.array([shares[int(one)] <= _UNDER for one in line], dtype=bool)]
    if not len(own) or _covered(own, left, right) < _COVERED:
        return None
    is_near = float(np.abs(own[:, 1] - y).min()) <= _APART_MOST * size
    return "underline" if is_near else None


def _is_apart(boxes: Floats, y: float, size: float) -> bool:
    """Whether a short level stroke is below all that is over it, near, and nearer than to what is below."""
    above, below = boxes[:, 1] - y, y - boxes[:, 3]
    if not (above > _APART * size).any() or ((above <= _APART * size) & (below <= _APART * size)).any():
        return False
    near = float(above[above > 0].min())
    return near <= _APART_MOST * size and not ((below > 0) & (below < 1.5 * near)).any()


def _covered(boxes: Floats, left: float, right: float) -> float:
    """The share of a width that has writing above or below it."""
    cells = np.zeros(33)
    step = (right - left) / 32
    first = np.clip(((boxes[:, 0] - left) / step).astype(np.int64), 0, 32)
    last = np.clip(((boxes[:, 2] - left) / step).astype(np.int64) + 1, 0, 32)
    np.add.at(cells, first, 1)
    np.add.at(cells, last, -1)
    return float((np.cumsum(cells)[:32] > 0).mean())


def _below(writing: Writing, over: Ints, y: float) -> dict[int, float]:
    """For each line above or below a level stroke: which share of its ink there is below."""
    boxes, ink, line = writing.parts.boxes[over], writing.parts.ink[over], writing.line[over]
    tall = np.maximum(boxes[:, 3] - boxes[:, 1], 1e-9 * writing.size)
    share = np.clip((y - boxes[:, 1]) / tall, 0.0, 1.0)
    total = np.bincount(line, ink)
    found = np.bincount(line, ink * share)
    return {int(n): float(found[n] / total[n]) for n in np.unique(line) if total[n] > 0}


def _beside(writing: Writing, near: Ints, left: float, right: float, y: float, width: float) -> str | None:
    """A level stroke with nothing above or below it: a dash beside writing, else a rule."""
    size = writing.size
    boxes = writing.parts.boxes[near[np.abs(writing.parts.height[near] - y) < 0.9 * size]]
    gap = np.maximum(boxes[:, 0] - right, left - boxes[:, 2])
    if width < _RULES * size and len(gap) and gap.min() < _DASH * size:
        return None
    return "rule" if width >= _UNDERLINES * size else None


def _runs_out(writing: Writing, line: int, left: float, right: float) -> bool:
    """Whether a level stroke goes farther than the words above it on both sides, so is a rule of the page."""
    boxes = writing.parts.boxes[writing.line == line]
    past = max(boxes[:, 0].min() - left, 0.0), max(right - boxes[:, 2].max(), 0.0)
    return bool(min(past) > 0.8 * writing.size or max(past) > 4 * writing.size)


# ---- margins and brackets

_SPANNED = 2  # lines
_ASIDE = 15.0  # h
_REACHED, _REACHED_BY_TALL = 0.5, 0.15  # h that it goes past the middles of the lines that it spans
_SURELY_TALL = 3.3  # h: letters with a loop above and one below are lower
_BESIDE = (0.35, -0.1, -0.3)  # h to the nearest writing: of what may be a letter by its height, of a taller one, of one
# that is as high as two lines, whose arms may reach over letters
_LEAN = 0.12  # width to height of such a stroke; a slash leans more
_MARGIN = 5.0  # h: a straight stroke of this height is no letter, whatever is beside it


def judged_tall(writing: Writing, form: Shapes, stroke: int) -> str | None:
    """The kind of a tall stroke, None where it is writing.

    A margin or a bracket stands beside two lines or more, and none of them goes on at its other side close by.
    """
    size = writing.size
    left, bottom, right, top = form.boxes[stroke]
    reach = _REACHED if form.height[stroke] < _SURELY_TALL * size else _REACHED_BY_TALL
    near = writing.between(bottom + reach * size, top - reach * size)
    boxes = writing.parts.boxes[near]
    aside = np.maximum(boxes[:, 0] - right, left - boxes[:, 2])
    near, aside, boxes = near[aside < _ASIDE * size], aside[aside < _ASIDE * size], boxes[aside < _ASIDE * size]
    kind = "margin" if form.straight[stroke] else "bracket"
    if form.straight[stroke] and form.height[stroke] >= _MARGIN * size and right - left <= _LEAN * (top - bottom):
        return kind
    tall = form.height[stroke] / size
    least = _BESIDE[0] if tall < _SURELY_TALL else _BESIDE[1] if tall < _MARGIN else _BESIDE[2]
    spanned = _SPANNED if tall < _MARGIN else 1
    if len(np.unique(writing.line[near])) < spanned or aside.min() < least * size:
        return None
    is_right = boxes[:, 0] > (left + right) / 2
    split = np.intersect1d(writing.line[near[is_right & (aside < 2 * size)]], writing.line[near[~is_right]])
    return None if len(split) else kind


# ---- dots and bullets

_DOT = 0.5  # h
_STRAY, _STRAY_IN_LINE = 1.0, 2.5  # h from the nearest writing
_IN_LINE = (1.0, 1.4)  # h below and above the middle of the writing beside it: full stops, apostrophes
_ABOVE = (1.5, 1.5)  # h beside and above a letter, within which its dot may be
_HIGHEST = 4.0  # h: the middle of a letter is not farther below its dot


def is_stray(writing: Writing, form: Shapes, stroke: int) -> bool:
    """Whether a dot or a touch is far from all writing."""
    size = writing.size
    box = form.boxes[stroke]
    if max(box[2] - box[0], box[3] - box[1]) > _DOT * size:
        return False
    y = (box[1] + box[3]) / 2
    near = writing.between(y - _HIGHEST * size, y + _HIGHEST * size)
    boxes = writing.parts.boxes[near]
    across = np.maximum(np.maximum(boxes[:, 0] - box[2], box[0] - boxes[:, 2]), 0.0)
    up = np.maximum(np.maximum(boxes[:, 1] - box[3], box[1] - boxes[:, 3]), 0.0)
    far = np.hypot(across, up)
    above = y - writing.parts.height[near]
    level = (above >= -_IN_LINE[0] * size) & (above <= _IN_LINE[1] * size)
    below = (across <= _ABOVE[0] * size) & (up <= _ABOVE[1] * size) & (boxes[:, 1] < box[1])
    in_line = level & (far <= _STRAY_IN_LINE * size)
    spaced = level & (far <= 2 * _STRAY_IN_LINE * size)  # in writing with wide gaps there is some on both sides
    is_left = boxes[:, 2] < box[0]
    in_line |= spaced & (spaced & is_left).any() & (spaced & ~is_left).any()
    return not ((far <= _STRAY * size) | in_line | below).any()


_BULLET = 1.15  # h
_BULLET_GAP = 0.45  # h to the writing after it
_BELOW_EACH_OTHER, _ALIKE = 0.8, 0.15  # h, by which bullets may differ in place and height


@dataclass(frozen=True)
class Bullet:
    """What may be a bullet: the first of a line, small, and apart.

    Attributes:
        strokes: of it.
        x: its middle.
        high: its height.
        kind: of its shape.
        is_sure: it is no letter; else it is as high as one, and a bullet only below others that are sure.
    """

    strokes: tuple[int, ...]
    x: float
    high: float
    kind: str
    is_sure: bool


def kept_bullets(found: list[Bullet], size: float) -> list[Mark]:
    """Keep the bullets that stand below another of their shape; a dot or a ring may stand alone."""
    marks = []
    for one in found:
        alike = [
            other
            for other in found
            if other.kind == one.kind
            and abs(other.x - one.x) <= _BELOW_EACH_OTHER * size
            and abs(other.high - one.high) <= _ALIKE * size
        ]
        if (len(alike) >= 2 and any(other.is_sure for other in alike)) or one.kind == "dot":
            marks.append(Mark("bullet", one.strokes))
    return marks


def bullet_shape(path: Floats, size: float) -> str | None:
    """`dash`, `dot`, `ring` or `box` where a stroke has such a shape and is small."""
    width, height = np.ptp(path, axis=0)
    if max(width, height) > _BULLET * size:
        return None
    if max(width, height) <= 0.4 * size:
        return "dot"
    if height <= 0.25 * size:
        return "dash"
    steps = np.hypot(*np.diff(path, axis=0).T)
    closed = np.hypot(*(path[-1] - path[0])) <= 0.2 * steps.sum()
    round_once = 2.2 * (width + height) >= steps.sum() >= 1.3 * (width + height)
    if closed and round_once and 0.6 < width / height < 1.7:
        return "box" if is_box(path) else "ring"
    return None


def is_small(kind: str, height: float, letter: float) -> bool:
    """Whether a bullet is too small for a letter.

    Args:
        letter: the height of the letters after it; a ring as high as them is one.
    """
    return kind != "ring" or height <= 0.65 * letter
