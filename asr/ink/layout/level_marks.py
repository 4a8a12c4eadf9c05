"""Rules, underlines and strike-throughs: level strokes among the writing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.ink.layout.shapes import Flags, Shapes
from asr.ink.layout.strokes import Floats, Ints
from asr.ink.layout.writing import Writing

_REACH = 1.6  # h up and down, in which writing may have an underline or be struck through
_COVERED = 0.15  # of the width of an underline: the least that writing stands above
_COVERED_SHORT = 0.6  # ... of a short one, below one letter
_APART, _APART_MOST = 0.2, 0.9  # h between a letter and its underline, where the foot of a letter touches it
_UNDER = 0.3  # of the ink of a line may be below its underline
_THROUGH = 0.6  # ... below a strike-through; more below is the bar of a t
_UNDERLINES, _RULES = 2.0, 4.5  # h: least width of an underline that touches letters, and of a rule
_SHORT, _APART_IN_TIME = 0.85, 0.25  # h: least width, and distance, of an underline that was drawn with one letter
_CROSSED_MANY, _THROUGH_MANY = 4, 0.68  # through so many letters, one may be higher
_CROSSED = 2  # pieces: what crosses fewer is the bar of a letter
_ADDED_STRIKES, _THROUGH_ADDED = 1.3, 0.75  # h: the least width of a strike-through that was added later, and as above
_PAST, _PAST_WIDTH, _THROUGH_PAST = 0.5, 1.8, (0.33, 0.66)  # h past a letter on both sides, the least width, and the
# ink below, of a strike-through that crosses one letter
_BAR, _BAR_OF_ONE = 4.5, 3.5  # h: the widest bar of a t, or of two; the widest bar or foot of any one letter
_BETWEEN, _BETWEEN_APART = 1.6, 0.4  # h: the least width of an underline that was drawn with the line below it, and the
# least distance to that line
_ADDED_BAR = 1.5  # h: the widest bar of a letter that was added when its word was done
_DASH = 2.5  # h to the writing beside a dash
_BESIDE = 0.9  # h up and down, in which writing is beside a stroke
_RUNS_OUT = (0.8, 4.0)  # h past the ends of a line: on both sides, or on one
_SAME = 0.5  # h between the ends of the two strokes of a double underline


@dataclass(frozen=True)
class _Around:
    """The writing above, below and across a level stroke, in units of h; the stroke is from (0, 0) to (width, 0).

    Attributes:
        width: of the stroke.
        boxes: (n, 4) of the pieces of writing.
        ink: (n,) length of their ink.
        line: (n,) their lines.
        owner: (n,) their strokes.
    """

    width: float
    boxes: Floats
    ink: Floats
    line: Ints
    owner: Ints

    @classmethod
    def of(cls, writing: Writing, form: Shapes, stroke: int) -> _Around:
        """Take the pieces that overlap a stroke from side to side and are near it."""
        left, bottom, right, top = form.boxes[stroke]
        size, y = writing.size, (bottom + top) / 2
        near = writing.between(y - _REACH * size, y + _REACH * size)
        boxes = writing.parts.boxes[near]
        is_over = (boxes[:, 2] > left) & (boxes[:, 0] < right)
        near, boxes = near[is_over], (boxes[is_over] - [left, y, left, y]) / size
        parts = writing.parts
        return cls((right - left) / size, boxes, parts.ink[near] / size, writing.line[near], parts.owner[near])

    @property
    def crosses(self) -> Flags:
        """(n,) whether the stroke goes through each piece."""
        return np.asarray((self.boxes[:, 1] < 0) & (self.boxes[:, 3] > 0))

    def below(self) -> dict[int, float]:
        """Return for each line which share of its ink is below the stroke."""
        tall = np.maximum(self.boxes[:, 3] - self.boxes[:, 1], 1e-9)
        share = np.clip(-self.boxes[:, 1] / tall, 0.0, 1.0)
        total, found = np.bincount(self.line, self.ink), np.bincount(self.line, self.ink * share)
        return {int(n): float(found[n] / total[n]) for n in np.unique(self.line) if total[n] > 0}

    def gaps(self) -> tuple[float, float]:
        """Return the distance to the nearest piece above the stroke and to that below it; infinite if there is none."""
        above, below = self.boxes[:, 1], -self.boxes[:, 3]
        return (
            float(above[above > 0].min()) if (above > 0).any() else np.inf,
            float(below[below > 0].min()) if (below > 0).any() else np.inf,
        )


def judged_level(writing: Writing, form: Shapes, stroke: int, in_time: tuple[int, ...]) -> str | None:
    """Return the kind of a level stroke, None if it is writing.

    Args:
        writing: the lines of the page.
        form: the shapes of all strokes.
        stroke: which of them is judged.
        in_time: the lines of the strokes just before and just after it, if they are near. If there is none, the pen
            was elsewhere, and the stroke is no bar of a letter.
    """
    around = _Around.of(writing, form, stroke)
    if _strikes_one_letter(around):
        return "strike_through"
    if not in_time and len(around.ink) and around.width < _BAR:
        return _added(around)
    if _covered(around.boxes, around.width) < _COVERED:
        return None if len(around.ink) and around.width < _RULES else _beside(writing, form, stroke)
    if in_time and _is_bar(around, in_time):
        return None
    if around.width < _UNDERLINES:
        return "underline" if _is_short_underline(around, bool(in_time)) else None
    kind = _among(around)
    return "rule" if kind == "underline" and _runs_out(writing, form, stroke, _nearest_to_middle(around)) else kind


def is_second(form: Shapes, stroke: int, first: int, size: float) -> bool:
    """Return whether a level stroke is the second of a double underline or strike-through: as long, and close.

    Args:
        form: the shapes of all strokes.
        stroke, first: two of them.
        size: h.
    """
    return bool(np.abs(form.boxes[stroke] - form.boxes[first]).max() <= _SAME * size)


def _strikes_one_letter(around: _Around) -> bool:
    """Return whether a stroke goes through the middle of a letter, and far past it on both sides, as no bar does."""
    crossed = around.boxes[around.crosses]
    if around.width < _PAST_WIDTH or not len(crossed):
        return False
    past = min(float(crossed[:, 0].min()), around.width - float(crossed[:, 2].max()))
    share = min(around.below().values(), key=lambda one: abs(one - 0.5))
    return past >= _PAST and _THROUGH_PAST[0] < share <= _THROUGH_PAST[1]


def _added(around: _Around) -> str | None:
    """Return the kind of a short stroke that was added when its word was done."""
    shares = around.below()
    below = min(shares.values(), key=lambda share: abs(share - 0.5))
    if _UNDER < below <= _THROUGH_ADDED:
        return "strike_through" if around.width >= _ADDED_STRIKES else None
    above = np.array([shares.get(int(one), 1.0) <= _UNDER for one in around.line], dtype=bool)
    if not above.any() or _covered(around.boxes[above], around.width) < _COVERED:
        return None
    if around.crosses[~above].any():  # the bar of a letter in the line below
        return None
    to_above, to_below = around.gaps()
    if around.width < _ADDED_BAR and to_below < to_above:
        return None
    return "underline" if float(np.abs(around.boxes[above, 1]).min()) <= _APART_MOST else None


def _is_bar(around: _Around, in_time: tuple[int, ...]) -> bool:
    """Return whether a stroke that was written with a word may be the bar or the foot of one of its letters."""
    crosses, shares = around.crosses, around.below()
    is_foot = len(np.unique(around.owner[crosses])) == 1 and min(shares.values()) <= _UNDER
    if is_foot and _UNDERLINES <= around.width < _BAR_OF_ONE:
        return True
    if around.width > _BAR or max(shares.get(line, 0.0) for line in in_time) <= _through(around):
        return False
    to_above, to_below = around.gaps()
    is_below = not crosses.any() and to_above <= _APART_MOST and to_below >= max(to_above, _BETWEEN_APART)
    return not (is_below and around.width >= _BETWEEN)


def _through(around: _Around) -> float:
    return _THROUGH if around.crosses.sum() < _CROSSED_MANY else _THROUGH_MANY


def _is_short_underline(around: _Around, in_time: bool) -> bool:
    """Return whether a stroke about as wide as a letter is below all that is over it, and nearer to that than to
    what is below.
    """
    above, below = around.boxes[:, 1], -around.boxes[:, 3]
    if in_time and (around.width < _SHORT or around.gaps()[0] < _APART_IN_TIME):
        return False
    if not (above > _APART).any() or ((above <= _APART) & (below <= _APART)).any():
        return False
    near, _ = around.gaps()
    is_near = near <= _APART_MOST and not ((below > 0) & (below < 1.5 * near)).any()
    return is_near and _covered(around.boxes, around.width) > _COVERED_SHORT


def _among(around: _Around) -> str | None:
    """Return the kind of a stroke that has writing above, below or across it."""
    shares = around.below()
    below = shares[_nearest_to_middle(around)]
    if _UNDER < below <= _through(around):
        return "strike_through" if around.crosses.sum() >= _CROSSED else None
    if min(shares.values()) <= _UNDER:
        return "underline"
    return None if around.width <= _BAR else "rule"


def _nearest_to_middle(around: _Around) -> int:
    """Return the line whose middle is nearest to a stroke."""
    line, _ = min(around.below().items(), key=lambda one: (abs(one[1] - 0.5), one[0]))
    return line


def _covered(boxes: Floats, width: float) -> float:
    """Return the share of a width that has writing above or below it."""
    cells = np.zeros(33)
    step = width / 32
    first = np.clip((boxes[:, 0] / step).astype(np.int64), 0, 32)
    last = np.clip((boxes[:, 2] / step).astype(np.int64) + 1, 0, 32)
    np.add.at(cells, first, 1)
    np.add.at(cells, last, -1)
    return float((np.cumsum(cells)[:32] > 0).mean())


def _beside(writing: Writing, form: Shapes, stroke: int) -> str | None:
    """Return the kind of a stroke with hardly anything above or below it: none for a dash beside writing."""
    size = writing.size
    left, bottom, right, top = form.boxes[stroke]
    y = (bottom + top) / 2
    boxes = writing.parts.boxes[writing.between(y - _BESIDE * size, y + _BESIDE * size)]
    gap = np.maximum(boxes[:, 0] - right, left - boxes[:, 2])
    if right - left < _RULES * size and len(gap) and gap.min() < _DASH * size:
        return None
    return "rule" if right - left >= _UNDERLINES * size else None


def _runs_out(writing: Writing, form: Shapes, stroke: int, line: int) -> bool:
    """Return whether a stroke goes farther than the line above it, and so is a rule of the page."""
    boxes = writing.parts.boxes[writing.line == line]
    left, _, right, _ = form.boxes[stroke]
    past = max(boxes[:, 0].min() - left, 0.0), max(right - boxes[:, 2].max(), 0.0)
    return bool(min(past) > _RUNS_OUT[0] * writing.size or max(past) > _RUNS_OUT[1] * writing.size)
