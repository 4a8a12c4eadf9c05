"""Nothing foreign that is printed steers a terminal."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import DataError, Problems
from asr.printable import printable, printable_json

ANY_TEXT = st.text(st.characters(exclude_categories=[]))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb\tc\rd\x00", r"a\nb\tc\rd\x00"),
        ("\x7f\x9b31m", r"\x7f\x9b31m"),
        ("user\u202egnp.exe\u2066", r"user\u202egnp.exe\u2066"),
        ("one\u2028two", r"one\u2028two"),
        (os.fsdecode(b"caf\xe9"), r"caf\xe9"),
        ("\ud800", r"\ud800"),
        ("Straße, naïve, 東京, שלום, e\u0301, \u200d, \\x1b", "Straße, naïve, 東京, שלום, e\u0301, \u200d, \\x1b"),
    ],
)
def test_what_steers_is_shown_as_an_escape_and_all_else_as_it_is(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_paths_and_characters_that_stay() -> None:
    assert printable(Path("a\x1bb")) == r"a\x1bb"
    assert printable("a\n\x1b", keep="\n\t") == "a\n\\x1b"


@given(ANY_TEXT)
def test_printing_twice_changes_nothing_and_any_terminal_takes_it(text: str) -> None:
    once = printable(text)
    assert printable(once) == once
    once.encode("utf-8")
    assert len(once.splitlines()) <= 1


@given(
    st.recursive(st.none() | st.integers() | ANY_TEXT, lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner))
)
def test_json_stays_json(value: object) -> None:
    line = printable_json(value)
    assert printable(line) == line
    assert json.loads(line) == value


def test_a_list_of_problems_keeps_its_lines_and_no_other() -> None:
    problems = Problems(["a\nerror: all is lost\x1b[m", "b"], what="x\ny")
    assert problems.lines == [r"2 problems in x\ny:", r"  a\nerror: all is lost\x1b[m", "  b"]
    assert str(problems) == "\n".join(problems.lines)
    assert DataError("one\ntwo").lines == ["one\ntwo"]
