from __future__ import annotations

from pathlib import Path

import pytest

from asr.errors import ConfigError, DataError, Problems
from asr.ink import Ink
from asr.ink.reading import read_ink
from data_prep import read_corpus, ujipenchars

TEXT = (
    '.LEXICON "a" "b"\n.HIERARCHY CHARACTER\n.COMMENT Lines ".DT 100" are artificial\n\n'
    '.SEGMENT CHARACTER 0 ? "a"\n.COMMENT Class [A]\n\n.PEN_DOWN\n 557  844\n 550  803\n.PEN_UP\n.DT 100\n\n'
    '.SEGMENT CHARACTER 1-2 ? "0"\n.COMMENT Class [O]\n\n.PEN_DOWN\n 1  2\n.PEN_UP\n.DT 100\n.PEN_DOWN\n 3 4\n.PEN_UP\n'
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "uji"
    folder.mkdir()
    for number in range(1, 12):
        suffix = ".txt" if number % 2 else ""
        (folder / f"UJIpenchars-w{number:02d}{suffix}").write_text(TEXT)
    return tmp_path


def test_reads_a_small_set_with_y_upwards(root: Path, tmp_path: Path) -> None:
    splits = read_corpus("ujipenchars", {"root": str(root), "cache": str(tmp_path / "cache")})
    assert {name: sorted({str(u.speaker) for u in some}) for name, some in splits.items()} == {
        "train": ["w01", "w03", "w05", "w07", "w09", "w11"],
        "dev": ["w04", "w08"],
        "test": ["w02", "w06", "w10"],
    }
    first, second = splits["train"][:2]
    assert (first.id, first.text, second.text) == ("ujipenchars-w01-000", "a", "0")
    assert read_ink(first.source, int(first.start or 0)) == Ink.of([[557, -844], [550, -803]])
    assert read_ink(second.source, int(second.start or 0)) == Ink.of([[1, -2]], [[3, -4]])


def test_folds_leave_each_writer_out_once(root: Path, tmp_path: Path) -> None:
    options = {"root": str(root), "cache": str(tmp_path / "cache"), "classes": 35}
    tested = []
    for fold in range(1, 12):
        splits = read_corpus("ujipenchars", {**options, "fold": fold})
        parts = [{u.speaker for u in splits[name]} for name in ("train", "dev", "test")]
        assert [len(part) for part in parts] == [9, 1, 1]
        assert len(set.union(*parts)) == 11
        tested += [u.speaker for u in splits["test"]]
        assert [u.text for u in splits["test"]] == ["A", "O"]
    assert sorted(tested) == sorted([*ujipenchars.WRITERS, *ujipenchars.WRITERS])


def test_options_and_problems(root: Path, tmp_path: Path) -> None:
    options = {"root": str(root), "cache": str(tmp_path / "cache")}
    with pytest.raises(ConfigError, match="fold=12: expected 0, or 1 to 11"):
        read_corpus("ujipenchars", {**options, "fold": 12})
    with pytest.raises(ConfigError, match="classes=10: expected 62, or 35"):
        read_corpus("ujipenchars", {**options, "classes": 10})
    (root / "uji/UJIpenchars-w02").write_text(TEXT.replace("550  803", "550"))
    with pytest.raises(Problems, match="UJIpenchars-w02:8: 3 numbers do not divide by the 2 channels X Y"):
        read_corpus("ujipenchars", options)
    (root / "uji/UJIpenchars-w02").unlink()
    with pytest.raises(DataError, match="lacks UJIpenchars-w02; complete the copy"):
        read_corpus("ujipenchars", options)
    with pytest.raises(DataError, match=r"expected UJIpenchars-w01 to UJIpenchars-w11.*dataset/160"):
        read_corpus("ujipenchars", {"root": str(tmp_path / "cache")})


def test_real_characters(shared_data: Path, tmp_path: Path) -> None:
    splits = read_corpus("ujipenchars", {"root": str(shared_data / "uci"), "cache": str(tmp_path)})
    everything = [u for some in splits.values() for u in some]
    assert len(everything) == 11 * 2 * 62  # 52 letters and 10 digits, twice, of 11 writers
    assert len({u.text for u in everything}) == 62
    # Read by eye from UJIpenchars-w01: the first `a` begins at 557 844, y downwards.
    first = next(u for u in everything if u.id == "ujipenchars-w01-000")
    ink = read_ink(first.source, int(first.start or 0))
    assert (first.text, ink.points()[0].tolist()) == ("a", [557, -844])
