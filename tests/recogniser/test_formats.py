"""The formats of what was recognised: text, JSON, ctm, trn; and the names of files in them."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest

from asr.decoding.hypothesis import Hypothesis, Score, Span
from asr.errors import ConfigError
from asr.recogniser.formats import Transcribed, ctm_lines, json_line, names_of, text_lines, trn_lines
from asr.recogniser.page import PageLine
from asr.scoring.trn import read_trn


def found(text: str) -> Hypothesis:
    """A hypothesis of characters, a tenth of a second each."""
    spans = tuple(Span(one, i / 10, (i + 1) / 10, 0.9) for i, one in enumerate(text))
    words = tuple(Span(word, 0.0, len(word) / 10, 0.9) for word in text.split())
    return Hypothesis(tuple(text), text, Score(-0.5), spans, words)


def test_text_has_the_name_of_its_file_before_it_where_there_are_several() -> None:
    one = Transcribed("in/a b.wav", "", found("to be"))
    assert list(text_lines(one, named=False)) == ["to be"]
    assert list(text_lines(one, named=True)) == ["in/a b.wav\tto be"]
    page = Transcribed("page.svg", "", [PageLine((0,), found("to")), PageLine((1, 2), found("be"))])
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
    page = Transcribed("a.svg", "", [PageLine((0, 3), found("to"))])
    assert json.loads(json_line(page)) == {
        "file": "a.svg",
        "lines": [{"strokes": [0, 3], **page.hypotheses[0].to_dict()}],
    }


def test_ctm_counts_channels_from_one() -> None:
    words = (Span("x", 0.5, 1.25, 0.9),)
    one = Transcribed("in b.wav", "in_b", Hypothesis(("x",), "x", Score(-0.1), (), words), 1)
    assert list(ctm_lines(one)) == ["in_b 2 0.500 0.750 x 0.9000"]


def test_trn_of_characters_holds_words_and_reads_back(tmp_path: Path) -> None:
    page = [PageLine((0,), found("to be")), PageLine((1,), found("or (not)"))]
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
            ConfigError, match=r"1\.\w+ and .*1\.\w+ would both be called 1; rename one, or leave it out"
        ):
            names_of(paths, [None] * len(paths))
    else:
        assert names_of(paths, [None] * len(paths)) == names


def test_files_of_a_folder_are_called_by_their_places_in_it() -> None:
    paths = [PurePosixPath("in/ann/1.wav"), PurePosixPath("in/bob/1.wav"), PurePosixPath("other/2.wav")]
    assert names_of(paths, [PurePosixPath("in"), PurePosixPath("in"), None]) == ["ann-1", "bob-1", "2"]
