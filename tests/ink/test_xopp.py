from __future__ import annotations

import gzip

import pytest

from asr.errors import DataError, DataWarning
from asr.ink import Ink, read_ink

NOTEBOOK = """<?xml version="1.0" standalone="no"?>
<xournal creator="Xournal++ 1.2.3" fileversion="4">
<title>Xournal++ document - see https://xournalpp.github.io/</title>
<preview>iVBORw0KGgo=</preview>
<page width="595.27559100" height="841.5">
<background type="solid" color="#ffffffff" style="graph"/>
<layer>
<stroke tool="pen" color="#3333ccff" width="1.41 1.2 1.3">10 20 30 40.5 50 60</stroke>
<stroke tool="highlighter" color="yellow" width="8.5">1 2 3 4</stroke>
<stroke tool="eraser" color="white" width="8.5">1 2 3 4</stroke>
<text font="Sans" size="12" x="100" y="120" color="#000000ff">1 2 3 4</text>
</layer>
<layer name="Layer 2"><stroke tool="pen" color="black" width="1.41">7 8</stroke></layer>
</page>
<page width="595.27559100" height="100"><layer/></page>
<page width="595.27559100" height="100"><layer><stroke color="black" width="1">1 2 3 4</stroke></layer></page>
</xournal>
"""


@pytest.fixture
def read(tmp_path):
    def read(text, compress=gzip.compress):
        path = tmp_path / "notes.xopp"
        path.write_bytes(compress(text.encode()))
        return read_ink(path)

    return read


@pytest.mark.parametrize(
    "compress", [gzip.compress, lambda raw: raw, lambda raw: gzip.compress(raw[:99]) + gzip.compress(raw[99:])]
)
def test_pen_strokes_of_all_pages_are_read(read, compress):
    ink = read(NOTEBOOK, compress)
    assert ink == Ink.of(
        [[10, -20], [30, -40.5], [50, -60]], [[7, -8]], [[1, -943.5], [3, -945.5]], resolution=72 / 25.4
    )


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("10 20 30", r"page 1, stroke 0, counted from 0 \(line 8\): 3 coordinates; expected x and y for every point"),
        (
            "-nan -nan 10 20",
            r"page 1, stroke 0, counted from 0 \(line 8\): holds something else than numbers; expected x y x y",
        ),
        ("10 20 30 1e999", r"page 1, stroke 0, .*: point 1 \(from 0\) has points that are NaN or infinite"),
        ("1,5 2.5", "page 1, .*: holds something else than numbers"),
    ],
)
def test_a_bad_stroke_is_named_and_the_others_are_read(read, new, message):
    with pytest.warns(DataWarning, match=rf"notes\.xopp: left out 1 of 3 strokes: {message}") as caught:
        ink = read(NOTEBOOK.replace("10 20 30 40.5 50 60", new))
    assert len(caught) == 1
    assert ink == Ink.of([[7, -8]], [[1, -943.5], [3, -945.5]], resolution=72 / 25.4)


@pytest.mark.parametrize("height", ['height="0"', 'height="nan"', 'height="1e308"', ""])
def test_a_page_without_a_height_is_as_high_as_a_sheet(read, height):
    changed = NOTEBOOK.replace('height="841.5"', height)
    with pytest.warns(DataWarning, match=r"notes\.xopp: line 5: a page of height '.*'; expected a number above 0"):
        ink = read(changed)
    assert ink.strokes[-1].points[0].tolist() == [1, -2 - 841.89 - 100]


def test_decimal_commas_are_points(read):
    commas = NOTEBOOK.replace("10 20 30 40.5 50 60", "10,25 20,5 30 40").replace("841.5", "841,5")
    assert read(commas).strokes[0].points.tolist() == [[10.25, -20.5], [30, -40]]
    assert read(commas).strokes[-1].points[0].tolist() == [1, -943.5]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("</xournal>", "", "line 18: not well-formed XML: no element found"),
        ("xournal", "diary", "root element <diary>, which is not ink"),
        ('tool="pen"', 'tool="eraser"', None),
    ],
)
def test_what_is_wrong_is_named(read, old, new, message):
    changed = NOTEBOOK.replace(old, new)
    assert changed != NOTEBOOK
    if message is None:
        assert len(read(changed).strokes) == 1
        return
    with pytest.raises(DataError, match=rf"notes\.xopp: .*{message}"):
        read(changed)


def test_a_notebook_of_bad_strokes_alone_is_an_error(read):
    body = "<stroke>1</stroke><stroke>x</stroke><stroke>2</stroke>"
    with pytest.raises(
        DataError, match=r"page 1, stroke 0, counted from 0 \(line 1\): 1 coordinates; .*\(and 2 more strokes\)"
    ):
        read(f'<xournal><page width="9" height="9"><layer>{body}</layer></page></xournal>')


def test_a_notebook_without_ink(read):
    with pytest.raises(DataError, match="holds no ink"):
        read('<xournal><page width="9" height="9"><layer/></page></xournal>')


def test_damaged_compression(read):
    with pytest.raises(DataError, match=r"notes\.xopp: truncated gzip file"):
        read(NOTEBOOK, lambda raw: gzip.compress(raw)[:-20])
    with pytest.raises(DataError, match=r"notes\.xopp: damaged gzip file"):
        read(NOTEBOOK, lambda raw: gzip.compress(raw)[:-8] + bytes(8))
    with pytest.raises(DataError, match=r"notes\.xopp: damaged gzip file"):
        read(NOTEBOOK, lambda raw: b"\x1f\x8b" + raw)
