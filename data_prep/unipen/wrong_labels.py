"""Segments of UNIPEN that train nothing because their label is not what is written.

`wrong_labels.tsv` lists segments of the writers that train, with the evidence: the label, what a recogniser reads, the
nats a frame by which the text that it reads is likelier than the label, and how the two differ. The rule is
`Scored.kind`; `benchmarks/wrong_labels.py` applies it. Dev and test keep all their labels, wrong ones too, so that
error rates mean what they always meant.
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
"""The nats a frame by which the reading must be likelier than the label, for each kind of difference."""
SURER = {"case": 3.0, "blanks": 3.0, "words": 5.0, "text": 2.0}
"""How many times `Scored.read_nats` the evidence must be at least: sloppy ink is read wrong, but without certainty."""
KINDS = tuple(LEAST_NATS)
LEAST_DISTANCE = 0.75
"""The errors for each character of the longer of two texts, without regard to case, that make them different texts."""
LEAST_STRETCH = 4
"""The wrong characters in a row that make another word."""
HEADER = "segment\tlabel\tread\tnats_a_frame\tkind"


@dataclass(frozen=True)
class WrongLabel:
    """A row of the table.

    Attributes:
        segment: the id of the utterance.
        label: its label, normalised; `read`: what a recogniser reads.
        evidence: nats a frame by which `read` is likelier than `label`; inf if no path of the frames spells the label.
        kind: how the two differ: one of `KINDS`.
    """

    segment: str
    label: str
    read: str
    evidence: float
    kind: str


@dataclass(frozen=True)
class Scored:
    """A label beside what a recogniser reads.

    Attributes:
        segment: the id of the utterance.
        label, read: the two texts, normalised.
        label_nats, read_nats: minus their log probabilities, summed over all paths, divided by the number of frames;
            inf where no path spells the text.
    """

    segment: str
    label: str
    read: str
    label_nats: float
    read_nats: float

    @property
    def evidence(self) -> float:
        """Nats a frame by which the reading is likelier than the label."""
        return self.label_nats - self.read_nats

    @property
    def kind(self) -> str | None:
        """How the label is wrong, one of `KINDS`; None where it may be right.

        A label is wrong if the evidence is at least `LEAST_NATS` of the kind, and at least `SURER` times `read_nats`.
        Single characters are not judged, nor the case of two: a capital c looks like a small one.
        """
        kind = difference(self.label, self.read) if min(len(self.label), len(self.read)) > 1 else None
        if kind is None:
            return None
        return kind if self.evidence >= max(LEAST_NATS[kind], SURER[kind] * self.read_nats) else None


def difference(label: str, read: str) -> str | None:
    """Name how two texts differ, one of `KINDS`; None if they are the same, or so alike that the reader may have erred.

    - `case`, `blanks`: they differ in nothing else.
    - `text`: nearly all letters and digits differ, by `LEAST_DISTANCE`.
    - `words`: at least `LEAST_STRETCH` letters and digits in a row are wrong.

    Signs do not count, because the reader knows them too little. Labels of which less than half are letters are judged
    by case and blanks alone.
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
    """Return those whose label is wrong, as rows."""
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
    """Write rows as a table, sorted by segment, behind lines of comment."""
    lines = [f"# {line}" for line in comment.splitlines()] + [HEADER]
    for row in sorted(rows, key=lambda row: row.segment):
        lines.append("\t".join((row.segment, row.label, row.read, f"{row.evidence:.2f}", row.kind)))
    return "\n".join(lines) + "\n"


def with_right_labels(utterances: Iterable[Utterance]) -> list[Utterance]:
    """Leave out the utterances that are listed, unless their label is another by now: it was corrected."""
    wrong = {row.segment: row.label for row in wrong_labels()}
    return [one for one in utterances if wrong.get(one.id) != normalise_text(one.text or "")]
