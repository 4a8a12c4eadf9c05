"""Measure the expected calibration error: how far confidences are from the share of right items.

Confidences are divided into ten bins of equal size. The error is the distance between the mean confidence of a bin and
its share of right items, averaged over all items (Naeini, Cooper and Hauskrecht 2015, "Obtaining well calibrated
probabilities using Bayesian binning"; bins of equal size: Nixon et al. 2019, "Measuring calibration in deep learning").
Equal confidences are in the same bin, so the result does not depend on the order of the items.

Chance alone causes an error above zero: with a few hundred words, a perfectly calibrated recogniser has 1 to 2 %. So
the error is reported together with the one that a perfectly calibrated recogniser with the same confidences stays below
in 95 of 100 test sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.plain_values import number, optional, text, whole
from asr.scoring.bootstrap import REPLICATES, Interval, expanded_tail
from asr.scoring.edits import align

BINS = 10
"""The number of bins."""

_DRAWS = 2000  # simulated test sets of a calibrated recogniser
_ROWS = 100  # test sets that are drawn at once

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bin:
    """A bin of items with similar confidences.

    Attributes:
        confidence: the mean confidence.
        right: the share of right items.
        count: how many items there are.
    """

    confidence: float
    right: float
    count: int


@dataclass(frozen=True)
class CalibrationError:
    """The expected calibration error of a set, as a fraction, with its uncertainty.

    Attributes:
        error: the mean distance between confidence and share of right items.
        interval: the 95 % interval over people.
        chance: the error that a calibrated recogniser with these confidences stays below in 95 of 100 sets of this
            size.
        bins: the bins by rising confidence, without empty ones.
    """

    error: float
    interval: Interval
    chance: float
    bins: tuple[Bin, ...]

    @property
    def count(self) -> int:
        """The number of confidences."""
        return sum(one.count for one in self.bins)

    def __str__(self) -> str:
        low, high = self.interval.low, self.interval.high
        ends = "no interval" if low is None or high is None else f"{100 * low:.1f}, {100 * high:.1f}"
        return f"{100 * self.error:.1f} % [{ends}] (chance alone: up to {100 * self.chance:.1f} %; {self.count} in all)"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for a result file; numbers have six decimals."""
        low, high = (None if end is None else round(end, 6) for end in (self.interval.low, self.interval.high))
        return {
            "error": round(self.error, 6),
            "low": low,
            "high": high,
            "chance": round(self.chance, 6),
            "groups": self.interval.groups,
            "grouped_by": self.interval.grouped_by,
            **({"note": self.interval.note} if self.interval.note else {}),
            "bins": [[round(one.confidence, 6), round(one.right, 6), one.count] for one in self.bins],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CalibrationError:
        """Read the values that `to_dict` returned.

        Raises:
            KeyError: a field is missing.
            ValueError: a value has another type.
        """
        interval = Interval(
            optional(number, values.get("low")),
            optional(number, values.get("high")),
            whole(values.get("groups", 0)),
            text(values.get("grouped_by", "")),
            text(values.get("note", "")),
        )
        bins = tuple(Bin(number(mean), number(right), whole(count)) for mean, right, count in values["bins"])
        return cls(number(values["error"]), interval, number(values["chance"]), bins)


def are_right(reference: Sequence[str], hypothesis: Sequence[str]) -> list[bool]:
    """Return, for each token of a hypothesis, whether it is right: aligned with an equal token of the reference.

    >>> are_right("the cat sat".split(), "the hat sat up".split())
    [True, False, True, False]
    """
    edits = align(reference, hypothesis)
    return [edit.operation == "correct" for edit in edits if edit.hypothesis is not None]


def calibration_error(
    confidences: Sequence[float],
    right: Sequence[bool],
    people: Sequence[str],
    called: str = "speakers",
    seed: int = 0,
) -> CalibrationError:
    """Measure the expected calibration error of confidences.

    The interval is the pivotal bootstrap interval (Hesterberg 2015) over whole people, expanded as for error rates (see
    `asr.scoring.bootstrap`). The error cannot be negative, so replicates are biased upwards; the pivotal interval
    subtracts this bias. It begins at 0 if the error is not above `chance`.

    Args:
        confidences: (N,) 0 to 1, at least one.
        right: (N,) whether each item is right.
        people: (N,) the person of each item.
        called: the word for the people, such as `speakers`.
        seed: the seed of the random draws.

    Raises:
        ValueError: there are no confidences, the lengths differ, or a confidence lies outside 0..1.

    >>> confidences = [0.5] * 40 + [0.9] * 40
    >>> right = [True, False] * 20 + [True] * 32 + [False] * 8  # 50 % and 80 % are right
    >>> found = calibration_error(confidences, right, people=[str(number) for number in range(80)])
    >>> round(found.error, 3), found.count
    (0.05, 80)
    >>> [(round(one.confidence, 2), one.right, one.count) for one in found.bins]
    [(0.5, 0.5, 40), (0.9, 0.8, 40)]
    """
    given, truth = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not len(given) == len(truth) == len(people) or len(given) == 0:
        raise ValueError(
            f"{len(given)} confidences, {len(truth)} outcomes and {len(people)} people; expected equal numbers, not 0"
        )
    if not ((given >= 0) & (given <= 1)).all():  # also catches NaN
        raise ValueError("a confidence is outside 0..1; expected probabilities")
    place = _bins(given)  # (N,)
    mass = np.bincount(place, minlength=BINS).astype(np.float64)  # (BINS,)
    confidence, hits = (np.bincount(place, one, BINS) for one in (given, truth))
    error = float(np.abs(confidence - hits).sum() / len(given))
    chance = _chance(given, place, seed)
    bins = tuple(
        Bin(float(c / n), float(h / n), int(n)) for c, h, n in zip(confidence, hits, mass, strict=True) if n > 0
    )
    return CalibrationError(error, _interval(given - truth, place, people, called, error, chance, seed), chance, bins)


def _bins(confidences: Floats) -> NDArray[np.int64]:
    """Return (N,) the bin of each confidence; the borders are the deciles of the confidences."""
    borders = np.sort(confidences)[len(confidences) * np.arange(1, BINS) // BINS]
    return np.searchsorted(borders, confidences, side="right").astype(np.int64)


def _chance(confidences: Floats, place: NDArray[np.int64], seed: int) -> float:
    """Return the 95th percentile of the error, if each confidence were the probability of being right."""
    order = np.argsort(confidences, kind="stable")  # sorted, so that the order of the items does not matter
    confidences, place = confidences[order], place[order]
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    random, errors = np.random.default_rng(seed), []
    for _ in range(0, _DRAWS, _ROWS):
        gaps = confidences - (random.random((_ROWS, len(confidences))) < confidences)
        errors.append(np.abs(np.add.reduceat(gaps, starts, axis=1)).sum(axis=1) / len(confidences))
    return float(np.quantile(np.concatenate(errors), 0.95))


def _interval(
    gaps: Floats,
    place: NDArray[np.int64],
    people: Sequence[str],
    called: str,
    error: float,
    chance: float,
    seed: int,
) -> Interval:
    """Return the interval of an error.

    Args:
        gaps: (N,) confidence minus outcome (0 or 1).
        place: (N,) the bin of each item.
        people: (N,) the person of each item.
        called: the word for the people.
        error: the error of the set.
        chance: see `CalibrationError`.
        seed: the seed of the draws.
    """
    known, owner = np.unique(np.asarray(people), return_inverse=True)
    if len(known) < 2:
        return Interval(None, None, len(known), called, f"an interval needs 2 {called}, there is {len(known)}")
    sums = np.zeros((len(known), 2 * BINS))  # for each person the sum of gaps, and the number of items, in each bin
    np.add.at(sums, (owner, place), gaps)
    np.add.at(sums, (owner, BINS + place), 1.0)
    sums = sums[np.lexsort(sums.T)]  # sorted, so that the names of people do not matter
    random, replicates = np.random.default_rng(seed), []
    for _ in range(0, REPLICATES, _ROWS):
        times = random.multinomial(len(known), np.full(len(known), 1 / len(known)), _ROWS)  # (_ROWS, people)
        drawn = times @ sums
        replicates.append(np.abs(drawn[:, :BINS]).sum(axis=1) / drawn[:, BINS:].sum(axis=1))
    tail = expanded_tail(0.025, len(known))
    low, high = np.quantile(np.concatenate(replicates), [tail, 1.0 - tail])
    least = 0.0 if error <= chance else max(0.0, 2 * error - high)
    return Interval(float(least), float(max(least, 2 * error - low)), len(known), called)
