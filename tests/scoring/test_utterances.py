from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.scoring.edits import ErrorCounts, align, count_errors
from asr.scoring.utterances import confusions, show, utterance_row

letters = st.text("abc", max_size=8)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "shown"),
    [
        ("", "", ""),
        ("the light", "the light", "the light"),
        # THE (EDISON->ADDISON) ...: the form of icefall's error files
        ("the edison light", "the addison light", "the (edison->addison) light"),
        ("a b", "", "(a b->*)"),
        ("", "a b", "(*->a b)"),
        ("a b c", "a x y c", "a (b->x y) c"),
    ],
)
def test_alignments_read_as_icefall_writes_them(reference: str, hypothesis: str, shown: str) -> None:
    assert show(align(reference.split(), hypothesis.split())) == shown


def test_characters_are_shown_without_gaps() -> None:
    assert show(align("go home", "go hem"), joint="") == "go h(o->e)m(e->*)"


def test_a_row_holds_texts_counts_and_alignment() -> None:
    counts = {"wer": ErrorCounts(1, 0, 1, 0), "ser": ErrorCounts(0, 1, 0, 0)}
    row = utterance_row("u1", "anna", ("ja", "grün"), ("ja",), counts)
    assert json.loads(json.dumps(row)) == {
        "id": "u1",
        "speaker": "anna",
        "reference": "ja grün",
        "hypothesis": "ja",
        "counts": {
            "wer": {"correct": 1, "substitutions": 0, "deletions": 1, "insertions": 0},
            "ser": {"correct": 0, "substitutions": 1, "deletions": 0, "insertions": 0},
        },
        "alignment": "ja (grün->*)",
    }


def test_a_row_of_characters_reads_as_text() -> None:
    row = utterance_row("u1", None, tuple("go on"), tuple("gone"), {"cer": ErrorCounts()}, joint="")
    assert (row["speaker"], row["reference"], row["hypothesis"]) == (None, "go on", "gone")


def test_confusions_count_what_was_taken_for_what() -> None:
    found = confusions([(["ih", "n"], ["ix", "n"]), (["ih", "s"], ["ix", "s", "t"]), (["ih", "s"], ["ih"])])
    assert found == {("ih", "ix"): 2, (None, "t"): 1, ("s", None): 1}


@given(st.lists(st.tuples(letters, letters), max_size=4))
def test_confusions_add_up_to_the_errors(pairs: list[tuple[str, str]]) -> None:
    counts = sum((count_errors(*pair) for pair in pairs), ErrorCounts())
    assert confusions(pairs).total() == counts.errors
