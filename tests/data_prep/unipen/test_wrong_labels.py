from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from asr.text import normalise_text
from data_prep import read_corpus
from data_prep.unipen import reader as unipen
from data_prep.unipen import wrong_labels as module
from data_prep.unipen.reader import CATEGORIES
from data_prep.unipen.wrong_labels import (
    KINDS,
    LEAST_NATS,
    SURER,
    Scored,
    WrongLabel,
    difference,
    rows_of,
    table_of,
    wrong_labels,
    wrong_ones,
)

from .tree import write_folder

TEXT = some.text(some.characters(codec="utf-8"), max_size=12).map(normalise_text)
A_ROW = some.builds(
    WrongLabel,
    segment=some.from_regex(r"[1-8][a-d]?-[a-z]{3}-[0-9a-f]{8}-[0-9]{4}", fullmatch=True),
    label=TEXT,
    read=TEXT,
    evidence=some.integers(0, 900).map(lambda hundredths: hundredths / 100) | some.just(math.inf),
    kind=some.sampled_from(KINDS),
)


@given(some.lists(A_ROW, max_size=4, unique_by=lambda row: row.segment))
def test_a_table_gives_its_rows_back(rows: list[WrongLabel]) -> None:
    assert list(rows_of(table_of(rows, "two\nlines"))) == sorted(rows, key=lambda row: row.segment)


@pytest.mark.parametrize(
    ("label", "read", "expected"),
    [
        ("TABLE", "table", "case"),
        ("IS", "is", None),
        ("in to", "into", "blanks"),
        ("In to", "INTO", "blanks"),
        ("Word!", "people filling", "text"),
        ("Word", "Ward", None),  # one of four: the reader may err
        ("Judge had found it", "Judge had last it", "words"),
        ("more pleasant if", "pleasant if", "words"),
        ("Larger Lasted Lets", "harger hasted hets", None),  # one in a row
        ("same", "same", None),
        ("GNP ........ 4.1", "GNP .. 4.1", None),
        ("x = y", "???", None),
    ],
)
def test_differences(label: str, read: str, expected: str | None) -> None:
    assert difference(label, read) == expected
    assert difference(read, label) == expected


def test_labels_of_signs_are_not_judged_as_words() -> None:
    assert difference("1 + 2 = a", "plainly other") is None
    assert difference("one + 2 = a", "plainly other") == "text"


@pytest.mark.parametrize(
    ("label", "read", "expected"),
    [
        ("TABLE", "table", "case"),
        ("in to", "into", "blanks"),
        ("Judge had found it", "Judge had last it", "words"),
        ("one", "three", "text"),
    ],
)
def test_the_rule(label: str, read: str, expected: str) -> None:
    def kind(evidence: float, read_nats: float) -> str | None:
        return Scored("6-aaa-00000000-0000", label, read, read_nats + evidence, read_nats).kind

    least, surer = LEAST_NATS[expected], SURER[expected]
    assert kind(least + 0.01, 0.0) == kind(math.inf, 9.0) == expected
    assert kind(least - 0.01, 0.0) is None
    assert kind(surer + 0.01, 1.0) == expected
    assert kind(surer - 0.01, 1.0) is None


def test_single_characters_are_not_judged() -> None:
    for label, read in (("C", "c"), ("C", "quite another"), ("one", "")):
        assert Scored("6-aaa-00000000-0000", label, read, math.inf, 0.0).kind is None


def test_what_is_wrong_becomes_a_row() -> None:
    right, wrong = Scored("a", "one", "one", 0.01, 0.01), Scored("b", "ONE", "one", math.inf, 0.01)
    assert wrong_ones([right, wrong]) == [WrongLabel("b", "ONE", "one", math.inf, "case")]


def test_the_table_is_in_order() -> None:
    rows = wrong_labels()
    ids = [row.segment for row in rows]
    assert ids == sorted(set(ids))
    for row in rows:
        assert re.fullmatch(r"[1-8][a-d]?-[a-z]{3}-[0-9a-f]{8}-[0-9]{4}", row.segment)
        assert row.segment.partition("-")[0] in CATEGORIES
        assert row.evidence >= LEAST_NATS[row.kind] - 0.005
        assert difference(row.label, row.read) == row.kind


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """List all segments of a release, `One`, `Two`, `Three` (dev) and `Four` (test), but `Two` as `Tow`."""
    options: dict[str, object] = {"root": str(write_folder(tmp_path / "release")), "cache": str(tmp_path / "cache")}
    everybody = [
        one for split in read_corpus("unipen", {**options, "leave_out_wrong": False}).values() for one in split
    ]
    assert [one.text for one in everybody] == ["One", "Two", "Three", "Four"]
    held_out = {str(everybody[2].speaker): "dev", str(everybody[3].speaker): "test"}
    monkeypatch.setattr(unipen, "held_out", lambda: held_out)
    listed = [(one.id, "Tow" if one.text == "Two" else str(one.text)) for one in everybody]
    rows = tuple(WrongLabel(segment, label, "x", 1.0, "text") for segment, label in listed)
    monkeypatch.setattr(module, "wrong_labels", lambda: rows)
    return options


def test_wrong_labels_do_not_train_and_are_tested(options: dict[str, object]) -> None:
    found = read_corpus("unipen", options)
    texts = {split: [one.text for one in found[split]] for split in ("train", "dev", "test")}
    assert texts == {"train": ["Two"], "dev": ["Three"], "test": ["Four"]}, "the corrected label trains"


def test_they_train_where_that_is_asked_for(options: dict[str, object]) -> None:
    found = read_corpus("unipen", {**options, "leave_out_wrong": False})
    assert [one.text for one in found["train"]] == ["One", "Two"]
