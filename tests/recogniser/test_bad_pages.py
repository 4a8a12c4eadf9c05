"""Pages that no one would call pages: an answer or one sentence, in memory and time that are bounded."""

from __future__ import annotations

import json
import warnings

import pytest

import asr
from asr.errors import DataError
from asr.ink import Ink
from asr.ink.sheets import Sheet
from asr.recogniser import page as pages_of
from asr.recogniser.document import Document, transcribe_documents
from asr.recogniser.formats import Transcribed, json_line
from asr.recogniser.page import transcribe_page
from asr.recogniser.page_picture import svg_lines
from asr.recogniser.recogniser import Recogniser
from tests.ink.bad_pages import BAD_PAGES, many_strokes


@pytest.fixture(scope="module")
def pen() -> Recogniser:
    return asr.load("quickstart_pen")


def check(pen: Recogniser, ink: Ink) -> None:
    """Read a page: every stroke is in a line or a mark and all outputs are written, or one sentence says why not."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        (found,) = transcribe_documents(pen, [[Sheet(ink)]])
        if isinstance(found, DataError):
            assert len(found.lines) == 1
            assert "\n" not in str(found)
            return
        assert isinstance(found, Document)
        (page,) = found.pages
        owned = [k for line in page.lines for k in line.strokes] + [k for mark in page.marks for k in mark.strokes]
        assert sorted(owned) == list(range(len(ink.strokes)))
        assert json.loads(json_line(Transcribed("a", "", found)))["pages"]
        assert "nan" not in "".join(svg_lines(found, "a"))


@pytest.mark.parametrize("kind", BAD_PAGES)
def test_what_is_no_page_gets_an_answer_or_a_sentence(kind: str, pen: Recogniser) -> None:
    make, few, _ = BAD_PAGES[kind]
    check(pen, make(few))


@pytest.mark.slow
@pytest.mark.parametrize("kind", BAD_PAGES)
def test_so_does_as_much_of_it_as_there_may_be(kind: str, pen: Recogniser) -> None:
    make, _, many = BAD_PAGES[kind]
    check(pen, make(many))


def test_too_many_strokes_are_refused_before_they_are_cut(pen: Recogniser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_of, "MAX_STROKES", 299)
    monkeypatch.setattr(pages_of, "analyse", None)
    with pytest.raises(DataError, match="a page with 300 strokes, more than 299; cut it into smaller pages"):
        transcribe_page(pen, many_strokes(300))


def test_too_much_ink_is_refused_before_it_is_recognised(pen: Recogniser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_of, "MAX_INK", 10.0)
    monkeypatch.setattr(pages_of, "transcribe_each", lambda recogniser, inks, **options: iter([]))
    with pytest.raises(
        DataError, match=r"a page whose ink is \d+ times as long as its lines are high, more than 10: a scr"
    ):
        transcribe_page(pen, many_strokes(300))
