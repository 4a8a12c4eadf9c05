"""Search for the best weights of a decoder: try a coarse grid around the start, then finer grids around the best point.

A point is one value for each weight. With one or two weights the first grid has five values of each; with more it
consists of the start and its neighbours. Then the neighbours of the best point are tried until none of them is better:
first with the step of the coarse grid, then with half of it, then with a quarter. So the best point is never at the
edge of the tried points, unless an option ends there or the decoder does not accept values beyond. Two points are
neighbours if they differ by one step in one or two weights.

The best point has the fewest errors. Of several, it is the one whose neighbours have the fewest, because a broad
minimum on the development set is more likely to be one on the test set, too; then the one with the smallest weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from asr.decoding.marks import Weight

Point = tuple[float, ...]
"""One value for each weight, in the order of the weights."""

_FINENESS = (1.0, 0.5, 0.25)  # the step of each grid, relative to the first
_COARSE = (-2, -1, 0, 1, 2)  # values of the first grid, in steps from the start
_FARTHEST = 24  # how far the search goes from the start, in steps of the first grid
_DIGITS = 9  # decimal places to which values are rounded


@dataclass(frozen=True)
class Axis:
    """A weight that is tuned.

    Attributes:
        name: the name of the option.
        start: the value at which the search begins.
        weight: the step and the limit of its values.

    >>> axis = Axis("lm_weight", start=1.0, weight=Weight(step=0.25, least=0.0))
    >>> axis.value(2), axis.value(-5)
    (1.5, None)
    """

    name: str
    start: float
    weight: Weight

    def value(self, steps: float) -> float | None:
        """Return the value at a number of coarse steps from the start.

        Returns:
            None more than 24 coarse steps away from the start, and below `weight.least`.
        """
        value = round(self.start + steps * self.weight.step, _DIGITS)
        beyond = abs(steps) > _FARTHEST or (self.weight.least is not None and value < self.weight.least)
        return None if beyond else value

    def moved(self, value: float, steps: float) -> float | None:
        """Return the value at a number of coarse steps from another value; None in the cases of `value`."""
        return self.value((value - self.start) / self.weight.step + steps)

    def is_farthest(self, value: float) -> bool:
        """Return whether a value is at the limit of 24 coarse steps from the start; `weight.least` is no such limit."""
        return abs(value - self.start) / self.weight.step > _FARTHEST - _FINENESS[-1]


class WeightSearch:
    """The search for the best point.

    Args:
        axes: the weights, at least one.
        errors: returns the number of errors of a point that was tried.
        attempt: tries points, and returns those that the decoder accepts; `errors` is called for these only. The first
            point is the start, which must be accepted.
    """

    def __init__(
        self,
        axes: Sequence[Axis],
        errors: Callable[[Point], float],
        attempt: Callable[[Sequence[Point]], Sequence[Point]],
    ) -> None:
        self._axes, self._errors, self._attempt = axes, errors, attempt
        self._tried: set[Point] = set()
        self._existing: set[Point] = set()

    def run(self) -> Point:
        """Return the best point; each point is tried once."""
        self._try(first_points(self._axes))
        best = best_of(self._existing, self._axes, self._errors, _FINENESS[0])
        for fineness in _FINENESS:
            while self._try(neighbours(best, self._axes, fineness)):
                best = best_of(self._existing, self._axes, self._errors, fineness)
        return best

    def _try(self, points: Sequence[Point]) -> bool:
        """Try the points that were not tried yet; return whether there was one."""
        new = [one for one in dict.fromkeys(points) if one not in self._tried]
        if new:
            self._existing.update(self._attempt(new))
            self._tried.update(new)
        return bool(new)


def expected_tries(axes: Sequence[Axis]) -> int:
    """Return the number of points that a search usually tries."""
    n_neighbours = len(neighbours(tuple(axis.start for axis in axes), axes, 1.0))
    return len(first_points(axes)) + math.ceil(2.5 * n_neighbours)


def first_points(axes: Sequence[Axis]) -> list[Point]:
    """Return the points of the first grid, the start first.

    >>> first_points([Axis("lm_weight", 1.0, Weight(0.5, least=0.5))])
    [(1.0,), (0.5,), (1.0,), (1.5,), (2.0,)]
    """
    start = tuple(axis.start for axis in axes)
    if len(axes) > 2:
        return [start, *neighbours(start, axes, 1.0)]
    values = [[value for steps in _COARSE if (value := axis.value(steps)) is not None] for axis in axes]
    return [start, *product(*values)]


def neighbours(point: Point, axes: Sequence[Axis], fineness: float) -> list[Point]:
    """Return the points that differ by one step in one or two weights.

    Args:
        point: the point whose neighbours are returned.
        axes: the weights.
        fineness: the step, in steps of the first grid.

    >>> neighbours((1.0,), [Axis("lm_weight", 1.0, Weight(0.5))], fineness=0.5)
    [(0.75,), (1.25,)]
    """
    return list(_neighbours(point, axes, fineness))


def _neighbours(point: Point, axes: Sequence[Axis], fineness: float) -> Iterator[Point]:
    for n_changed in range(1, min(2, len(axes)) + 1):
        for places in combinations(range(len(axes)), n_changed):
            for signs in product((-fineness, fineness), repeat=n_changed):
                moved = list(point)
                values = [axes[i].moved(point[i], sign) for i, sign in zip(places, signs, strict=True)]
                for i, value in zip(places, values, strict=True):
                    moved[i] = math.nan if value is None else value
                if None not in values:
                    yield tuple(moved)


def best_of(
    points: set[Point], axes: Sequence[Axis], errors: Callable[[Point], float], fineness: float = _FINENESS[-1]
) -> Point:
    """Return the best of some points; the module describes the rule.

    Args:
        points: at least one point.
        axes: the weights.
        errors: returns the number of errors of a point.
        fineness: the distance of neighbours, in steps of the first grid.

    >>> axes = [Axis("lm_weight", 1.0, Weight(0.5))]
    >>> errors = {(0.5,): 3, (1.0,): 2, (1.5,): 4, (2.0,): 2, (2.5,): 6}
    >>> best_of(set(errors), axes, errors.get, fineness=1.0)
    (1.0,)
    """
    fewest = min(map(errors, points))
    equal = [point for point in points if errors(point) == fewest]

    def order(point: Point) -> tuple[float, float, Point]:
        around = [errors(one) for one in neighbours(point, axes, fineness) if one in points]
        mean = sum(around) / len(around) if around else math.inf
        return mean, sum(abs(value) for value in point), point

    return min(equal, key=order)
