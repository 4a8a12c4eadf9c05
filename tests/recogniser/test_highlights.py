"""Highlighter strokes of a page become marks, and the rest of the page stays the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import asr
from asr.ink import Ink, Stroke
from asr.ink.reading import read_sheets
from asr.ink.sheets import Highlight, Sheet
from asr.recogniser.document import Document, ReadMark, ReadPage, transcribe_documents
from asr.recogniser.recogniser import Recogniser


@pytest.fixture(scope="module")
def pen() -> Recogniser:
    return asr.load("quickstart_pen")


def read(pen: Recogniser, sheet: Sheet) -> ReadPage:
    (found,) = transcribe_documents(pen, [[sheet]])
    assert isinstance(found, Document)
    return found.pages[0]


@pytest.mark.parametrize("y_down", [True, False])
def test_each_stroke_is_a_mark_with_its_box_in_the_file(pen: Recogniser, y_down: bool) -> None:
    strokes = [np.array([[0.0, -2.0], [5.0, -4.0]]), np.array([[9.0, 1.0]])]
    sheet = Sheet(
        Ink.of([[0, 0], [0, -10]]), y_down=y_down, highlights=tuple(Highlight(Stroke(one)) for one in strokes)
    )
    marks = read(pen, sheet).marks
    boxes = [(0.0, 2.0, 5.0, 2.0), (9.0, -1.0, 0.0, 0.0)] if y_down else [(0.0, -4.0, 5.0, 2.0), (9.0, 1.0, 0.0, 0.0)]
    assert marks == tuple(ReadMark("highlighter", (), box, (k,)) for k, box in enumerate(boxes))


def test_lines_and_other_marks_are_the_same(pen: Recogniser, shared_cases: Path) -> None:
    (sheet,) = read_sheets(shared_cases / "inkml_highlighter" / "i_ms_highlighter_zigzag.inkml")
    found, bare = read(pen, sheet), read(pen, replace(sheet, highlights=()))
    assert found.lines == bare.lines
    assert found.marks[: len(bare.marks)] == bare.marks
    assert {mark.kind for mark in found.marks[len(bare.marks) :]} == {"highlighter"}
    assert len(found.marks) == len(bare.marks) + len(sheet.highlights)
