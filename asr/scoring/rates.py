"""An error rate for reports, always with its interval, its counts and the number of reference labels.

Names: `wer` (words), `cer` (characters, spaces included), `per` (labels), `ser` (whole utterances), with a suffix
for a convention (`per_39`, `per_39_no_sil`). Two conventions often differ by more than the improvement in a paper. The
number of reference labels helps to tell them apart: TIMIT's core test set, folded to 39 labels, has 7215 labels for
Kaldi and ESPnet and 7333 for k2's snowfall.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asr.plain_values import number, optional, text, whole
from asr.scoring.bootstrap import Interval, interval
from asr.scoring.edits import ErrorCounts

_UNITS = {"wer": "words", "cer": "characters", "per": "labels", "ser": "utterances"}


@dataclass(frozen=True)
class Rate:
    """The error rate of a whole set, with its interval.

    Attributes:
        counts: the error counts, summed over all utterances.
        interval: the 95 % interval, as fractions; its ends are None if there is no interval.
        unit: the word for what is counted: `words`, `characters`, `labels` or `utterances`.

    >>> print(Rate(ErrorCounts(2672, 120, 60, 51), Interval(0.072, 0.09, 24, "speakers"), "labels"))
    8.1 % [7.2, 9.0] (231 errors / 2852 reference labels; 120 sub, 60 del, 51 ins)
    """

    counts: ErrorCounts
    interval: Interval
    unit: str = "labels"

    @property
    def percent(self) -> float:
        """Errors / reference labels in percent, which may exceed 100; see `ErrorCounts.rate` for empty references."""
        return 100.0 * self.counts.rate

    @property
    def low(self) -> float | None:
        """The lower end of the interval in percent; None if there is no interval."""
        return None if self.interval.low is None else 100.0 * self.interval.low

    @property
    def high(self) -> float | None:
        """The upper end of the interval in percent; None if there is no interval."""
        return None if self.interval.high is None else 100.0 * self.interval.high

    @property
    def reference(self) -> int:
        """The number of labels (or words, ...) in all references."""
        return self.counts.reference

    @property
    def groups(self) -> int:
        """The number of speakers, or utterances, from which the interval was drawn."""
        return self.interval.groups

    def __str__(self) -> str:
        ends = "no interval" if self.low is None or self.high is None else f"{self.low:.1f}, {self.high:.1f}"
        errors = "1 error" if self.counts.errors == 1 else f"{self.counts.errors} errors"
        return (
            f"{self.percent:.1f} % [{ends}] ({errors} / {self.reference} reference {self.unit}; "
            f"{self.counts.substitutions} sub, {self.counts.deletions} del, {self.counts.insertions} ins)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for a result file; `percent` is None if there are no reference labels."""
        return {
            "percent": round(self.percent, 4) if self.reference else None,
            "low": None if self.low is None else round(self.low, 4),
            "high": None if self.high is None else round(self.high, 4),
            "reference": self.reference,
            "substitutions": self.counts.substitutions,
            "deletions": self.counts.deletions,
            "insertions": self.counts.insertions,
            "unit": self.unit,
            "groups": self.groups,
            "grouped_by": self.interval.grouped_by,
            **({"note": self.interval.note} if self.interval.note else {}),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Rate:
        """Read the values that `to_dict` returned; the interval has the digits that were written.

        Raises:
            KeyError: a count is missing.
            ValueError: a value has another type, or substitutions and deletions exceed the reference labels.
        """
        substitutions, deletions = whole(values["substitutions"]), whole(values["deletions"])
        correct = whole(whole(values["reference"]) - substitutions - deletions)
        low, high = (optional(number, values.get(end)) for end in ("low", "high"))
        interval = Interval(
            None if low is None else low / 100.0,
            None if high is None else high / 100.0,
            whole(values.get("groups", 0)),
            text(values.get("grouped_by", "")),
            text(values.get("note", "")),
        )
        counts = ErrorCounts(correct, substitutions, deletions, whole(values["insertions"]))
        return cls(counts, interval, text(values.get("unit", "labels")))


def unit_of(name: str) -> str:
    """Return the word for what a rate counts.

    >>> unit_of("per_39")
    'labels'
    """
    return _UNITS.get(name.split("_")[0], "labels")


def rate_of(
    counts: Sequence[ErrorCounts],
    speakers: Sequence[str | None] | None = None,
    unit: str = "labels",
    seed: int = 0,
    people: str = "speakers",
) -> Rate:
    """Return the rate of a set of utterances, with its interval.

    Args:
        counts: the error counts of each utterance.
        speakers: the speaker of each utterance; see `asr.scoring.bootstrap.interval`.
        unit: the word for what is counted.
        seed: the seed of the bootstrap.
        people: the word for the speakers.

    >>> print(rate_of([ErrorCounts(correct=9, substitutions=1)], unit="words"))
    10.0 % [no interval] (1 error / 10 reference words; 1 sub, 0 del, 0 ins)
    """
    return Rate(sum(counts, ErrorCounts()), interval(counts, speakers, seed, people=people), unit)
