"""Report the errors of each utterance: alignments as text, and counts of confused labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from asr.plain_values import optional, record, text, whole
from asr.scoring.edits import Edit, ErrorCounts, align, count_errors
from asr.scoring.named_rates import Fold, InventoryUnit, tokens
from asr.scoring.rates import Rate, rate_of, unit_of

_NOTHING = "*"


@dataclass(frozen=True)
class UtteranceScore:
    """The errors of an utterance: a line of `utterances.jsonl`.

    Attributes:
        id: the id of the utterance.
        speaker: the speaker; None if unknown.
        reference: the tokens of the reference that the first rate compares, as text.
        hypothesis: the tokens of the hypothesis, as text.
        counts: the error counts under each rate, by name.
        alignment: the alignment under the first rate, in the form of `show`.
    """

    id: str
    speaker: str | None
    reference: str
    hypothesis: str
    counts: Mapping[str, ErrorCounts]
    alignment: str

    def to_dict(self) -> dict[str, Any]:
        """Return the score as plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> UtteranceScore:
        """Read the values that `to_dict` returned.

        Raises:
            KeyError, TypeError, ValueError: a field is missing or has another type, or the counts have other fields.
        """
        return cls(
            id=text(values["id"]),
            speaker=optional(text, values["speaker"]),
            reference=text(values["reference"]),
            hypothesis=text(values["hypothesis"]),
            counts={name: _counts(each) for name, each in record(values["counts"]).items()},
            alignment=text(values["alignment"]),
        )


def _counts(values: object) -> ErrorCounts:
    return ErrorCounts(**{name: whole(count) for name, count in record(values).items()})


def score_utterance(
    utterance_id: str,
    speaker: str | None,
    reference: Sequence[str],
    hypothesis: Sequence[str],
    rates: Sequence[str],
    unit: InventoryUnit,
    fold: Fold,
) -> UtteranceScore:
    """Count the errors of an utterance under each rate.

    Args:
        utterance_id: the id of the utterance.
        speaker: the speaker; None if unknown.
        reference: the symbols of the reference.
        hypothesis: the symbols of the hypothesis.
        rates: names in `asr.scoring.named_rates.RATES`, at least one; the first is shown in the alignment.
        unit: the unit of the inventory.
        fold: see `Fold`.

    Raises:
        DataError: the folding table of a rate lacks a label.

    >>> from asr.corpus.phonemes import fold
    >>> score_utterance("1", "anna", "two cats", "two hats", ["wer", "cer"], "characters", fold).alignment
    'two (cats->hats)'
    """
    pairs = {rate: (tokens(rate, reference, unit, fold), tokens(rate, hypothesis, unit, fold)) for rate in rates}
    joint = "" if unit_of(rates[0]) == "characters" else " "
    shown = pairs[rates[0]]
    return UtteranceScore(
        id=utterance_id,
        speaker=speaker,
        reference=joint.join(shown[0]),
        hypothesis=joint.join(shown[1]),
        counts={rate: count_errors(*pair) for rate, pair in pairs.items()},
        alignment=show(align(*shown), joint),
    )


def rates_of(scores: Sequence[UtteranceScore], people: str = "speakers") -> dict[str, Rate]:
    """Compute the rates of a set from the counts of its utterances, with intervals over its speakers.

    Args:
        scores: the scores of the utterances, all under the same rates; for no scores, there are no rates.
        people: the word for the speakers.

    >>> from asr.corpus.phonemes import fold
    >>> pairs = [("two cats", "two hats"), ("no dogs", "no dogs")]
    >>> scores = [score_utterance(ref, None, ref, hyp, ["wer"], "characters", fold) for ref, hyp in pairs]
    >>> rates_of(scores)["wer"].percent
    25.0
    """
    speakers = [score.speaker for score in scores]
    return {
        rate: rate_of([score.counts[rate] for score in scores], speakers, unit_of(rate), people=people)
        for rate in (scores[0].counts if scores else ())
    }


def show(edits: Sequence[Edit], joint: str = " ") -> str:
    """Return an alignment as text: errors as (reference->hypothesis), with `*` for nothing.

    Neighbouring errors are joined, as in the error files of icefall.

    Args:
        edits: the steps of the alignment.
        joint: the text between two tokens.

    >>> show(align("THE EDISON LIGHT WENT".split(), "THE ADDISON LIGHT".split()))
    'THE (EDISON->ADDISON) LIGHT (WENT->*)'
    """
    parts = []
    for right, group in groupby(edits, key=lambda edit: edit.operation == "correct"):
        run = list(group)
        reference = joint.join(edit.reference for edit in run if edit.reference is not None)
        hypothesis = joint.join(edit.hypothesis for edit in run if edit.hypothesis is not None)
        parts.append(reference if right else f"({reference or _NOTHING}->{hypothesis or _NOTHING})")
    return joint.join(parts)


def confusions(
    pairs: Iterable[tuple[Sequence[str], Sequence[str]]],
) -> Counter[tuple[str | None, str | None]]:
    """Count how often each label was confused with another, over all (reference, hypothesis) pairs.

    Returns:
        Counts of (reference label, hypothesis label), without correct labels. The second is None for a deletion, the
        first for an insertion.

    >>> confusions([("cat", "hat"), ("cat", "hats")]).most_common(1)
    [(('c', 'h'), 2)]
    """
    return Counter(
        (edit.reference, edit.hypothesis)
        for reference, hypothesis in pairs
        for edit in align(reference, hypothesis)
        if edit.operation != "correct"
    )
