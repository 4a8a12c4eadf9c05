"""Highlighter strokes: kept beside the ink of a page, which stays the same with and without them."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from asr.errors import DataError
from asr.ink import Ink, assembling, read_ink, write_store
from asr.ink.reading import read_sheets
from asr.ink.sheets import Sheet
from asr.seeds import generator
from tests.mutations import mutated

XOPP = """<xournal><page width="9" height="100">
<layer><stroke tool="highlighter">1 2 3 4</stroke><stroke tool="pen">10 20 30 40</stroke></layer>
<layer><stroke tool="pen">7 8</stroke><stroke tool="eraser">5 5 6 6</stroke>
<stroke tool="highlighter">5 6</stroke></layer></page>
<page width="9" height="100"><layer><stroke tool="highlighter">9 9 8 8</stroke></layer></page>
<page width="9" height="100"><layer><stroke>1 2 3 4</stroke><stroke tool="highlighter">0 0</stroke></layer></page>
</xournal>"""
INKML = """<ink xmlns="http://www.w3.org/2003/InkML"><definitions><brush xml:id="h">
<brushProperty name="rasterOp" value="maskPen"/></brush></definitions>
<traceGroup xml:id="page-1"><trace brushRef="#h">1 2, 3 4</trace><trace>10 20, 30 40</trace>
<trace brushRef="#h" type="penUp">8 8</trace><trace>7 8</trace><trace brushRef="#h">5 6</trace></traceGroup>
<traceGroup xml:id="page-2"><trace brushRef="#h">9 9, 8 8</trace></traceGroup>
<traceGroup xml:id="page-3"><trace>1 2, 3 4</trace><trace brushRef="#h">0 0</trace></traceGroup></ink>"""
FILES = {"a.xopp": XOPP, "a.inkml": INKML}
_HIGHLIGHTERS = re.compile(r'<stroke tool="highlighter">[^<]*</stroke>|<trace brushRef="#h"[^<]*</trace>')


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def points(sheet: Sheet) -> list[list[list[float]]]:
    return [one.stroke.points.tolist() for one in sheet.highlights]


@pytest.mark.parametrize("name", FILES)
def test_pages_keep_the_strokes_of_highlighters(tmp_path: Path, name: str) -> None:
    first, last = read_sheets(written(tmp_path, name, FILES[name]))
    assert points(first) == [[[1, -2], [3, -4]], [[5, -6]]]
    assert points(last) == [[[0, 0]]]  # in the coordinates of its page; the page without ink is left out
    layers = [one.layer for sheet in (first, last) for one in sheet.highlights]
    assert layers == ([1, 2, 1] if name == "a.xopp" else [None] * 3)


@pytest.mark.parametrize("name", FILES)
def test_the_ink_is_the_same_without_them(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name, FILES[name])
    bare = written(tmp_path, f"bare-{name}", _HIGHLIGHTERS.sub("", FILES[name]))
    assert "highlighter" not in bare.read_text()
    assert 'brushRef="#h"' not in bare.read_text()
    numbers = [1, 3] if name == "a.xopp" else [1, 2]
    assert [sheet.number for sheet in read_sheets(path)] == [sheet.number for sheet in read_sheets(bare)] == numbers
    assert read_ink(path) == read_ink(bare)
    for one in (path, bare):
        write_store(one.with_suffix(".inks"), [read_ink(one)])
    assert path.with_suffix(".inks").read_bytes() == bare.with_suffix(".inks").read_bytes()


def test_a_highlighter_of_office(shared_cases: Path) -> None:
    folder = shared_cases / "inkml_highlighter"
    (bare,) = read_sheets(folder / "i_ms_no_highlighter.inkml")
    (sheet,) = read_sheets(folder / "i_ms_highlighter_zigzag.inkml")
    assert (sheet.ink, len(bare.highlights)) == (bare.ink, 0)
    assert sheet.highlights
    _, low, _, high = sheet.ink.bounds()
    for _, y in np.concatenate(points(sheet)):
        assert low <= y <= high  # over the words


def test_a_highlighter_of_inkml_may_go_on_in_another_trace(tmp_path: Path) -> None:
    body = (
        '<trace brushRef="#h" xml:id="a" continuation="begin">1 2</trace><trace xml:id="b">0 0</trace>'
        '<trace brushRef="#h" continuation="end" priorRef="#a">3 4</trace>'
        '<trace continuation="end" priorRef="#a">5 5</trace></ink>'
    )
    (sheet,) = read_sheets(written(tmp_path, "a.inkml", INKML[: INKML.index("<traceGroup")] + body))
    assert points(sheet) == [[[1, -2], [3, -4]]]
    assert sheet.ink == Ink.of([[0, 0]], [[5, -5]])  # a pen does not continue a highlighter


def test_a_highlighter_of_inkml_has_the_scale_of_the_ink(tmp_path: Path) -> None:
    forms = "".join(
        f'<context xml:id="{unit}"><traceFormat><channel name="X" units="{unit}"/><channel name="Y" units="{unit}"/>'
        "</traceFormat></context>"
        for unit in ("mm", "cm")
    )
    start = INKML[: INKML.index("<traceGroup")].replace("</definitions>", forms + "</definitions>")
    body = '<trace contextRef="#mm">10 10</trace><trace contextRef="#cm" brushRef="#h">1 2</trace></ink>'
    (sheet,) = read_sheets(written(tmp_path, "a.inkml", start + body))
    assert (sheet.ink.points().tolist(), sheet.ink.resolution) == ([[10, -10]], 1.0)
    assert points(sheet) == [[[pytest.approx(10), pytest.approx(-20)]]]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("bad", ["", "x", "1", "nan 1", "1 1e999", "9" * 400 + " 1", "1 2,' 3"])
def test_a_damaged_highlighter_changes_nothing_and_is_left_out(tmp_path: Path, name: str, bad: str) -> None:
    text = FILES[name].replace('highlighter">1 2 3 4<', f'highlighter">{bad}<').replace("1 2, 3 4<", f"{bad}<", 1)
    assert text != FILES[name]
    path = written(tmp_path, name, text)  # every warning is an error in the tests
    first, _ = read_sheets(path)
    assert points(first) == [[[5, -6]]]
    assert read_ink(path) == read_ink(written(tmp_path, f"whole-{name}", FILES[name]))


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_highlighters_alone_holds_no_ink(tmp_path: Path, name: str) -> None:
    text = FILES[name].replace('"pen"', '"highlighter"').replace("<stroke>", '<stroke tool="highlighter">')
    path = written(tmp_path, name, text.replace("<trace>", '<trace brushRef="#h">'))
    with pytest.raises(DataError, match="holds no ink"):
        read_sheets(path)


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_a_bounded_number_of_them(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembling, "MAX_HIGHLIGHTS", 1)
    path = written(tmp_path, name, FILES[name])
    assert [len(sheet.highlights) for sheet in read_sheets(path)] == [1, 0]
    assert len(read_ink(path).strokes) == 3


@pytest.mark.parametrize("name", FILES)
def test_whatever_happens_to_a_file_they_are_finite(tmp_path: Path, name: str) -> None:
    path, kept = tmp_path / name, 0
    for k in range(300):
        path.write_bytes(mutated(FILES[name].encode(), generator("highlights", name, k)))
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            warnings.simplefilter("ignore", UserWarning)
            try:
                sheets = read_sheets(path)
            except DataError:
                continue
        found = [one for sheet in sheets for one in sheet.highlights]
        assert all(np.isfinite(one.stroke.points).all() for one in found)
        kept += bool(found)
    assert kept > 10
