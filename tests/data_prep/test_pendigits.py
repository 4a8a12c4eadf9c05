from __future__ import annotations

from pathlib import Path

import pytest

from asr.errors import DataError, Problems
from asr.ink import Ink
from asr.ink.reading import read_ink
from data_prep import pendigits, read_corpus


def digits(*rows: tuple[int, str, str]) -> str:
    """A file of digits, each of one stroke: component, digit, comment."""
    text = "\n.INCLUDE        dene.doc\n\n.HIERARCHY      DIGIT\n"
    for number, digit, comment in rows:
        text += f'\n.SEGMENT DIGIT    {number} ? "{digit}"\n.COMMENT {comment}\n'
        text += f".PEN_DOWN\n {number}  7\n 9  8\n.PEN_UP\n.DT 100\n"
    return text


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "pendigits"
    folder.mkdir()
    (folder / "pendigits-orig.tra").write_text(digits((0, "8", "8 1  224"), (1, "2", "2 03   54")))
    (folder / "pendigits-orig.tes").write_text(digits((0, "4", "4 1 1")))
    return tmp_path


def test_reads_a_small_set(root: Path, tmp_path: Path) -> None:
    splits = read_corpus("pendigits", {"root": str(root), "cache": str(tmp_path / "cache")})
    assert {name: [(u.id, u.text, u.speaker) for u in some] for name, some in splits.items()} == {
        "train": [("pendigits-tra-0000", "8", "tra-01")],
        "dev": [("pendigits-tra-0001", "2", "tra-03")],
        "test": [("pendigits-tes-0000", "4", "tes-01")],
    }
    dev = splits["dev"][0]
    assert read_ink(dev.source, int(dev.start or 0)) == Ink.of([[1, 7], [9, 8]])


def test_problems_are_named_together(root: Path, tmp_path: Path) -> None:
    (root / "pendigits/pendigits-orig.tra").write_text(
        digits((0, "8", "7 1 1"), (1, "12", "1 1 1"), (7, "2", "2 1 1")) + ".SEGMENT\n"
    )
    (root / "pendigits/pendigits-orig.tes").write_text("nothing")
    with pytest.raises(Problems) as caught:
        read_corpus("pendigits", {"root": str(root), "cache": str(tmp_path / "cache")})
    assert [problem.split(";")[0] for problem in caught.value.problems] == [
        "pendigits-orig.tra:29: '' is not a segment",
        "pendigits-orig.tra:6: the comment is '7 1 1'",
        "pendigits-orig.tra:14: the label is '12'",
        "pendigits-orig.tra:22: names component 7, but the file with its includes has 3 (counted from 0)",
        "pendigits-orig.tes: has no .SEGMENT",
    ]


def test_missing_corpus_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected pendigits-orig\.tra and pendigits-orig\.tes.*dataset/81"):
        read_corpus("pendigits", {"root": str(tmp_path)})


def test_real_digits(shared_data: Path, tmp_path: Path) -> None:
    splits = read_corpus("pendigits", {"root": str(shared_data / "uci"), "cache": str(tmp_path)})
    # 7494 and 3498 digits of 30 and 14 writers: the set's description.
    assert len(splits["train"]) + len(splits["dev"]) == 7494
    assert len(splits["test"]) == 3498
    assert len({u.speaker for name in ("train", "dev") for u in splits[name]}) == 30
    assert len({u.speaker for u in splits["test"]}) == 14
    assert {u.speaker for u in splits["dev"]} == set(pendigits.DEV_WRITERS)
    # The labels of pendigits.tra and .tes, the same digits as eight points, are in the same order.
    for part in ("tra", "tes"):
        text = (shared_data / "uci/pendigits" / f"pendigits.{part}").read_text()
        labels = [line.split(",")[-1].strip() for line in text.splitlines() if line.strip()]
        found = sorted((u for some in splits.values() for u in some if u.tags["part"] == part), key=lambda u: u.id)
        assert [u.text for u in found] == labels
    # Read by eye: the first digit of .tra is an 8 that begins at 267 333.
    first = next(u for u in splits["train"] if u.id == "pendigits-tra-0000")
    ink = read_ink(first.source, int(first.start or 0))
    assert (first.text, first.speaker, ink.points()[0].tolist()) == ("8", "tra-12", [267, 333])
    assert not ink.has_times
