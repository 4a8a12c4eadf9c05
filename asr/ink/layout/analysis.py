"""The analysis of a page, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.ink.ink import Ink
from asr.ink.layout.arrows import arrows
from asr.ink.layout.boxes import boxes
from asr.ink.layout.bullets import bullets
from asr.ink.layout.candidates import Candidates, candidates
from asr.ink.layout.dots import is_stray, small_strokes
from asr.ink.layout.doubts import doubts
from asr.ink.layout.level_marks import is_second, judged_level
from asr.ink.layout.lines import Cut, cut
from asr.ink.layout.order import reading_order
from asr.ink.layout.scribbles import scribbles
from asr.ink.layout.shapes import Flags, Shapes, shapes
from asr.ink.layout.size import writing_size
from asr.ink.layout.slope import turn
from asr.ink.layout.strokes import Floats, Ints, Strokes, pieces
from asr.ink.layout.tall_marks import judged_tall
from asr.ink.layout.types import Layout, Mark, line_of
from asr.ink.layout.writing import Writing

_NEAR = (3.0, 1.0)  # h sideways, up or down: strokes that were written after each other and are near
_DOUBLE = ("underline", "strike_through")
_MOST_DOTS = 20_000
_LEAST_H = 1e-9  # of the larger side of the page


def analyse(page: Ink) -> Layout:
    """Separate the writing of a page from its marks, and cut it into lines.

    Args:
        page: y upwards; its strokes in the order of writing. A single line, word or dot is one line.

    Returns:
        At least one line; every stroke is in one line or in one mark.
    """
    everything = tuple(range(len(page.strokes)))
    strokes = _scaled(page)
    height = 0.0 if strokes is None else writing_size(strokes)
    if strokes is None or height < _LEAST_H:
        return Layout((line_of(page, everything),))
    strokes, height = _level(strokes, height)
    found = _Page(strokes, shapes(strokes, height), height).analysed()
    lines = [line_of(page, tuple(int(k) for k in line)) for line in found.lines]
    return Layout(tuple(lines), tuple(found.marks), doubts(page, found.lines, found.between))


def _scaled(page: Ink) -> Strokes | None:
    """Return the strokes scaled to a side of 1, so that no square overflows; None if all points are the same."""
    left, bottom, right, top = page.bounds()
    extent = max(right - left, top - bottom)
    if len(page.strokes) == 1 or not 0 < extent < np.inf:
        return None
    points = (page.points() - [left, bottom]) / extent
    return Strokes.of(points, np.array([len(stroke) for stroke in page.strokes]))


def _level(strokes: Strokes, height: float) -> tuple[Strokes, float]:
    """Turn a page so that its lines are level; return its strokes and h."""
    form = shapes(strokes, height)
    plain = np.flatnonzero(~(form.straight & (np.hypot(form.width, form.height) > 2 * height)))
    parts = pieces(strokes.chosen(plain) if len(plain) else strokes, height)
    strokes = strokes.turned(turn(parts, height))
    return strokes, writing_size(strokes) or height


@dataclass(frozen=True)
class Found:
    """The lines and marks that were found on a page.

    Attributes:
        lines: in reading order, each the rising indices of its strokes.
        marks: in the order of their first strokes.
        between: evidence that two lines are one, see `Groups.between`.
    """

    lines: list[Ints]
    marks: list[Mark]
    between: dict[tuple[int, int], float]


@dataclass(frozen=True)
class _Page:
    """A level page.

    Attributes:
        strokes: of the page.
        form: their shapes.
        height: h.
    """

    strokes: Strokes
    form: Shapes
    height: float

    def analysed(self) -> Found:
        """Find marks by their shape, lines in the rest, and marks by the lines around them."""
        marks = self._by_shape()
        waiting = candidates(self.form, self.height)
        is_mark = self._of(marks)
        if (is_mark | waiting.level | waiting.tall).all():  # nothing that surely is writing
            marks, is_mark = [], np.zeros(len(self.strokes), dtype=bool)
            waiting = Candidates(is_mark, is_mark)
        writing = np.flatnonzero(~is_mark)
        waits = (waiting.level | waiting.tall)[writing]
        found = cut(self.strokes.chosen(writing), self.height, waits)
        marks += self._by_writing(found, writing, waiting, waits)
        is_mark = self._of(marks)[writing]
        found, writing = Cut(found.line[~is_mark], found.between), writing[~is_mark]
        small = bullets(self.strokes, self.form, writing, self._writing(found, writing))
        small += self._strays(found, writing, self._of(small))
        return self._ordered(found, writing, marks + small, self._of(small))

    def _of(self, marks: list[Mark]) -> Flags:
        """Return which strokes belong to some marks."""
        flags = np.zeros(len(self.strokes), dtype=bool)
        flags[[k for mark in marks for k in mark.strokes]] = True
        return flags

    def _by_shape(self) -> list[Mark]:
        """Find boxes, arrows and scribbles; a stroke that is in two of them belongs to the first."""
        marks, taken = [], np.zeros(len(self.strokes), dtype=bool)
        for find in (boxes, arrows, scribbles):
            for mark in find(self.strokes, self.form, self.height):
                if not taken[list(mark.strokes)].any():
                    taken[list(mark.strokes)] = True
                    marks.append(mark)
        return marks

    def _writing(self, found: Cut, chosen: Ints) -> Writing:
        return Writing.of(self.strokes.chosen(chosen), found.line, self.height)

    def _by_writing(self, found: Cut, writing: Ints, waiting: Candidates, waits: Flags) -> list[Mark]:
        """Find marks among the candidates by the writing around them."""
        sure = np.flatnonzero(~waits)
        context = self._writing(Cut(found.line[sure], {}), writing[sure])
        marks = []
        for at in np.flatnonzero(waits):
            k, near = int(writing[at]), int(np.searchsorted(sure, at))
            beside = sure[max(near - 1, 0) : near + 1]
            in_time = tuple(int(found.line[one]) for one in beside[self._are_near(k, writing[beside])])
            kind = judged_level(context, self.form, k, in_time) if waiting.level[k] else None
            if waiting.tall[k]:
                kind = judged_tall(context, self.form, k)
            if kind is not None:
                marks.append(Mark(kind, (k,)))
        return marks + self._seconds(marks, waiting)

    def _seconds(self, marks: list[Mark], waiting: Candidates) -> list[Mark]:
        """Find the other strokes of double underlines and strike-throughs, drawn just before or after the first."""
        known = {k for mark in marks for k in mark.strokes}
        found = []
        for mark in marks:
            (first,) = mark.strokes
            for k in (first - 1, first + 1):
                if mark.kind not in _DOUBLE or k in known or not 0 <= k < len(self.strokes) or not waiting.level[k]:
                    continue
                if is_second(self.form, k, first, self.height):
                    known.add(k)
                    found.append(Mark(mark.kind, (k,)))
        return found

    def _are_near(self, stroke: int, in_time: Ints) -> Flags:
        """Return whether the strokes written just before and just after another are near it."""
        box, others = self.form.boxes[stroke], self.form.boxes[in_time]
        across = np.maximum(others[:, 0] - box[2], box[0] - others[:, 2])
        up = np.maximum(others[:, 1] - box[3], box[1] - others[:, 3])
        return np.asarray((across <= _NEAR[0] * self.height) & (up <= _NEAR[1] * self.height))

    def _strays(self, found: Cut, writing: Ints, is_bullet: Flags) -> list[Mark]:
        """Find dots and touches far from all writing."""
        small = small_strokes(self.form, self.height)[writing]
        if not small.any() or small.all():
            return []
        context = self._writing(Cut(found.line[~small], {}), writing[~small])
        chosen = [int(k) for k in writing[small & ~is_bullet[writing]]]
        return [Mark("dot", (k,)) for k in chosen[:_MOST_DOTS] if is_stray(context, self.form, k)]

    def _ordered(self, found: Cut, writing: Ints, marks: list[Mark], dropped: Flags) -> Found:
        """Put the lines in reading order, without the strokes that turned out to be marks."""
        members = [own[~dropped[own]] for own in _members(found, writing)]
        numbers = [n for n, own in enumerate(members) if len(own)]
        boxes_of = np.array([self._around(members[n]) for n in numbers])
        order = [numbers[k] for k in reading_order(boxes_of, self.height)]
        new = {number: place for place, number in enumerate(order)}
        between = {
            (min(new[i], new[j]), max(new[i], new[j])): value
            for (i, j), value in found.between.items()
            if i in new and j in new
        }
        return Found([members[n] for n in order], sorted(marks, key=lambda mark: mark.strokes), between)

    def _around(self, own: Ints) -> Floats:
        box = self.form.boxes[own]
        return np.concatenate([box[:, :2].min(axis=0), box[:, 2:].max(axis=0)])


def _members(found: Cut, writing: Ints) -> list[Ints]:
    """Return the strokes of each line, rising; lines may be empty."""
    order = np.argsort(found.line, kind="stable")
    ends = np.cumsum(np.bincount(found.line))[:-1]
    return [np.asarray(own) for own in np.split(writing[order], ends)]
