"""The formats of what was recognised: text, JSON, ctm, trn; and the names of files in them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from asr.decoding.hypothesis import Hypothesis, Score, Span
from asr.errors import ConfigError
from asr.ink import Ink, Stroke
from asr.ink.sheets import Highlight, Sheet
from asr.recogniser.document import Document, ReadLine, ReadMark, ReadPage, ReadWord
from asr.recogniser.formats import Transcribed, ctm_lines, json_line, names_of, text_lines, trn_lines
from asr.scoring.trn import read_trn
from tests.json_schema import faults

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "docs" / "transcripts.schema.json").read_text())


def found(text: str) -> Hypothesis:
    """A hypothesis of characters, a tenth of a second each."""
    spans = tuple(Span(one, i / 10, (i + 1) / 10, 0.9) for i, one in enumerate(text))
    words = tuple(Span(word, 0.0, len(word) / 10, 0.9) for word in text.split())
    return Hypothesis(tuple(text), text, Score(-0.5), spans, words)


def read_line(strokes: tuple[int, ...], text: str) -> ReadLine:
    """A line whose words are each written by its first stroke."""
    hypothesis = found(text)
    words = tuple(ReadWord(span, strokes[:1], (0.5, -2.0, 1.0, 1e-9)) for span in hypothesis.words)
    return ReadLine(strokes, (0.0, -2.0, 3.0, 4.0), hypothesis, words, (hypothesis,))


def document(*lines: ReadLine, marks: tuple[ReadMark, ...] = (), layers: tuple[int, ...] = ()) -> Document:
    """One page with four strokes."""
    sheet = Sheet(Ink.of(*([[k, 0], [k, 1]] for k in range(4))), layers=layers)
    return Document((ReadPage(sheet, lines, marks),))


def test_text_has_the_name_of_its_file_before_it_where_there_are_several() -> None:
    one = Transcribed("in/a b.wav", "", found("to be"))
    assert list(text_lines(one, named=False)) == ["to be"]
    assert list(text_lines(one, named=True)) == ["in/a b.wav\tto be"]
    page = Transcribed("page.svg", "", document(read_line((0,), "to"), read_line((1, 2), "be")))
    assert list(text_lines(page, named=True)) == ["page.svg\tto", "page.svg\tbe"]


def test_nothing_in_a_name_or_a_label_breaks_a_line_or_steers_a_terminal() -> None:
    one = Transcribed("a\tb\n\x1b[2J\u2028\udce9.wav", "a", found("x\x1b"))
    assert list(text_lines(one, named=True)) == ["a\\tb\\n\\x1b[2J\\u2028\\xe9.wav\tx\\x1b"]
    line = json_line(one)
    assert line.isprintable()
    assert len(line.splitlines()) == 1
    assert json.loads(line)["file"] == one.file
    assert json.loads(line)["text"] == "x\x1b"


def test_json_is_the_hypothesis_with_its_file() -> None:
    one = Transcribed("a.wav", "", found("to"))
    assert json.loads(json_line(one)) == {"file": "a.wav", **one.hypotheses[0].to_dict()}


def test_json_of_ink_has_pages_strokes_and_boxes() -> None:
    (first,) = document(read_line((0, 3), "to"), layers=(1, 1, 2, 2)).pages
    (second,) = document(read_line((1,), "be"), marks=(ReadMark("box", (0, 2), (0.0, 0.0, float("inf"), 1.0)),)).pages
    second = replace(second, sheet=replace(second.sheet, number=3))
    read = json.loads(json_line(Transcribed("a.svg", "", Document((first, second)))))
    assert read["file"] == "a.svg"
    assert read["pages"] == [{"page": 1, "flipped": False}, {"page": 3, "flipped": False}]
    to, be = read["lines"]
    assert to.items() >= {"page": 1, "strokes": [0, 3], "layers": [1, 2], "box": [0, -2, 3, 4], "text": "to"}.items()
    assert be.items() >= {"page": 3, "strokes": [5], "box": [0, -2, 3, 4], "text": "be"}.items()
    assert "layers" not in be
    assert to["labels"] == found("to").to_dict()["labels"]
    assert be["words"] == [{**found("be").to_dict()["words"][0], "strokes": [5], "box": [0.5, -2, 1, 1e-9]}]
    assert read["marks"] == [{"kind": "box", "page": 3, "strokes": [4, 6], "box": [0, 0, None, 1]}]


def highlighted(layer: int | None) -> Document:
    """Two pages, one with a dot; each has two strokes of a highlighter on a layer."""
    marks = (ReadMark("dot", (1,), (0, 0, 0, 0)), *(ReadMark("highlighter", (), (0, 0, 1, 1), (k,)) for k in range(2)))
    (page,) = document(read_line((0, 3), "to be"), marks=marks, layers=(1, 1, 2, 2) if layer else ()).pages
    sheet = replace(page.sheet, highlights=(Highlight(Stroke(np.array([[0.0, 0.0], [1.0, 1.0]])), layer),) * 2)
    return Document((replace(page, sheet=sheet), replace(page, sheet=replace(sheet, number=2), marks=marks[1:])))


def test_json_counts_highlights_across_pages_apart_from_strokes() -> None:
    read = json.loads(json_line(Transcribed("a.xopp", "", highlighted(3))))
    one = {"kind": "highlighter", "page": 1, "strokes": [], "layers": [3], "box": [0, 0, 1, 1]}
    assert read["marks"][0] == {"kind": "dot", "page": 1, "strokes": [1], "layers": [1], "box": [0, 0, 0, 0]}
    assert read["marks"][1:] == [{**one, "page": page, "highlights": [k]} for k, page in enumerate([1, 1, 2, 2])]
    assert [line["strokes"] for line in read["lines"]] == [[0, 3], [4, 7]]
    bare = json.loads(json_line(Transcribed("a.inkml", "", highlighted(None))))
    assert "layers" not in bare["marks"][1]


def test_json_fits_its_schema() -> None:
    page = document(read_line((0, 3), "to be"), marks=(ReadMark("dot", (1,), (0, 0, 0, 0)),), layers=(1, 1, 2, 2))
    files = [Transcribed("a.svg", "", page), Transcribed("a.xopp", "", highlighted(1))]
    files += [
        Transcribed("a.inkml", "", highlighted(None)),
        Transcribed("a.wav", "", found("to be"), 0, [found("to"), found("be")]),
    ]
    for alternatives in (False, True):
        for one in files:
            value = json.loads(json_line(one, alternatives))
            assert faults(value, SCHEMA) == []
            assert faults({**value, "surprise": 1}, SCHEMA)
            assert faults({key: part for key, part in value.items() if key != "file"}, SCHEMA)
    wrong = json.loads(json_line(files[0]))
    wrong["lines"][0]["words"][0]["strokes"] = [0.5]
    assert faults(wrong, SCHEMA)
    wrong = json.loads(json_line(files[1]))
    wrong["marks"][1]["highlights"] = [-1]
    assert faults(wrong, SCHEMA)


def test_ctm_counts_channels_from_one() -> None:
    words = (Span("x", 0.5, 1.25, 0.9),)
    one = Transcribed("in b.wav", "in_b", Hypothesis(("x",), "x", Score(-0.1), (), words), 1)
    assert list(ctm_lines(one)) == ["in_b 2 0.500 0.750 x 0.9000"]


def test_trn_of_characters_holds_words_and_reads_back(tmp_path: Path) -> None:
    page = document(read_line((0,), "to be"), read_line((1,), "or (not)"))
    files = [Transcribed("", "ann-1", found("to be")), Transcribed("", "(2)", found("")), Transcribed("", "3", page)]
    lines = list(trn_lines(iter(files), "characters"))
    assert lines == [";; unit: words; escapes: %XX", "to be (ann-1)", " (%282%29)", "to be or %28not%29 (3)"]
    (tmp_path / "hyp.trn").write_text("\n".join(lines) + "\n")
    read = read_trn(tmp_path / "hyp.trn")
    assert read.unit == "words"
    assert [(name, one.id, one.tokens) for name, one in read.lines.items()] == [
        ("ann-1", "1", ("to", "be")),
        ("%282%29", "(2)", ()),
        ("3", "3", ("to", "be", "or", "(not)")),
    ]


def test_trn_of_labels_says_so() -> None:
    one = Transcribed("", "1", Hypothesis(("ah", "b"), "ah b", Score(-0.1), (), ()))
    assert list(trn_lines([one], "labels")) == [";; unit: labels; escapes: %XX", "ah b (1)"]


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["in/a.wav", "b/c.flac"], ["a", "c"]),
        (["in/x y.wav", "b/z\n.flac"], ["x_y", "z"]),
        (["ann/1.wav", "bob/1.wav", "bob/2.wav"], ["ann-1", "bob-1", "2"]),
        (["a/x/1.wav", "b/x/1.wav", "x-1.wav"], ["a-x-1", "b-x-1", "x-1"]),
        (["../1.wav", "1.wav", "/d/1.wav"], None),
        (["1.wav", "1.wav"], None),
        (["1.wav", "1.flac"], None),
        (["a\x1b.wav", "caf\udce9.wav"], ["a\\x1b", "caf\\xe9"]),
    ],
)
def test_files_are_called_by_their_names_and_folders_where_needed(files: list[str], names: list[str] | None) -> None:
    paths = [PurePosixPath(one) for one in files]
    if names is None:
        with pytest.raises(
            ConfigError, match=r"1\.\w+ and .*1\.\w+ would have the same name 1; rename one, or leave it out"
        ):
            names_of(paths, [None] * len(paths))
    else:
        assert names_of(paths, [None] * len(paths)) == names


def test_files_of_a_folder_are_called_by_their_places_in_it() -> None:
    paths = [PurePosixPath("in/ann/1.wav"), PurePosixPath("in/bob/1.wav"), PurePosixPath("other/2.wav")]
    assert names_of(paths, [PurePosixPath("in"), PurePosixPath("in"), None]) == ["ann-1", "bob-1", "2"]
