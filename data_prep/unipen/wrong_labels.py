"""Segments of UNIPEN that are left out of training because their labels are wrong.

`wrong_labels.tsv` lists segments of training writers with the evidence: the label, the text that a recogniser reads,
by how many nats per frame this text is more likely than the label, and how the two differ. `Scored.kind` is the rule;
`benchmarks/wrong_labels.py` applies it. Dev and test keep all labels, even wrong ones, so that error rates stay
comparable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby

from asr.corpus.utterance import Utterance
from asr.scoring.edits import align
from asr.text import normalise_text

LEAST_NATS = {"case": 0.25, "blanks": 0.15, "words": 0.2, "text": 0.4}
"""Least evidence in nats per frame for each kind of difference; see `Scored.evidence`."""
SURER = {"case": 3.0, "blanks": 3.0, "words": 5.0, "text": 2.0}
"""Least ratio of evidence to `Scored.read_nats`: sloppy ink is often read wrong, but with low probability."""
KINDS = tuple(LEAST_NATS)
LEAST_DISTANCE = 0.75
"""Least number of errors per character of the longer text, without case, for the kind `text`."""
LEAST_STRETCH = 4
"""Least number of wrong characters in a row for the kind `words`."""
HEADER = "segment\tlabel\tread\tnats_a_frame\tkind"


@dataclass(frozen=True)
class WrongLabel:
    """A row of the table.

    Attributes:
        segment: the id of the utterance.
        label: its label, normalised.
        read: the text that a recogniser reads.
        evidence: by how many nats per frame `read` is more likely than `label`; inf if the label needs more frames.
        kind: how the two differ, one of `KINDS`.
    """

    segment: str
    label: str
    read: str
    evidence: float
    kind: str


@dataclass(frozen=True)
class Scored:
    """A label and the text that a recogniser reads, with their probabilities.

    Attributes:
        segment: the id of the utterance.
        label, read: the two texts, normalised.
        label_nats, read_nats: their negative log probabilities (sums over all paths) per frame; inf if no path spells
            the text.
    """

    segment: str
    label: str
    read: str
    label_nats: float
    read_nats: float

    @property
    def evidence(self) -> float:
        """By how many nats per frame the reading is more likely than the label."""
        return self.label_nats - self.read_nats

    @property
    def kind(self) -> str | None:
        """How the label is wrong, one of `KINDS`; None if it may be right.

        A label is wrong if the evidence is at least `LEAST_NATS` of the kind, and at least `SURER` times `read_nats`.
        Single characters are never wrong, nor is the case of two characters, because some capitals look like small
        letters.
        """
        kind = difference(self.label, self.read) if min(len(self.label), len(self.read)) > 1 else None
        if kind is None:
            return None
        return kind if self.evidence >= max(LEAST_NATS[kind], SURER[kind] * self.read_nats) else None


def difference(label: str, read: str) -> str | None:
    """Return how two texts differ, one of `KINDS`; None if they are equal or so similar that the reader may be wrong.

    - `case`, `blanks`: they differ only in case or only in spaces.
    - `text`: most letters and digits differ, see `LEAST_DISTANCE`.
    - `words`: at least `LEAST_STRETCH` letters and digits in a row are wrong.

    Other signs are ignored, because recognisers read them less well. If less than half of a label are letters, only
    case and spaces are compared.

    >>> difference("Paris", "PARIS"), difference("in deed", "indeed"), difference("hand", "band")
    ('case', 'blanks', None)
    """
    if label == read:
        return None
    label, read = label.lower(), read.lower()
    if label == read:
        return "case" if len(label) > 2 else None
    if label.replace(" ", "") == read.replace(" ", ""):
        return "blanks"
    if 2 * sum(map(str.isalpha, label)) < len(label.replace(" ", "")):
        return None
    label, read = (normalise_text("".join(one if one.isalnum() else " " for one in text)) for text in (label, read))
    if label == read or not label or not read:
        return None
    wrong = [edit.operation != "correct" for edit in align(label, read)]
    if sum(wrong) >= LEAST_DISTANCE * max(len(label), len(read)):
        return "text"
    stretches = (len(list(stretch)) for is_wrong, stretch in groupby(wrong) if is_wrong)
    return "words" if max(stretches) >= LEAST_STRETCH else None


def wrong_ones(scored: Iterable[Scored]) -> list[WrongLabel]:
    """Return a row for each label that is wrong."""
    kinds = ((one, one.kind) for one in scored)
    return [WrongLabel(one.segment, one.label, one.read, one.evidence, kind) for one, kind in kinds if kind is not None]


@cache
def wrong_labels() -> tuple[WrongLabel, ...]:
    """Return the rows of `wrong_labels.tsv`, in the order of their segments."""
    return rows_of(files("data_prep.unipen").joinpath("wrong_labels.tsv").read_text(encoding="utf-8"))


def rows_of(table: str) -> tuple[WrongLabel, ...]:
    """Return the rows of a table that `table_of` wrote."""
    lines = [line.split("\t") for line in table.split("\n") if line and not line.startswith("#")]
    return tuple(WrongLabel(one, label, read, float(nats), kind) for one, label, read, nats, kind in lines[1:])


def table_of(rows: Iterable[WrongLabel], comment: str) -> str:
    """Return the text of a table: lines of comment, then the rows sorted by segment."""
    lines = [f"# {line}" for line in comment.splitlines()] + [HEADER]
    for row in sorted(rows, key=lambda row: row.segment):
        lines.append("\t".join((row.segment, row.label, row.read, f"{row.evidence:.2f}", row.kind)))
    return "\n".join(lines) + "\n"


def with_right_labels(utterances: Iterable[Utterance]) -> list[Utterance]:
    """Return the utterances without those of the table; one whose label has changed since (was corrected) is kept."""
    wrong = {row.segment: row.label for row in wrong_labels()}
    return [one for one in utterances if wrong.get(one.id) != normalise_text(one.text or "")]
