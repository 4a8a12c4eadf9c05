"""The pages of files that have several, and the same pages as one ink."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from asr.errors import DataError
from asr.ink import Ink, Stroke, read_ink
from asr.ink.reading import read_sheets
from asr.ink.sheets import Highlight, Sheet, one_ink

NOTEBOOK = """<xournal>
<page width="500" height="800">
<layer><stroke tool="pen">10 20 30 40</stroke><stroke tool="highlighter">1 2 3 4</stroke></layer>
<layer name="notes"><stroke tool="pen">7 8</stroke></layer>
</page>
<page width="500" height="100"><layer/></page>
<page width="500" height="100"><layer><stroke>1 2 3 4</stroke></layer></page>
</xournal>"""


def test_pages_of_a_notebook_have_numbers_layers_and_their_own_coordinates(tmp_path: Path) -> None:
    path = tmp_path / "notes.xopp"
    path.write_text(NOTEBOOK)
    scale = 72 / 25.4
    first, third = read_sheets(path)
    highlights = (Highlight(Stroke(np.array([[1.0, -2.0], [3.0, -4.0]])), 1),)
    ink = Ink.of([[10, -20], [30, -40]], [[7, -8]], resolution=scale)
    assert first == Sheet(ink, 1, (1, 2), True, 0.0, highlights)
    assert third == Sheet(Ink.of([[1, -2], [3, -4]], resolution=scale), 3, (1,), True, 900.0)
    whole = Ink.of([[10, -20], [30, -40]], [[7, -8]], [[1, -902], [3, -904]], resolution=scale)
    assert read_ink(path) == one_ink((first, third)) == whole


def inkml(body: str) -> str:
    return f'<ink xmlns="http://www.w3.org/2003/InkML">{body}</ink>'


GROUPS = (
    '<traceGroup><annotation type="Page">1</annotation><trace>0 0, 10 10</trace></traceGroup>'
    '<traceGroup xml:id="page-2"><trace>0 0, 20 20</trace><traceGroup xml:id="word"><trace>1 1</trace></traceGroup>'
    "</traceGroup>"
)
CANVASES = (
    '<definitions><context xml:id="a" canvasRef="#first"/><context xml:id="b" canvasRef="#second"/></definitions>'
    '<trace contextRef="#a">0 0, 10 10</trace><trace contextRef="#b">0 0, 20 20</trace>'
    '<trace contextRef="#b">1 1</trace>'
)


@pytest.mark.parametrize("body", [GROUPS, CANVASES])
def test_pages_of_inkml_are_told_by_groups_or_canvases(tmp_path: Path, body: str) -> None:
    path = tmp_path / "a.inkml"
    path.write_text(inkml(body))
    first, second = read_sheets(path)
    assert (first.number, second.number) == (1, 2)
    assert first.ink == Ink.of([[0, 0], [10, -10]])
    assert second.ink == Ink.of([[0, 0], [20, -20]], [[1, -1]])
    assert read_ink(path) == Ink.of([[0, 0], [10, -10]], [[0, -12], [20, -32]], [[1, -13]])


@pytest.mark.parametrize(
    "body",
    [
        "<trace>0 0, 10 10</trace><trace>5 5</trace>",
        "<traceGroup><trace>0 0, 10 10</trace></traceGroup><traceGroup><trace>5 5</trace></traceGroup>",
        '<traceGroup xml:id="page"><trace>0 0, 10 10</trace></traceGroup><traceGroup><trace>5 5</trace></traceGroup>',
    ],
)
def test_groups_that_are_no_pages_are_on_one(tmp_path: Path, body: str) -> None:
    path = tmp_path / "a.inkml"
    path.write_text(inkml(body))
    (sheet,) = read_sheets(path)
    assert sheet.ink == read_ink(path) == Ink.of([[0, 0], [10, -10]], [[5, -5]])


@pytest.mark.parametrize("y_axis", ["up", "down"])
def test_pages_of_json(tmp_path: Path, y_axis: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"pages": [[[[0, 1], [2, 3]]], [], [[[0, 1]]]], "y": y_axis}))
    sign = 1 if y_axis == "up" else -1
    first, third = read_sheets(path)
    assert first == Sheet(Ink.of([[0, sign], [2, 3 * sign]]), 1, (), y_axis == "down")
    assert (third.number, third.ink) == (3, Ink.of([[0, sign]]))
    heights = [stroke.points[:, 1] for stroke in read_ink(path).strokes]
    assert heights[1].max() <= heights[0].min()
    assert np.array_equal(read_ink(path).strokes[0].points, first.ink.strokes[0].points)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"pages": [], "strokes": []}, 'a.json: holds both "strokes" and "pages"; expected one of the two'),
        ({"pages": [3]}, "a.json: expected {"),
        ({"pages": []}, "a.json: holds no ink"),
        ({"pages": [[], [[[0, "x"]]]]}, "a.json: page 2, stroke 0, counted from 0: point 0 is not a list of numbers"),
    ],
)
def test_bad_pages_are_refused(tmp_path: Path, record: dict[str, object], message: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(record))
    with pytest.raises(DataError, match=message):
        read_sheets(path)


def test_pages_that_lie_below_each_other_already_are_not_moved(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"pages": [[[[0, 0], [2, -9]]], [[[0, -10], [1, -12]]]]}))
    assert read_ink(path) == Ink.of([[0, 0], [2, -9]], [[0, -10], [1, -12]])
