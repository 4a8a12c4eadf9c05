"""A page analysed: its steps one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.ink.ink import Ink
from asr.ink.layout.candidates import Candidates, arrows, boxes, candidates, scribbles, writing_size
from asr.ink.layout.doubts import doubts
from asr.ink.layout.lines import Cut, cut, strong_pieces
from asr.ink.layout.marks import (
    Bullet,
    Writing,
    bullet_shape,
    is_second,
    is_small,
    is_stray,
    judged_level,
    judged_tall,
    kept_bullets,
)  # fmt: skip
from asr.ink.layout.order import reading_order
from asr.ink.layout.shapes import Flags, Shapes, shapes
from asr.ink.layout.slope import turn
from asr.ink.layout.strokes import Floats, Ints, Strokes, pieces
from asr.ink.layout.types import Layout, Mark, line_of

_NEAR = (3.0, 1.0)  # h sideways, up or down
_DOUBLE = ("underline", "strike_through")
_LEAST_H = 1e-9  # of the larger side of the page


def analyse(page: Ink) -> Layout:
    """Part the writing of a page from its marks, and cut it into lines.

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
    """The strokes at a scale in which no square is too large for a number; None where all points are one."""
    left, bottom, right, top = page.bounds()
    extent = max(right - left, top - bottom)
    if len(page.strokes) == 1 or not 0 < extent < np.inf:
        return None
    points = (page.points() - [left, bottom]) / extent
    return Strokes.of(points, np.array([len(stroke) for stroke in page.strokes]))


def _level(strokes: Strokes, height: float) -> tuple[Strokes, float]:
    form = shapes(strokes, height)
    plain = np.flatnonzero(~(form.straight & (np.hypot(form.width, form.height) > 2 * height)))
    parts = pieces(strokes.chosen(plain) if len(plain) else strokes, height)
    strokes = strokes.turned(turn(parts, height))
    return strokes, writing_size(strokes) or height


@dataclass(frozen=True)
class Found:
    """Lines in reading order, each the rising indices of its strokes; marks; evidence between lines."""

    lines: list[Ints]
    marks: list[Mark]
    between: dict[tuple[int, int], float]


@dataclass(frozen=True)
class _Page:
    """A level page with the shapes of its strokes.

    Attributes:
        height: h.
    """

    strokes: Strokes
    form: Shapes
    height: float

    def analysed(self) -> Found:
        """Marks by shape; lines of the rest; marks by what is round them."""
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
        small = self._bullets(found, writing)
        small += self._strays(found, writing, self._of(small))
        return self._ordered(found, writing, marks + small, self._of(small))

    def _of(self, marks: list[Mark]) -> Flags:
        flags = np.zeros(len(self.strokes), dtype=bool)
        flags[[k for mark in marks for k in mark.strokes]] = True
        return flags

    def _by_shape(self) -> list[Mark]:
        marks, taken = [], np.zeros(len(self.strokes), dtype=bool)
        for mark in [
            *boxes(self.strokes, self.form, self.height),
            *arrows(self.strokes, self.form, self.height),
            *scribbles(self.strokes, self.form, self.height),
        ]:
            if not taken[list(mark.strokes)].any():
                taken[list(mark.strokes)] = True
                marks.append(mark)
        return marks

    def _writing(self, found: Cut, chosen: Ints) -> Writing:
        parts = pieces(self.strokes.chosen(chosen), self.height)
        strong = strong_pieces(parts, self.height)
        parts = parts.chosen(strong) if strong.any() else parts
        return Writing.of(parts, found.line[parts.owner], self.height)

    def _by_writing(self, found: Cut, writing: Ints, waiting: Candidates, waits: Flags) -> list[Mark]:
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
        """The other strokes of double underlines and strike-throughs, drawn just before or after the first."""
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
        """Whether strokes that were written just before or just after another are near it."""
        box, others = self.form.boxes[stroke], self.form.boxes[in_time]
        across = np.maximum(others[:, 0] - box[2], box[0] - others[:, 2])
        up = np.maximum(others[:, 1] - box[3], box[1] - others[:, 3])
        return np.asarray((across <= _NEAR[0] * self.height) & (up <= _NEAR[1] * self.height))

    def _bullets(self, found: Cut, writing: Ints) -> list[Mark]:
        """Bullets before lines: their first stroke, small and apart."""
        bullets = []
        for own in self._members(found, writing):
            order = own[np.argsort(self.form.boxes[own, 0], kind="stable")]
            if len(order) < 2:
                continue
            first, rest = int(order[0]), order[1:]
            kind, high = bullet_shape(self.strokes.path(first), self.height), float(self.form.height[first])
            gap = self.form.boxes[rest, 0].min() - self.form.boxes[first, 2]
            if kind is not None and gap >= 0.45 * self.height and self._is_level_with(first, rest):
                is_sure = is_small(kind, high, float(np.median(self.form.height[rest][:12])))
                bullets.append(Bullet((first,), float(self.form.boxes[first, [0, 2]].mean()), high, kind, is_sure))
        return kept_bullets(bullets, self.height)

    def _is_level_with(self, first: int, rest: Ints) -> bool:
        """Whether a stroke is at the middle of the writing that follows, where neither quotes nor full stops are."""
        box = self.form.boxes[rest[self.form.height[rest] > 0.35 * self.height]][:4]
        if not len(box):
            return False
        y = self.form.boxes[first, [1, 3]].mean()
        low, high = float(np.median(box[:, 1])), float(np.median(box[:, 3]))
        return bool(low + 0.1 * self.height <= y <= high - 0.1 * self.height)

    def _strays(self, found: Cut, writing: Ints, is_bullet: Flags) -> list[Mark]:
        small = np.maximum(self.form.width, self.form.height) <= 0.5 * self.height
        if not small[writing].any() or small[writing].all():
            return []
        context = self._writing(found, writing)
        chosen = [int(k) for k in writing[small[writing] & ~is_bullet[writing]]]
        return [Mark("dot", (k,)) for k in chosen[:20_000] if is_stray(context, self.form, k)]

    def _ordered(self, found: Cut, writing: Ints, marks: list[Mark], dropped: Flags) -> Found:
        members = [own[~dropped[own]] for own in self._members(found, writing)]
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

    def _members(self, found: Cut, writing: Ints) -> list[Ints]:
        """The strokes of each line, rising; of some there are none left."""
        order = np.argsort(found.line, kind="stable")
        ends = np.cumsum(np.bincount(found.line))[:-1]
        return [np.asarray(own) for own in np.split(writing[order], ends)]

    def _around(self, own: Ints) -> Floats:
        box = self.form.boxes[own]
        return np.concatenate([box[:, :2].min(axis=0), box[:, 2:].max(axis=0)])
