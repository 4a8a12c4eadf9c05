"""Choose between alternative cuts of a page into lines.

The choices of a doubt cut the same strokes in different ways. The score of a choice is the sum of the scores of the
best hypotheses of its lines (natural logarithms), divided by the number of points of their strokes. The highest score
wins, but the choice of geometry stays unless another one is better by more than `_MARGIN` per point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from asr.decoding.hypothesis import Hypothesis
from asr.errors import DataError
from asr.ink import Doubt, Layout, Line

_MARGIN = 0.007
"""In nats. One line pays less than two for its ends, so two lines read as one score slightly better: by up to 0.006 per
point on pages composed of lines by UNIPEN's dev writers."""

Found = list[Hypothesis] | DataError


def all_lines(layout: Layout) -> list[Line]:
    """Return the lines to recognise: those of the layout, then those of the other choices of all doubts."""
    return [*layout.lines, *(line for doubt in layout.doubts for choice in doubt.choices[1:] for line in choice)]


def settled(layout: Layout, found: Sequence[Found]) -> list[tuple[Line, Found]]:
    """Return the lines of the best choices, in reading order, each with its hypotheses.

    Args:
        layout: of the page.
        found: the hypotheses of each of `all_lines`, in order, or why it could not be recognised.
    """
    known = {line.strokes: one for line, one in zip(all_lines(layout), found, strict=True)}
    lines = {line.strokes: [line] for line in layout.lines}
    for doubt in layout.doubts:
        best = _best(doubt, lambda line: known[line.strokes])
        if best != doubt.choices[0]:
            for line in doubt.choices[0]:
                lines[line.strokes] = []
            lines[doubt.choices[0][0].strokes] = list(best)
    return [(line, known[line.strokes]) for at in layout.lines for line in lines[at.strokes]]


def _best(doubt: Doubt, found: Callable[[Line], Found]) -> tuple[Line, ...]:
    first, *others = doubt.choices
    best, score = first, _score(first, found) + _MARGIN
    for choice in others:
        if (its := _score(choice, found)) > score:
            best, score = choice, its
    return best


def _score(choice: Sequence[Line], found: Callable[[Line], Found]) -> float:
    """Return the score per point of ink; -inf if a line was not recognised."""
    total = 0.0
    for line in choice:
        hypotheses = found(line)
        if isinstance(hypotheses, DataError):
            return float("-inf")
        total += hypotheses[0].score.total
    return total / sum(line.ink.n_points for line in choice)
