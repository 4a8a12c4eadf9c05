"""Pairs of lines that may be one line."""

from __future__ import annotations

import numpy as np

from asr.ink.ink import Ink
from asr.ink.layout.strokes import Ints
from asr.ink.layout.types import Doubt, line_of

_SURE = 6.0  # log odds against one line, beyond which there is no doubt
_MOST = 8  # doubts of a page at most, the least sure first, if it is short
_MOST_OF_A_PAGE = 200
_SHARE = 0.15  # of its lines


def doubts(page: Ink, lines: list[Ints], between: dict[tuple[int, int], float]) -> tuple[Doubt, ...]:
    """Return the pairs of lines that may be one line, because the evidence against it is small.

    Args:
        page: the ink.
        lines: indices of the strokes of each line.
        between: log odds that two lines are one.
    """
    taken: set[int] = set()
    found: list[Doubt] = []
    most = min(max(_MOST, int(_SHARE * len(lines))), _MOST_OF_A_PAGE)
    for (i, j), value in sorted(between.items(), key=lambda one: (-one[1], one[0])):
        if value < -_SURE or len(found) == most:
            break
        if not {i, j} & taken:
            taken |= {i, j}
            both = np.sort(np.concatenate([lines[i], lines[j]]))
            apart = tuple(line_of(page, tuple(int(k) for k in lines[n])) for n in (i, j))
            found.append(Doubt((apart, (line_of(page, tuple(int(k) for k in both)),))))
    return tuple(found)
