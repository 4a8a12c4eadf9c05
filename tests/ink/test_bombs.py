"""Small files that would take minutes or all memory, if nobody counted: each is answered within a bound."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

from asr.errors import DataError, DataWarning
from asr.ink import analyse, read_ink
from asr.ink.assembling import InkBuilder

SECONDS = 10.0
"""Seconds of the processor for files that take about one on an idle machine; without the bounds they take minutes."""

EMPTY = gzip.compress(b"")
SIZE = 1 << 20


def flood(piece: str, size: int = SIZE) -> str:
    return piece * (size // len(piece))


def svg(body: str) -> str:
    return f"<svg>{body}</svg>"


def path(pieces: str) -> str:
    return svg(f'<path d="M0 0{pieces}"/>')


def xopp(body: str) -> str:
    return f'<xournal><page height="1"><layer>{body}</layer></page></xournal>'


@pytest.fixture
def read(tmp_path):
    def read(content):
        file = tmp_path / "bomb.ink"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        begin = time.process_time()
        try:
            return read_ink(file)
        finally:
            assert time.process_time() - begin < SECONDS

    return read


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (EMPTY * 160_000, "more than 10000 gzip files in one"),
        (EMPTY * 9000, "cannot be read as ink"),
        ((EMPTY + bytes(300)) * 9000, "cannot be read as ink"),  # with padding between them
        (
            gzip.compress(bytes(90 << 20), 1, mtime=0),
            "holds more than [0-9]+ bytes when decompressed; cut it into pages",
        ),
        (gzip.compress(gzip.compress(b" " * 9999, mtime=0), mtime=0), "cannot be read as ink"),
        (
            gzip.compress(xopp(flood("<stroke>1 1</stroke>", 8 << 20)).encode(), mtime=0),
            "holds more than 2097152 bytes when",
        ),
    ],
)
def test_compressed(read, content, message):
    with pytest.raises(DataError, match=message):
        read(content)


def test_a_notebook_that_compresses_well_is_read(read):
    assert len(read(gzip.compress(xopp("<stroke>1 1</stroke>" * 10_000).encode())).strokes) == 10_000


def test_unpacking_stops_at_the_limit(read, monkeypatch):
    monkeypatch.setattr("asr.ink.gzip.MAX_RATIO", 10_000)
    with pytest.raises(DataError, match=r"holds more than 67108864 bytes when decompressed; cut it into pages"):
        read(gzip.compress(bytes(90 << 20), 1))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<a>" * 100_000, "nests more than 500 elements"),
        ('<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><ink>&b;</ink>', "declares entities"),
        ("<ink " + " ".join(f"a{k}=''" for k in range(50_000)) + "/>", "more than 1000 attributes"),
        (b"<ink>" + b'<a b="" c="" d="" e="" f=""/>' * 800_100 + b"</ink>", "more than 4000000 attributes"),
        (f"<ink>{flood('&#49;')}</ink>", "holds no ink"),
        (f"<ink>{flood('<!---->')}</ink>", "holds no ink"),
    ],
)
def test_xml(read, content, message):
    with pytest.raises(DataError, match=message):
        read(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (path(flood("M1 1", SIZE // 2)), "too many path commands for one drawing"),
        (path(flood("z", SIZE // 2)), "too many path commands"),
        (path(flood("h1v1", SIZE // 2)), "too many path commands"),
        (path(flood("t1 1", SIZE // 2)), "too many path commands"),
        (path(flood("a1 1 0 001 1", SIZE // 2)), "too many path commands"),
        (path(flood("c9 9-9 9 0 0", SIZE // 2)), "more than 1000000 points"),
        (svg(flood("<line/>", SIZE // 2)), "too many path commands"),
        (svg("<g transform='" + flood("scale(1)", SIZE // 2) + "'/>"), "too many path commands"),
        (svg("<g id='a'>" + flood("<use href='#a'/>") + "</g>"), "holds no ink"),
        (
            svg(
                "<style>" + flood(".a.d{fill:none}", SIZE // 32) + "</style>" + flood("<line class='a b'/>", SIZE // 32)
            ),
            "style sheets are too large",
        ),
        (
            svg(
                "<style>"
                + ".a " * 300
                + ".c .b{fill:none}</style>"
                + "<g class='a'>" * 400
                + flood("<line class='b'/>", SIZE // 8)
                + "</g>" * 400
            ),
            "style sheets are too large",
        ),
    ],
)
def test_drawings(read, content, message, monkeypatch):
    monkeypatch.setattr("asr.ink.svg.MAX_STEPS", 200_000)  # a tenth, and files a tenth of the size
    monkeypatch.setattr("asr.ink.svg_style.MAX_STEPS", 500_000)
    monkeypatch.setattr("asr.ink.svg.MAX_POINTS", 1_000_000)
    with pytest.raises(DataError, match=message):
        read(content)


@pytest.mark.parametrize("sheet", ["/*", "a{", "a{b:c", " ", "a b ", "@media{a{", "<!--", "a{fill:" + " " * 50_000])
def test_style_sheets_that_end_nowhere(read, sheet):
    text = sheet * (SIZE // len(sheet))
    assert read(svg(f"<style>{text.replace('<', '&lt;')}</style><line x2='1'/>")).n_points == 2
    assert read(svg(f"<line x2='1' style='{text.replace('<', '&lt;')}'/>")).n_points == 2


CONTEXT = "<ink><definitions><context xml:id='c'><inkSource>{}</inkSource></context></definitions>{}</ink>"


@pytest.mark.parametrize(
    ("content", "n_strokes"),
    [
        (
            CONTEXT.format(
                "<channelProperties>" + flood("<channelProperty/>") + "</channelProperties>",
                "<trace contextRef='#c'>1 1</trace>" * 30_000,
            ),
            30_000,
        ),
        (
            "<ink><trace id='1' continuation='begin'>1 1</trace>"
            + "<trace id='1' continuation='middle' priorRef='#1'>1 1</trace>" * 50_000
            + "</ink>",
            1,
        ),
        ("<ink><trace>1 2," + flood("'1'1,") + "</trace></ink>", 1),
        (f"<ink><trace>1 2{flood(',')}</trace></ink>", 1),
        (f"<ink><trace>1.{flood('1')} 1</trace></ink>", 1),
    ],
)
def test_inkml(read, content, n_strokes):
    assert len(read(content).strokes) == n_strokes


def test_inkml_of_many_channels(read):
    with pytest.raises(DataError, match="at most 64 channels"):
        read(
            "<ink><traceFormat><channel name='X'/><channel name='Y'/>"
            + flood("<channel name='F'/>")
            + "</traceFormat>"
            + "<trace>1 1</trace>" * 30_000
            + "</ink>"
        )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * SIZE, "lists are nested too deeply"),
        ("[" + "[]," * 600_000 + "[]]", "more than 500000 strokes"),
        (f"[[[0,{'9' * SIZE}]]]", "NaN or infinite"),
        (f"[[[0,-1.{'9' * SIZE}e{'9' * 5000}]]]", "NaN or infinite"),
        ('{"strokes":[[[0,0]]],"resolution":' + "9" * 5000 + "}", "the resolution is inf"),
    ],
)
def test_json(read, content, message):
    with pytest.raises(DataError, match=message):
        read(content)


def test_unipen_faults_are_found_in_one_go(read):
    with pytest.warns(DataWarning, match="left out 100000 of 100001 strokes"):
        assert read(".VERSION 1\n.PEN_DOWN\n1 1\n" + ".PEN_DOWN\nx\n" * 100_000).n_points == 1


@pytest.mark.parametrize("value", ["1e308", "-1e308", "1e-320", "1e999"])
def test_numbers_at_the_edge(read, value):
    """Whatever they are, an ink or an error comes, and the page can be cut."""
    for content in (
        f"[[[0,{value}],[{value},0]],[[0,0]]]",
        xopp(f"<stroke>0 {value} {value} -{value.strip('-')}</stroke><stroke>1 1</stroke>"),
        f"<ink><trace>{value} 0, 0 0,'{value} 0,* *,* *</trace><trace>1 1</trace></ink>",
        path(f"L{value} 0c{value} {value} 1 1 2 2A{value} 1 0 1 0 1 {value}l{value} 0"),
        svg(f'<g transform="scale({value})"><line x2="9"/><line x2="{value}"/></g><line y2="1"/>'),
        f".PEN_DOWN\n0 {value}\n{value} 0\n.PEN_DOWN\n1 1\n",
        f".COORD X Y T\n.PEN_DOWN\n0 0 -{value.strip('-')}\n1 1 {value.strip('-')}\n.PEN_DOWN\n1 1 {value}\n",
        f".POINTS_PER_SECOND 100\n.PEN_DOWN\n1 1\n.PEN_UP\n.DT {value}\n.PEN_DOWN\n2 2\n",
    ):
        with suppress(DataError), warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", DataWarning)
            assert analyse(read(content)).lines


def test_pages_without_ink_take_no_memory():
    builder = InkBuilder(Path("empty.json"))
    tracemalloc.start()
    for number in range(1, 100_001):
        builder.begin_page(number)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    builder.add([[0, 0]], None, "stroke 0")
    assert taken < 10_000
    assert [one.number for one in builder.sheets()] == [100_000]
