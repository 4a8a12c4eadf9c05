from __future__ import annotations

from pathlib import Path

import pytest

from asr.errors import ConfigError, DataError, Problems
from asr.ink import Ink
from asr.ink.reading import read_ink
from data_prep import read_corpus

SESSION = """<?xml version="1.0" encoding="ISO-8859-1"?>
<WhiteboardCaptureSession>
  <WhiteboardDescription><SensorLocation corner="top_left"/></WhiteboardDescription>
  <StrokeSet>
    <Stroke colour="black" start_time="1.0" end_time="1.5">
      <Point x="{}" y="20" time="1.0"/><Point x="12" y="22" time="1.5"/>
    </Stroke>
  </StrokeSet>
</WhiteboardCaptureSession>
"""
FORMS = {"a01-000u": "trainset", "a01-000x": "testset_t", "b02-013": "testset_v", "z99-001z": "testset_f"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A release of four forms of two lines, each in a list of its own."""
    top = tmp_path / "iam"
    for form, name in FORMS.items():
        strokes, ascii_ = (top / part / form[:3] / form[:7] for part in ("lineStrokes", "ascii"))
        for folder in (strokes, ascii_):
            folder.mkdir(parents=True, exist_ok=True)
        for number in (1, 2):
            (strokes / f"{form}-{number:02d}.xml").write_text(SESSION.format(number))
        (ascii_ / f"{form}.txt").write_text(f"OCR:\n\nnoise\n\nCSR:\n\nThe  first of {form},\nand the second.\n\n")
        (top / f"{name}.txt").write_text(f" {form}\n")
    original = top / "original/a01/a01-000"
    original.mkdir(parents=True)
    (original / "strokesu.xml").write_text('<x><General><Form writerID="10156" id="1"/></General></x>')
    return top


def test_the_task_splits(root: Path, tmp_path: Path) -> None:
    options = {"root": str(root), "cache": str(tmp_path / "cache")}
    splits = read_corpus("iam_ondb", options)
    assert {name: [(u.id, u.text, u.speaker) for u in some] for name, some in splits.items()} == {
        "train": [
            ("a01-000u-01", "The first of a01-000u,", "10156"),
            ("a01-000u-02", "and the second.", "10156"),
        ],
        "dev": [("b02-013-01", "The first of b02-013,", None), ("b02-013-02", "and the second.", None)],
        "test": [("z99-001z-01", "The first of z99-001z,", None), ("z99-001z-02", "and the second.", None)],
    }
    second = splits["train"][1]
    assert read_ink(second.source, int(second.start or 0)) == Ink.of([[2, -20, 1.0], [12, -22, 1.5]])
    assert read_corpus("iam_ondb", options) == splits
    for part in ("train", "dev"):
        more = read_corpus("iam_ondb", {**options, "second": part})
        assert [u.id for u in more[part]][2:] == [] or len(more[part]) == 4
        assert {u.id for u in more[part]} >= {"a01-000x-01", "a01-000x-02"}


def test_lists_may_stand_in_task1_or_elsewhere(root: Path, tmp_path: Path) -> None:
    options = {"root": str(root.parent), "cache": str(tmp_path / "cache")}
    (root / "task1").mkdir()
    for name in FORMS.values():
        (root / f"{name}.txt").rename(root / "task1" / f"{name}.txt")
    assert len(read_corpus("iam_ondb", options)["train"]) == 2
    (root / "task1").rename(tmp_path / "lists")
    assert len(read_corpus("iam_ondb", {**options, "lists": str(tmp_path / "lists")})["train"]) == 2
    with pytest.raises(DataError, match=r"there are no lists of a task in .*; expected trainset\.txt, testset_v\.txt"):
        read_corpus("iam_ondb", options)


def test_what_does_not_fit_is_named_or_left_out(root: Path, tmp_path: Path) -> None:
    with (root / "trainset.txt").open("a") as file:
        file.write("a01-000u\nb02-013\n../../etc\na09-999z\n")
    (root / "ascii/b02/b02-013/b02-013.txt").write_text("CSR:\n\nOnly one.\n")
    (root / "ascii/z99/z99-001/z99-001z.txt").write_text("OCR:\nno transcript\n")
    options = {"root": str(root), "cache": str(tmp_path / "cache")}
    with pytest.raises(Problems, match=r"on_error=skip leaves out faulty items") as caught:
        read_corpus("iam_ondb", options)
    assert [problem.split(";")[0] for problem in caught.value.problems] == [
        "trainset.txt:2: the form a01-000u is already in trainset.txt:1",
        "b02-013-02: has no transcript: ascii/b02/b02-013/b02-013.txt has 1 lines after CSR:",
        "trainset.txt:4: '../../etc' is not a form",
        "ascii/a09/a09-999/a09-999z.txt: does not exist",
        "a09-999z: there are no strokes lineStrokes/a09/a09-999/a09-999z-01.xml",
        "testset_v.txt:1: the form b02-013 is already in trainset.txt:3",
        "ascii/z99/z99-001/z99-001z.txt: holds no transcript",
    ]
    splits = read_corpus("iam_ondb", {**options, "skip_bad": True})
    assert [u.id for u in splits["train"]] == ["a01-000u-01", "a01-000u-02", "b02-013-01"]


ONE_BAD_STROKE = SESSION.format(1).replace("</StrokeSet>", '<Stroke><Point x="nan" y="2"/></Stroke></StrokeSet>')


@pytest.mark.parametrize("content", ["<WhiteboardCaptureSession>", ONE_BAD_STROKE])
def test_strokes_that_cannot_be_read(root: Path, tmp_path: Path, content: str) -> None:
    (root / "lineStrokes/a01/a01-000/a01-000u-01.xml").write_text(content)
    options = {"root": str(root), "cache": str(tmp_path / "cache")}
    with pytest.raises(Problems, match=r"a01-000u-01\.xml"):
        read_corpus("iam_ondb", options)
    assert [u.id for u in read_corpus("iam_ondb", {**options, "skip_bad": True})["train"]] == ["a01-000u-02"]


def test_options_and_a_missing_corpus(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="second=test: expected unused, dev, train"):
        read_corpus("iam_ondb", {"root": str(root), "second": "test"})
    with pytest.raises(DataError, match=r"expected lineStrokes/ and ascii/ in it.*Register at"):
        read_corpus("iam_ondb", {"root": str(root / "ascii")})
