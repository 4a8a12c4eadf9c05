"""What became of each utterance: a table for people who look for errors, one JSON line an utterance."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from asr.errors import DataError
from asr.scoring.edits import Edit, ErrorCounts, align

_NOTHING = "*"


@dataclass(frozen=True)
class UtteranceScore:
    """One utterance, recognised and compared.

    Attributes:
        id: of the utterance.
        speaker: None where it is not known.
        reference: tokens that the main rate compares (words, characters or labels).
        hypothesis: the same of what was recognised.
        counts: errors under each rate, by its name.
    """

    id: str
    speaker: str | None
    reference: tuple[str, ...]
    hypothesis: tuple[str, ...]
    counts: Mapping[str, ErrorCounts]


def write_utterances(path: str | Path, scores: Iterable[UtteranceScore], joint: str = " ") -> None:
    """Write `utterances.jsonl`: id, speaker, reference, hypothesis, counts of each rate, alignment.

    Args:
        path: appears under its name when it is complete.
        scores: in the order of the lines.
        joint: what stands between two tokens of a text, nothing for characters.

    Raises:
        DataError: the file cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            for score in scores:
                row = {
                    "id": score.id,
                    "speaker": score.speaker,
                    "reference": joint.join(score.reference),
                    "hypothesis": joint.join(score.hypothesis),
                    "counts": {name: asdict(counts) for name, counts in score.counts.items()},
                    "alignment": show(align(score.reference, score.hypothesis), joint),
                }
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        os.replace(temporary, path)
    except (OSError, UnicodeEncodeError) as error:
        raise DataError(f"{path} cannot be written: {error}") from error


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
