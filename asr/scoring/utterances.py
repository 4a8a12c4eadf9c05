"""What became of each utterance, for people who look for errors: alignments as text, and what was taken for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from asr.scoring.edits import Edit, ErrorCounts, align

_NOTHING = "*"


def utterance_row(
    utterance_id: str,
    speaker: str | None,
    reference: Sequence[str],
    hypothesis: Sequence[str],
    counts: Mapping[str, ErrorCounts],
    joint: str = " ",
) -> dict[str, Any]:
    """A line of `utterances.jsonl` as plain values.

    Args:
        utterance_id: of the utterance.
        speaker: None where it is not known.
        reference: tokens that the main rate compares (words, characters or labels).
        hypothesis: the same of what was recognised.
        counts: errors under each rate, by its name.
        joint: what stands between two tokens of a text, nothing for characters.
    """
    return {
        "id": utterance_id,
        "speaker": speaker,
        "reference": joint.join(reference),
        "hypothesis": joint.join(hypothesis),
        "counts": {name: asdict(each) for name, each in counts.items()},
        "alignment": show(align(reference, hypothesis), joint),
    }


def show(edits: Sequence[Edit], joint: str = " ") -> str:
    """An alignment as text: what is right as it is, what is wrong as (reference->hypothesis), `*` for nothing.

    Neighbouring errors stand together; the form is that of the error files of icefall.

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
    """How often each label was taken for another, over all (reference, hypothesis) pairs.

    Returns:
        counts of (reference label, hypothesis label); a deletion has None for the second, an insertion for the first.
        What was right is not counted.

    >>> confusions([("cat", "hat"), ("cat", "hats")]).most_common(1)
    [(('c', 'h'), 2)]
    """
    return Counter(
        (edit.reference, edit.hypothesis)
        for reference, hypothesis in pairs
        for edit in align(reference, hypothesis)
        if edit.operation != "correct"
    )
