"""How far the lines and marks that were found on a composed page are the true ones.

A true line is **right** if exactly one found line holds all its strokes of writing and no other line's; strokes that
were found to be marks, and strokes of true marks in it, are counted apart and do not matter here. So a line that is
cut, joined with another or lost is wrong. A correction is right if it is a found line of its own, or in the one of the
line it corrects, which is right then too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.ink.composed_pages import ComposedPage


@dataclass(frozen=True)
class Judgement:
    """What is right on some pages; judgements add up.

    Attributes:
        lines: true lines, corrections among them.
        wrong: of these that are not right.
        out_of_order: pairs of neighbours in reading order, both right, that were found the other way round.
        mark_strokes: strokes of true marks.
        in_text: of these that are in a found line.
        writing_strokes: strokes of true lines.
        taken: of these that were found to be marks.
    """

    lines: int = 0
    wrong: int = 0
    out_of_order: int = 0
    mark_strokes: int = 0
    in_text: int = 0
    writing_strokes: int = 0
    taken: int = 0

    def __add__(self, other: Judgement) -> Judgement:
        """Add up the counts."""
        return Judgement(*(one + another for one, another in zip(self.counts(), other.counts(), strict=True)))

    def counts(self) -> tuple[int, ...]:
        """All counts in the order of the attributes."""
        return tuple(vars(self).values())


def judge(page: ComposedPage, lines: Sequence[Iterable[int]], marks: Iterable[Iterable[int]] = ()) -> Judgement:
    """Compare what was found with the truth.

    Args:
        page: the truth.
        lines: the strokes of each line that was found, in reading order.
        marks: the strokes of each mark that was found.
    """
    wrong = set(wrong_lines(page, lines))
    found = {k: number for number, line in enumerate(lines) for k in line}
    drawn = [k for mark in page.marks for k in mark.strokes]
    written = [k for line in page.lines for k in line.strokes]
    taken = {k for mark in marks for k in mark}
    right = [line for n, line in enumerate(page.lines) if n not in wrong and line.corrects is None]
    order = [min(found[k] for k in line.strokes if k in found) for line in right]
    return Judgement(
        lines=len(page.lines),
        wrong=len(wrong),
        out_of_order=sum(before > after for before, after in pairwise(order)),
        mark_strokes=len(drawn),
        in_text=sum(k in found for k in drawn),
        writing_strokes=len(written),
        taken=sum(k in taken for k in written),
    )


def wrong_lines(page: ComposedPage, lines: Sequence[Iterable[int]]) -> list[int]:
    """The indices of the true lines that are not right."""
    found = {k: number for number, line in enumerate(lines) for k in line}
    holders = [{found[k] for k in line.strokes if k in found} for line in page.lines]
    owners: dict[int, set[int]] = {}
    for n, held in enumerate(holders):
        for number in held:
            owners.setdefault(number, set()).add(n)
    wrong = []
    for n, held in enumerate(holders):
        others = set().union(*(owners[number] for number in held)) - {n}
        if len(held) != 1 or any(not _together(page, n, other) for other in others):
            wrong.append(n)
    return wrong


def _together(page: ComposedPage, one: int, other: int) -> bool:
    """Whether two lines may be found as one: a correction and its line."""
    return page.lines[one].corrects == other or page.lines[other].corrects == one
