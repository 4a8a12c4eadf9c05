"""Turn the subpaths of a drawing into pen strokes: join pieces, and remove the rules of the paper.

**Pieces.** Programs with pens of changing width write each piece of a stroke as a path of its own (Xournal++, Tuhi). A
subpath is joined to the one before it if it begins exactly where that one ends, is in the same group, and one of the
two is a single line or curve or their pens differ in width or colour. A writer never puts the pen down exactly where it
was lifted.

**Rules.** The lines of ruled or squared paper are not writing. A rule is straight and at least half as long as the page
is wide or high. Such lines are rules if they have a pen that draws nothing else and there are at least 3 in one
direction; or if at least 5 of them are level and cross the page from edge to edge. In the second case, other crossing
lines of the same pens are rules too, and so are long lines of pens that draw nothing else. If a drawing has nothing but
rules, they are kept.
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

_LONG = 0.5  # shortest rule, as a share of the page's width or height
_ACROSS = 0.95  # shortest line from edge to edge, as such a share; `write_svg` leaves wider margins
_LEVEL = 0.01  # largest height of a level line, as a share of its width
_BENT = 0.002  # largest distance of a point from a straight line, as a share of its length
_IN_ONE_DIRECTION, _FROM_EDGE_TO_EDGE = 3, 5  # fewest rules of a background


@dataclass
class Drawn:
    """A visible subpath.

    Attributes:
        subpath: the subpath in the coordinates of the drawing, y downwards.
        where: its element, for messages.
        pen: colour, width and opacity of the line.
        group: the parent of its element.
    """

    subpath: Subpath
    where: str
    pen: tuple[str, str, float]
    group: Element | None


def joined(drawn: list[Drawn]) -> list[Drawn]:
    """Join the pieces of each stroke; see the rule at the top of this module."""
    strokes: list[Drawn] = []
    for before, one in pairwise([None, *drawn]):
        if one is None:
            continue
        if before is not None and _continues(before, one):
            strokes[-1].subpath.continued(one.subpath)
        else:  # a copy of the list, because `continued` appends to it and `_continues` still needs the original
            strokes.append(Drawn(Subpath(list(one.subpath.pieces), one.subpath.closed), one.where, one.pen, one.group))
    return strokes


def _continues(before: Drawn, one: Drawn) -> bool:
    a, b = before.subpath, one.subpath
    if before.group is not one.group or a.closed or b.closed:
        return False
    if not (a.n_segments == 1 or b.n_segments == 1 or before.pen != one.pen):
        return False
    return bool((a.end == b.start).all())


class _Rule(NamedTuple):
    """A long straight line.

    Attributes:
        number: its index among the subpaths.
        pen: its pen.
        direction: its angle in whole degrees, 0 to 179.
        level: whether it is horizontal.
        across: whether it reaches from edge to edge.
    """

    number: int
    pen: tuple[str, str, float]
    direction: int
    level: bool
    across: bool


def without_rules(drawn: list[Drawn], page: tuple[float, float] | None) -> list[Drawn]:
    """Remove the rules of the paper; see the definition at the top of this module.

    Args:
        drawn: the subpaths in the order of the file.
        page: width and height of the page; None if not known, so that no line counts as going from edge to edge.
    """
    size = page or _extent(drawn)
    with np.errstate(all="ignore"):  # `InkBuilder.add` reports numbers that are not finite
        rules = [
            rule for k, one in enumerate(drawn) if (rule := _long_line(k, one, size, page is not None)) is not None
        ]
    if len(rules) < _IN_ONE_DIRECTION or len(rules) == len(drawn):
        return drawn
    numbers = {rule.number for rule in rules}
    writing = {one.pen for k, one in enumerate(drawn) if k not in numbers}
    found = _background(rules, writing)
    return [one for k, one in enumerate(drawn) if k not in found]


def _background(rules: list[_Rule], writing: set[tuple[str, str, float]]) -> set[int]:
    """Return the indices of the lines that are rules, given the pens of everything else."""
    together = Counter((rule.pen, rule.direction) for rule in rules if rule.pen not in writing)
    across = [rule for rule in rules if rule.level and rule.across]
    pens = {rule.pen for rule in across} if len(across) >= _FROM_EDGE_TO_EDGE else set()
    if not pens and max(together.values(), default=0) < _IN_ONE_DIRECTION:
        return set()
    return {rule.number for rule in rules if rule.pen not in writing or (rule.pen in pens and rule.across)}


def _long_line(number: int, one: Drawn, page: tuple[float, float], stated: bool) -> _Rule | None:
    """Return the subpath as a long straight line; None if it is short or bent."""
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
