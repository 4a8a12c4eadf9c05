from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import DataError
from asr.scoring.edits import ErrorCounts, align, count_errors
from asr.scoring.utterances import UtteranceScore, confusions, show, write_utterances

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


def test_table_has_a_line_for_each_utterance(tmp_path: Path) -> None:
    one = UtteranceScore(
        "u1", "anna", ("ja", "grün"), ("ja",), {"wer": ErrorCounts(1, 0, 1, 0), "ser": ErrorCounts(0, 1, 0, 0)}
    )
    two = UtteranceScore("u2", None, (), (), {"wer": ErrorCounts(), "ser": ErrorCounts(1, 0, 0, 0)})
    write_utterances(tmp_path / "utterances.jsonl", [one, two])
    lines = (tmp_path / "utterances.jsonl").read_text(encoding="utf-8").splitlines()
    first, second = map(json.loads, lines)
    assert first == {
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
    assert (second["id"], second["speaker"], second["alignment"]) == ("u2", None, "")
    assert "grün" in lines[0]  # readable, not escaped
    assert [path.name for path in tmp_path.iterdir()] == ["utterances.jsonl"]


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"utterances\.jsonl cannot be written"):
        write_utterances(tmp_path / "missing" / "utterances.jsonl", [])


def test_confusions_count_what_was_taken_for_what() -> None:
    found = confusions([(["ih", "n"], ["ix", "n"]), (["ih", "s"], ["ix", "s", "t"]), (["ih", "s"], ["ih"])])
    assert found == {("ih", "ix"): 2, (None, "t"): 1, ("s", None): 1}


@given(st.lists(st.tuples(letters, letters), max_size=4))
def test_confusions_add_up_to_the_errors(pairs: list[tuple[str, str]]) -> None:
    counts = sum((count_errors(*pair) for pair in pairs), ErrorCounts())
    assert confusions(pairs).total() == counts.errors
