"""The expected calibration error: the distance between confidences and the share of right ones.

Confidences are put into ten bins of equal mass, and the error is the mean distance, over all confidences, of a bin's
mean confidence to its share of right ones (Naeini, Cooper and Hauskrecht 2015, "Obtaining well calibrated
probabilities using Bayesian binning"; bins of equal mass: Nixon et al. 2019, "Measuring calibration in deep
learning"). Equal confidences stay in one bin, so the order of the words plays no part.

Chance alone gives an error above zero: with a few hundred words, a perfectly calibrated recogniser has 1 to 2 %.
So the error that a calibrated recogniser with the same confidences stays below in 95 of 100 test sets is given, too.
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
_DRAWS = 2000  # test sets of a calibrated recogniser
_ROWS = 100  # drawn at once

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bin:
    """Confidences that are close to each other.

    Attributes:
        confidence: their mean.
        right: the share of right ones.
        count: how many there are.
    """

    confidence: float
    right: float
    count: int


@dataclass(frozen=True)
class CalibrationError:
    """The expected calibration error of a set, as a fraction, with its uncertainty.

    Attributes:
        error: the mean distance of confidence and share of right ones.
        interval: 95 %, over people.
        chance: what a calibrated recogniser with these confidences stays below in 95 of 100 sets of this size.
        bins: from the least to the most confident; empty bins are left out.
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
        """Return the fields of a result file; numbers have six decimals."""
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
            ValueError: a value of another type.
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
    """Return, for each token of a hypothesis, whether it is right: aligned with an equal one of the reference.

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

    The interval is the pivotal one (Hesterberg 2015) over replicates of whole people, moved outwards as that of error
    rates is (see `asr.scoring.bootstrap`). The replicates of an error that cannot be negative lie above it; the pivotal
    interval takes the same distance off again. It begins at 0 where the error is not above `chance`.

    Args:
        confidences: (N,) 0 to 1, at least one.
        right: (N,) whether each was right.
        people: (N,) the person of each; the bootstrap draws whole people.
        called: the word for the people, such as `speakers`.
        seed: the seed of the random draws.

    Raises:
        ValueError: there are no confidences, the lengths differ, or a confidence lies outside 0..1.
    """
    given, truth = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not len(given) == len(truth) == len(people) or len(given) == 0:
        raise ValueError(f"{len(given)} confidences, {len(truth)} outcomes and {len(people)} people; expected as many")
    if not ((given >= 0) & (given <= 1)).all():  # also catches NaN
        raise ValueError("a confidence lies outside 0..1")
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
    """Return the bin of each confidence; borders lie at the tenths of the sorted confidences."""
    borders = np.sort(confidences)[len(confidences) * np.arange(1, BINS) // BINS]
    return np.searchsorted(borders, confidences, side="right").astype(np.int64)


def _chance(confidences: Floats, place: NDArray[np.int64], seed: int) -> float:
    """Return the 95th percentile of the error if each confidence were the probability of being right."""
    order = np.argsort(confidences, kind="stable")  # by value: the order of the words plays no part
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
    """Return the interval of an error; `gaps` (N,) are confidences less outcomes."""
    known, owner = np.unique(np.asarray(people), return_inverse=True)
    if len(known) < 2:
        return Interval(None, None, len(known), called, f"an interval needs 2 {called}, there is {len(known)}")
    sums = np.zeros((len(known), 2 * BINS))  # of gaps, and how many, by person and bin
    np.add.at(sums, (owner, place), gaps)
    np.add.at(sums, (owner, BINS + place), 1.0)
    sums = sums[np.lexsort(sums.T)]  # the names of people play no part
    random, replicates = np.random.default_rng(seed), []
    for _ in range(0, REPLICATES, _ROWS):
        times = random.multinomial(len(known), np.full(len(known), 1 / len(known)), _ROWS)  # (_ROWS, people)
        drawn = times @ sums
        replicates.append(np.abs(drawn[:, :BINS]).sum(axis=1) / drawn[:, BINS:].sum(axis=1))
    tail = expanded_tail(0.025, len(known))
    low, high = np.quantile(np.concatenate(replicates), [tail, 1.0 - tail])
    least = 0.0 if error <= chance else max(0.0, 2 * error - high)
    return Interval(float(least), float(max(least, 2 * error - low)), len(known), called)
