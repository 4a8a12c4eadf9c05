"""Several ways to run a recipe beside each other: their means over seeds, and what chance makes of a difference.

Student's t over the seeds tells how far a mean would move with other random weights and orders; the people of the test
set are the same for all, so what is said is said of them. A difference of two means has Welch's interval (B. L. Welch
1947, "The generalization of 'Student's' problem when several different population variances are involved"): neither
way need vary as much as the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from asr.errors import DataError
from asr.evaluation.result import Result
from asr.extras import require
from asr.report.results import rates_of


@dataclass(frozen=True)
class Estimate:
    """A mean, or a difference of means, with its 95 % interval; the interval is None with one seed."""

    mean: float
    half_width: float | None = None

    def __str__(self) -> str:
        if self.half_width is None:
            return f"{self.mean:.1f}"
        return f"{self.mean:.1f} [{self.mean - self.half_width:.1f}, {self.mean + self.half_width:.1f}]"


@dataclass(frozen=True)
class Way:
    """One way to run a recipe.

    Attributes:
        options: in what it departs from the recipe.
        results: one a seed.
    """

    options: tuple[str, ...]
    results: tuple[Result, ...]

    @property
    def name(self) -> str:
        """The options, as on a command line."""
        return " ".join(self.options) or "as it is"

    def percents(self, split: str, rate: str) -> list[float]:
        """A rate of each seed that tells of it."""
        return [one.percent for one in rates_of(self.results, split, rate)]

    def estimate(self, split: str, rate: str) -> Estimate | None:
        """The mean of the seeds; None where no run tells of the rate."""
        values = self.percents(split, rate)
        if len(values) < 2:
            return Estimate(values[0]) if values else None
        deviation = math.sqrt(variance(values) / len(values))
        return Estimate(fmean(values), _quantile(len(values) - 1) * deviation)


def ways(results: Sequence[Result]) -> list[Way]:
    """Results of one recipe, those that differ in nothing but the seed together, in the order of their options.

    A decoder other than greedy search is one more option: `decoder=NAME`.
    """
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        decoder = () if result.decoder.name == "greedy" else (f"decoder={result.decoder.name}",)
        groups.setdefault((*result.options, *decoder), []).append(result)
    return [Way(options, tuple(groups[options])) for options in sorted(groups)]


def base_of(compared: Sequence[Way], name: str) -> Way:
    """The way that is called so.

    Raises:
        DataError: there is none.
    """
    for way in compared:
        if way.name == name:
            return way
    raise DataError(f"no result was run with '{name}'; there are: {', '.join(way.name for way in compared) or 'none'}")


def difference(one: Way, base: Way, split: str, rate: str) -> Estimate | None:
    """The difference of two means, `one` less `base`; None if either is missing."""
    ours, theirs = one.percents(split, rate), base.percents(split, rate)
    if not ours or not theirs:
        return None
    mean = fmean(ours) - fmean(theirs)
    if min(len(ours), len(theirs)) < 2:
        return Estimate(mean)
    first, second = variance(ours) / len(ours), variance(theirs) / len(theirs)
    if first + second == 0:
        return Estimate(mean, 0.0)
    degrees = (first + second) ** 2 / (first**2 / (len(ours) - 1) + second**2 / (len(theirs) - 1))
    return Estimate(mean, _quantile(degrees) * math.sqrt(first + second))


def _quantile(degrees: float) -> float:
    """The quantile of Student's t for a two-sided interval of 95 %."""
    require("scipy", what="comparing the ways in which a recipe was run")
    from scipy.stats import t as student

    return float(student.ppf(0.975, degrees))
