"""Compare several ways to run a recipe: their means over seeds, and the intervals of means and of differences.

The interval of a mean is Student's t over the seeds: it covers other random weights and orders of training. All runs
have the same test set, so it does not cover other speakers. The interval of a difference is Welch's, which does not
assume equal variances (B. L. Welch 1947, "The generalization of 'Student's' problem when several different population
variances are involved").
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
    """A mean, or a difference of means, with its 95 % interval: mean ± half_width; None if there is one seed.

    >>> print(Estimate(8.25, 0.5))
    8.2 [7.8, 8.8]
    """

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
        options: the options that differ from the recipe.
        results: the result of each seed.
    """

    options: tuple[str, ...]
    results: tuple[Result, ...]

    @property
    def name(self) -> str:
        """The options, as on a command line."""
        return " ".join(self.options) or "as it is"

    def percents(self, split: str, rate: str) -> list[float]:
        """Return a rate of each seed that reports it, in percent."""
        return [one.percent for one in rates_of(self.results, split, rate)]

    def estimate(self, split: str, rate: str) -> Estimate | None:
        """Return the mean of a rate over the seeds, in percent; None if no seed reports the rate."""
        values = self.percents(split, rate)
        if len(values) < 2:
            return Estimate(values[0]) if values else None
        deviation = math.sqrt(variance(values) / len(values))
        return Estimate(fmean(values), _quantile(len(values) - 1) * deviation)


def ways(results: Sequence[Result]) -> list[Way]:
    """Group the results of one recipe that differ only in the seed, and sort the groups by their options.

    A decoder other than greedy search counts as an option: `decoder=NAME`.
    """
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        decoder = () if result.decoder.name == "greedy" else (f"decoder={result.decoder.name}",)
        groups.setdefault((*result.options, *decoder), []).append(result)
    return [Way(options, tuple(groups[options])) for options in sorted(groups)]


def base_of(compared: Sequence[Way], name: str) -> Way:
    """Return the way with a name.

    Raises:
        DataError: no way has the name.
    """
    for way in compared:
        if way.name == name:
            return way
    raise DataError(f"no result was run with '{name}'; there are: {', '.join(way.name for way in compared) or 'none'}")


def difference(one: Way, base: Way, split: str, rate: str) -> Estimate | None:
    """Return the difference of two means in percent, `one` minus `base`; None if either is missing."""
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
    """Return the quantile of Student's t for a two-sided interval of 95 %."""
    require("scipy", what="comparing the ways in which a recipe was run")
    from scipy.stats import t as student

    return float(student.ppf(0.975, degrees))
