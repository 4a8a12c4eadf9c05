"""From the lines of a drawing to the strokes of a pen.

**Pieces.** Programs that draw a pen of changing width write each piece of a stroke by itself (Xournal++, Tuhi). A line
that begins exactly where the one before it ended, in the same group, goes on with it, if one of the two is a single
line or curve or their pens differ in width or colour: nobody puts a pen down on the very point where it was lifted.

**Rules.** The lines of ruled or squared paper are no writing. They are straight without a bend and at least half as
long as the page is wide or high, and either of a pen that writes nothing else and at least 3 in one direction, or at
least 5 that cross the page level from edge to edge; then other such lines of the same pens are rules too, and those of
a pen that writes nothing. A drawing that would be empty without them keeps them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.ink.svg_path import Subpath
from asr.ink.xml import Element

_LONG = 0.5  # of the page's width or height
_ACROSS = 0.95  # of it: from edge to edge; own files leave more than this around the ink
_LEVEL = 0.01  # height of a line to its width
_BENT = 0.002  # distance of a point from a straight line, to the line's length
_IN_ONE_DIRECTION, _FROM_EDGE_TO_EDGE = 3, 5  # rules that make a background


@dataclass
class Drawn:
    """One subpath as it is shown.

    Attributes:
        subpath: in the coordinates of the drawing, y downwards.
        where: its element, for messages.
        pen: colour, width and opacity of the line.
        group: the element around its element.
    """

    subpath: Subpath
    where: str
    pen: tuple[str, str, float]
    group: Element | None


def joined(drawn: list[Drawn]) -> list[Drawn]:
    """Strokes of pieces that go on from each other."""
    strokes: list[Drawn] = []
    for before, one in pairwise([None, *drawn]):
        if one is None:
            continue
        if before is not None and _goes_on(before, one):
            strokes[-1].subpath.continued(one.subpath)
        else:  # a list of its own, as the pieces are still looked at
            strokes.append(Drawn(Subpath(list(one.subpath.pieces), one.subpath.closed), one.where, one.pen, one.group))
    return strokes


def _goes_on(before: Drawn, one: Drawn) -> bool:
    a, b = before.subpath, one.subpath
    if before.group is not one.group or a.closed or b.closed:
        return False
    if not (a.n_segments == 1 or b.n_segments == 1 or before.pen != one.pen):
        return False
    return bool((a.end == b.start).all())


class _Rule(NamedTuple):
    """A long straight line: its number among what is drawn, its pen, whether it is level and whether it crosses."""

    number: int
    pen: tuple[str, str, float]
    direction: int
    level: bool
    across: bool


def without_rules(drawn: list[Drawn], page: tuple[float, float] | None) -> list[Drawn]:
    """What is drawn, less the rules of the paper.

    Args:
        drawn: in the order of the file.
        page: width and height; None where not stated: nothing goes from edge to edge then.
    """
    size = page or _extent(drawn)
    with np.errstate(all="ignore"):  # numbers that are no drawing are found later, with their place
        rules = [rule for k, one in enumerate(drawn) if (rule := _long(k, one, size, page is not None)) is not None]
    if len(rules) < _IN_ONE_DIRECTION or len(rules) == len(drawn):
        return drawn
    numbers = {rule.number for rule in rules}
    writing = {one.pen for k, one in enumerate(drawn) if k not in numbers}
    found = _background(rules, writing)
    return [one for k, one in enumerate(drawn) if k not in found]


def _background(rules: list[_Rule], writing: set[tuple[str, str, float]]) -> set[int]:
    """Numbers of the lines that are rules of the paper, given the pens of all else."""
    together = Counter((rule.pen, rule.direction) for rule in rules if rule.pen not in writing)
    across = [rule for rule in rules if rule.level and rule.across]
    pens = {rule.pen for rule in across} if len(across) >= _FROM_EDGE_TO_EDGE else set()
    if not pens and max(together.values(), default=0) < _IN_ONE_DIRECTION:
        return set()
    return {rule.number for rule in rules if rule.pen not in writing or (rule.pen in pens and rule.across)}


def _long(number: int, one: Drawn, page: tuple[float, float], stated: bool) -> _Rule | None:
    """None for what is short, or bent."""
    pieces = one.subpath.pieces
    if any(piece.ndim == 3 for piece in pieces[:2]):
        return None
    (dx, dy), (width, height) = (one.subpath.end - one.subpath.start).tolist(), page
    share = max(abs(dx) / width if width else 0.0, abs(dy) / height if height else 0.0)
    if not _LONG <= share < np.inf or not _is_straight(pieces, dx, dy):
        return None
    level = abs(dy) <= _LEVEL * abs(dx)
    direction = round(np.degrees(np.arctan2(dy, dx))) % 180
    return _Rule(number, one.pen, direction, level, stated and share >= _ACROSS)


def _is_straight(pieces: list[NDArray[np.float64]], dx: float, dy: float) -> bool:
    if any(piece.ndim == 3 for piece in pieces):
        return False
    points = np.concatenate(pieces)
    length = float(np.hypot(dx, dy))
    away = np.abs((points - points[0]) @ [-dy, dx]) / length
    return bool((away <= _BENT * length).all())


def _extent(drawn: list[Drawn]) -> tuple[float, float]:
    if not drawn:
        return 0.0, 0.0
    points = np.concatenate([piece.reshape(-1, 2) for one in drawn for piece in one.subpath.pieces])
    points = points[np.isfinite(points).all(axis=1)]
    with np.errstate(over="ignore"):
        width, height = np.ptp(points, axis=0).tolist() if len(points) else (0.0, 0.0)
    return width, height
