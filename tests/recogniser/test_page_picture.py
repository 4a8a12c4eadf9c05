"""Pictures of pages: well formed, bounded, and nothing from outside acts in them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from asr.decoding.hypothesis import Hypothesis, Score, Span
from asr.ink import Ink, Stroke
from asr.ink.sheets import Highlight, Sheet
from asr.recogniser import page_picture
from asr.recogniser.document import Document, ReadLine, ReadMark, ReadPage, ReadWord
from asr.recogniser.page_picture import html_lines, svg_lines

HOSTILE = '</text><script>alert("1")</script>&amp;\x1b[2J\ud800\uffff'
NAMESPACE = "{http://www.w3.org/2000/svg}"


def line(strokes: tuple[int, ...], *words: str) -> ReadLine:
    spans = tuple(Span(one, 0, 1, 0.5) for one in words)
    text = " ".join(words)
    read = tuple(ReadWord(span, (k,), None) for span, k in zip(spans, strokes, strict=False))
    return ReadLine(strokes, (0, 0, 1, 1), Hypothesis(tuple(text), text, Score(0.0), (), spans), read)


def page(ink: Ink, *lines: ReadLine, marks: tuple[ReadMark, ...] = ()) -> ReadPage:
    return ReadPage(Sheet(ink), lines, marks)


INK = Ink.of([[0, 0], [5, 10]], [[10, 0], [15, 10]], [[20, 0]], [[0, -5], [20, -5]])
PAGE = page(INK, line((0, 1), "to", "be"), line((2,), "or"), marks=(ReadMark("rule", (3,), (0, 5, 20, 0)),))


def parsed(document: Document, name: str = "a.svg") -> ElementTree.Element:
    return ElementTree.fromstring("\n".join(svg_lines(document, name)))


def test_words_are_told_apart_and_marks_are_grey() -> None:
    root = parsed(Document((PAGE,)))
    paths = [one.attrib for one in root.iter(f"{NAMESPACE}path")]
    colours = [one["stroke"] for one in paths]
    assert len(set(colours)) == 4  # two words, another line, the mark
    assert colours[-1] == "#8a8a8a"
    assert [one.text for one in root.iter(f"{NAMESPACE}text")] == ["to be", "or"]
    assert [one.text for one in root.iter(f"{NAMESPACE}title")] == ["a.svg", "to be", "or", "rule"]


def highlighted(points: list[list[float]], kind: str = "highlighter", turned: bool = False) -> ReadPage:
    highlights = (Highlight(Stroke(np.array(points))),)
    marks = (*PAGE.marks, ReadMark(kind, (), (0, 0, 1, 1), (0,)))
    return ReadPage(Sheet(INK, highlights=highlights), PAGE.lines, marks, turned)


def test_highlighters_are_wide_translucent_and_behind_the_ink() -> None:
    root = parsed(Document((highlighted([[0, 5], [20, 5]]),)))
    first, *others = [one.attrib for one in root.iter(f"{NAMESPACE}path")]
    assert float(first["stroke-width"]) > 5 * max(float(one["stroke-width"]) for one in others)
    assert float(first["stroke-opacity"]) < 1
    assert not any("stroke-opacity" in one for one in others)
    assert len(others) == 4
    assert [one.text for one in root.iter(f"{NAMESPACE}title")] == ["a.svg", "highlighter", "to be", "or", "rule"]
    assert "<p>Marks: highlighter (1), rule (1)</p>" in "\n".join(
        html_lines([("a", Document((highlighted([[0, 5]]),)))])
    )


@pytest.mark.parametrize("turned", [False, True])
def test_highlighters_lie_where_the_ink_lies(turned: bool) -> None:
    root = parsed(Document((highlighted([[0, -5], [20, -5]], turned=turned),)))  # the same points as the rule
    paths = [one.attrib["d"] for one in root.iter(f"{NAMESPACE}path")]
    assert paths[0] == paths[-1]
    assert len(set(paths)) == 4


@pytest.mark.parametrize("far", [1e300, -1e300, 1e-320])
def test_highlighters_far_away_are_in_the_picture(far: float) -> None:
    root = parsed(Document((highlighted([[0, 0], [far, far]]),)))
    numbers = [float(one) for path in root.iter(f"{NAMESPACE}path") for one in re.findall(r"[-\d.]+", path.attrib["d"])]
    assert min(numbers) >= 0
    assert max(numbers) <= 1100


def test_pages_follow_below_each_other() -> None:
    one, both = parsed(Document((PAGE,))), parsed(Document((PAGE, PAGE)))
    assert float(both.attrib["height"]) == 2 * float(one.attrib["height"])
    moves = [group.attrib["transform"] for group in both.findall(f"{NAMESPACE}g")]
    assert moves == ["translate(0 0)", f"translate(0 {one.attrib['height']})"]


def test_y_grows_downwards_in_the_picture() -> None:
    (path,) = parsed(Document((page(Ink.of([[0, 0], [0, 10]])),))).iter(f"{NAMESPACE}rect")  # no lines, nothing drawn
    root = parsed(Document((page(Ink.of([[0, 0], [5, 10]]), line((0,), "l")),)))
    (drawn,) = root.iter(f"{NAMESPACE}path")
    begin, end = (tuple(map(float, place.split())) for place in drawn.attrib["d"][1:].split("L"))
    assert begin[1] > end[1]
    assert path.attrib["fill"] == "white"


def test_the_texts_of_columns_are_apart_and_within_the_picture() -> None:
    ink = Ink.of(*([[x, -y], [x + 1, -y]] for x in (0, 50) for y in range(0, 100, 5)))
    lines = [line((k,), str(k)) for k in range(len(ink.strokes))]  # the left column, then the right one
    root = parsed(Document((page(ink, *lines),)))
    texts = {int(str(one.text)): float(one.attrib["y"]) for one in root.iter(f"{NAMESPACE}text")}
    heights = sorted(texts.values())
    assert heights[0] > 0
    assert heights[-1] < float(root.attrib["height"])
    assert min(np.diff(heights)) >= 18  # the height of letters
    assert all(abs(texts[k] - texts[k + 20]) < 30 for k in range(20))  # lines at the same height


def test_nothing_from_outside_acts() -> None:
    bare = page(INK, line((0, 1), HOSTILE, HOSTILE), marks=(ReadMark(HOSTILE, (3,), (0, 0, 0, 0)),))
    hostile = Document((bare, highlighted([[0, 0]], HOSTILE)))
    svg = "\n".join(svg_lines(hostile, HOSTILE))
    whole = "\n".join(html_lines([(HOSTILE, hostile)]))
    ElementTree.fromstring(svg)
    for text in (svg, whole):
        assert "<script" not in text
        assert "\x1b" not in text
        text.encode()  # no surrogates
        assert not re.search(r"<[^>]*(href|src|on\w+)=", text)


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1.0, 1e150, 1e307])
def test_pictures_of_all_sizes_are_finite(scale: float) -> None:
    ink = Ink.of([[-scale, -scale], [scale, scale]], [[0, 0]])
    svg = "\n".join(svg_lines(Document((page(ink, line((0, 1), "x")),)), "a"))
    assert "nan" not in svg
    assert "inf" not in svg
    numbers = [float(one) for one in re.findall(r"(?<![#\w.])-?\d+(?:\.\d+)?", svg)]
    assert max(numbers) <= 3000


def test_pictures_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_picture, "MOST_POINTS", 100)
    monkeypatch.setattr(page_picture, "MOST_CHARACTERS", 10)
    turns = np.linspace(0, 60, 5000)
    ink = Ink.of(np.column_stack([turns * np.cos(turns), turns * np.sin(turns)]))
    root = parsed(Document((page(ink, line((0,), "x" * 1000)),)))
    (path,) = root.iter(f"{NAMESPACE}path")
    assert path.attrib["d"].count("L") <= 101
    (text,) = root.iter(f"{NAMESPACE}text")
    assert text.text == "x" * 9 + "…"


def test_html_has_all_files_with_words_and_marks() -> None:
    text = "\n".join(html_lines([("a.svg", Document((PAGE,))), ("b.svg", Document((PAGE, PAGE)))]))
    assert text.count("<svg ") == 2
    assert text.count("<h2>Page 1</h2>") == 3
    assert '<span title="50 %">be</span>' in text
    assert text.count("<p>Marks: rule (1)</p>") == 3
    assert text.startswith("<!DOCTYPE html>")
