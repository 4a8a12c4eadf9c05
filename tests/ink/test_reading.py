from __future__ import annotations

import os

import pytest

from asr.errors import DataError
from asr.ink import Ink, ink_points, read_ink, reading, write_json
from asr.ink.formats import SUFFIXES
from asr.ink.reading import read_ink_bytes

INK = Ink.of([[0, 0, 1], [1, 0, 2], [2, 0, 3]], [[3, 0], [4, 0]], resolution=2.0)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "ink.json"
    write_json(path, INK)
    return path


def test_a_segment_is_cut_out(path):
    assert read_ink(path, 0, 5) == INK
    assert read_ink(path, 3) == Ink.of([[3, 0], [4, 0]], resolution=2.0)
    assert read_ink(path, 1, 3) == Ink.of([[1, 0, 2], [2, 0, 3]], [[3, 0]], resolution=2.0)
    assert read_ink(path, n_points=1) == Ink.of([[0, 0, 1]], resolution=2.0)
    assert (ink_points(path), ink_points(path, 1, 3), ink_points(path, 3)) == (5, 3, 2)


@pytest.mark.parametrize("segment", [(5, None), (0, 6), (4, 2), (-1, 2), (0, 0), (2, -1)])
def test_a_segment_outside_is_refused(path, segment):
    with pytest.raises(DataError, match=r"ink\.json: the segment of points .* lies outside the file, which has 5"):
        read_ink(path, *segment)


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "words").write_text("some words")
    for name, message in [
        ("missing.json", "no such file"),
        ("empty", "is empty"),
        ("words", "cannot be read as ink"),
        (".", "not a file"),
        ("nul\0", "cannot be read"),
    ]:
        with pytest.raises(DataError, match=message):
            read_ink(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(DataError, match="not a file"):
        read_ink(tmp_path / "pipe.json")


def test_a_file_beyond_the_bound_is_refused(tmp_path):
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(DataError, match=r"large\.json: 67108865 bytes, more than 67108864"):
        read_ink(path)


def test_a_unipen_file_is_read_by_itself(tmp_path):
    path = tmp_path / "page.dat"
    path.write_text("\n.VERSION 1.0\n.INCLUDE lexicon\n.PEN_DOWN\n1 2\n3 4\n.PEN_UP\n.PEN_DOWN\n5 6\n")
    assert read_ink(path) == Ink.of([[1, 2], [3, 4]], [[5, 6]])
    assert read_ink(path, 2, 1) == Ink.of([[5, 6]])


@pytest.mark.parametrize("begin", ["\ufeff", " \n", "some words\n"])
def test_whatever_stands_before_the_first_statement(tmp_path, begin):
    path = tmp_path / "page.dat"
    path.write_text(f"{begin}.COORD X Y T\n.PEN_DOWN\n1 2 0\n3 4 1\n", encoding="utf-8")
    assert [tuple(point) for point in read_ink(path).points()] == [(1, 2), (3, 4)]


def test_bytes_are_read_as_their_file_is(path, monkeypatch):
    assert read_ink_bytes(path.read_bytes(), "<stdin>") == INK
    for content, message in [(b" \n", "<stdin>: is empty"), (b"some words", "<stdin>: cannot be read as ink")]:
        with pytest.raises(DataError, match=message):
            read_ink_bytes(content, "<stdin>")
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    with pytest.raises(DataError, match="<stdin>: more than 10 bytes; cut it into pages"):
        read_ink_bytes(path.read_bytes(), "<stdin>")


def test_folders_are_searched_for_the_names_of_the_formats():
    assert {".inkml", ".xml", ".xopp", ".svg", ".json", ".dat"} <= SUFFIXES
