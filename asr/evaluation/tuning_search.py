"""Search for the best weights of a decoder: a coarse grid around their values, then finer ones around the best.

A point is one value for each weight. With one or two weights the first grid has five values of each; with more it is
the neighbourhood of the start. Then, with the step of the coarse grid, half of it and a quarter, the neighbours of the
best point are tried until none of them is better: so the best point never lies at the edge of what was tried, but
where an option has a smallest value, or its decoder refuses the values beyond. Two points are neighbours if they
differ by one step in one or two weights.

The best point has the fewest errors. Of several, it is the one whose neighbours have the fewest, because a broad
valley of the development set is one of the test set too; then the one with the smallest weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from asr.decoding.marks import Weight

Point = tuple[float, ...]
"""One value for each weight, in their order."""

_FINENESS = (1.0, 0.5, 0.25)  # steps of the grids, in steps of the first
_COARSE = (-2, -1, 0, 1, 2)  # values of the first grid, in steps around the start
_FARTHEST = 24  # steps of the first grid from the start; the search does not go beyond
_DIGITS = 9  # decimal places to which values are rounded


@dataclass(frozen=True)
class Axis:
    """A weight that is tuned.

    Attributes:
        name: of the option.
        start: where the search begins.
        weight: its steps.
    """

    name: str
    start: float
    weight: Weight

    def value(self, steps: float) -> float | None:
        """Return the value at a number of coarse steps from the start; None if it is out of range."""
        value = round(self.start + steps * self.weight.step, _DIGITS)
        beyond = abs(steps) > _FARTHEST or (self.weight.least is not None and value < self.weight.least)
        return None if beyond else value

    def moved(self, value: float, steps: float) -> float | None:
        """Return the value at a number of coarse steps from another one; None if it is out of range."""
        return self.value((value - self.start) / self.weight.step + steps)

    def is_farthest(self, value: float) -> bool:
        """Return whether the search goes no further than here, and the option has no smallest value here."""
        return abs(value - self.start) / self.weight.step > _FARTHEST - _FINENESS[-1]


class Search:
    """The search for the best point.

    Args:
        axes: the weights, at least one.
        errors: gives the errors of a point that was tried.
        attempt: tries points, the start first, and returns those that exist, of which `errors` is asked afterwards. The
            start has to exist.
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
        """Try the points that are new; return whether there was one."""
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
    """Return the points of the first grid."""
    start = tuple(axis.start for axis in axes)
    if len(axes) > 2:
        return [start, *neighbours(start, axes, 1.0)]
    values = [[value for steps in _COARSE if (value := axis.value(steps)) is not None] for axis in axes]
    return [start, *product(*values)]


def neighbours(point: Point, axes: Sequence[Axis], fineness: float) -> list[Point]:
    """Return the points that differ by one step in one or two weights.

    Args:
        point: their neighbour.
        axes: the weights.
        fineness: the step, in coarse steps.
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
    """Return the best of some points by the rule of this module.

    Args:
        points: at least one.
        axes: the weights.
        errors: of a point.
        fineness: how far from each other neighbours are, in coarse steps.
    """
    fewest = min(map(errors, points))
    equal = [point for point in points if errors(point) == fewest]

    def order(point: Point) -> tuple[float, float, Point]:
        around = [errors(one) for one in neighbours(point, axes, fineness) if one in points]
        mean = sum(around) / len(around) if around else math.inf
        return mean, sum(abs(value) for value in point), point

    return min(equal, key=order)
