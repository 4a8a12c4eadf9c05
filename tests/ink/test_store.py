from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from asr.errors import DataError
from asr.ink import Ink, ink_points, read_ink, read_store, write_store
from tests.ink.inks import inks

TWO = [Ink.of([[0, 0, 1], [3, 1, 2]], [[5, -3]], resolution=4.0), Ink.of([[7, 7]])]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(written=st.lists(inks(), min_size=1, max_size=4))
def test_what_is_read_is_what_was_written(tmp_path, written):
    path = tmp_path / "some.inks"
    places = write_store(path, iter(written))
    assert [read_store(path, *place) for place in places] == written
    assert [ink_points(path, *place) for place in places] == [ink.n_points for ink in written]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([[1, -32768]], np.int16), ([[0.5, 1]], np.float32), ([[32768, 1]], np.float32), ([[0.1, 1]], np.float64)],
)
def test_points_are_kept_in_the_smallest_exact_type(tmp_path, values, dtype):
    path = tmp_path / "some.inks"
    write_store(path, [Ink.of([[1, 2]]), Ink.of(values)])
    tensors = load_file(path)
    assert tensors["points"].dtype == dtype
    assert "times" not in tensors


def test_safetensors_reads_the_documented_layout(tmp_path):
    path = tmp_path / "some.inks"
    assert write_store(path, TWO) == [(0, 3), (3, 1)]
    tensors = {name: tensor.tolist() for name, tensor in load_file(path).items()}
    assert tensors["points"] == [[0, 0], [3, 1], [5, -3], [7, 7]]
    assert tensors["ends"] == [0, 1, 1, 1]
    assert tensors["starts"] == [0, 3]
    assert np.array_equal(tensors["times"], [1, 2, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(tensors["resolutions"], [4, np.nan], equal_nan=True)


def test_a_store_of_one_ink_needs_no_place(tmp_path):
    path = tmp_path / "one.inks"
    write_store(path, TWO[:1])
    assert read_ink(path) == TWO[0]
    assert ink_points(path) == 3


def test_a_store_that_was_written_again_is_read_again(tmp_path):
    path = tmp_path / "some.inks"
    write_store(path, TWO)
    before = read_store(path, 0)
    write_store(path, TWO[1:])
    assert before == TWO[0]
    assert read_store(path, 0) == TWO[1]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ((None, None), "holds 2 inks; give the first point of one"),
        ((1, 2), "no ink begins at point 1"),
        ((4, 1), "no ink begins at point 4"),
        ((-1, 1), "no ink begins at point -1"),
        ((0, 2), "has 3 points, not 2; the cache does not belong to this manifest; prepare the corpus again"),
    ],
)
def test_a_place_that_is_not_there(tmp_path, place, message):
    path = tmp_path / "some.inks"
    write_store(path, TWO)
    for read in (read_store, ink_points):
        with pytest.raises(DataError, match=message):
            read(path, *place)


def test_writing_nothing_or_elsewhere_is_refused(tmp_path):
    with pytest.raises(DataError, match="no inks to write"):
        write_store(tmp_path / "some.inks", [])
    with pytest.raises(DataError, match=r"use some\.inks"):
        write_store(tmp_path / "some.json", TWO)
    with pytest.raises(DataError, match=r"some\.inks cannot be written"):
        write_store(tmp_path / "missing" / "some.inks", TWO)


def test_no_such_store(tmp_path):
    with pytest.raises(DataError, match=r"some\.inks: no such ink cache; prepare the corpus again"):
        read_store(tmp_path / "some.inks")


def test_files_that_are_no_store(tmp_path):
    path = tmp_path / "some.inks"
    contents = [b"", b"\0" * 8, b'{"strokes": []}', struct.pack("<Q", 1 << 60) + b"{}"]
    header = json.dumps({"points": {"dtype": "F32", "shape": [1 << 50, 2], "data_offsets": [0, 1 << 53]}}).encode()
    contents.append(struct.pack("<Q", len(header)) + header)  # promises eight petabytes
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"some\.inks: not an ink cache"):
            read_store(path, 0, 1)


GOOD = {
    "points": np.zeros((2, 2), np.float32),
    "ends": np.array([0, 1], np.uint8),
    "starts": np.array([0]),
    "resolutions": np.array([np.nan]),
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": np.zeros((2, 3), np.float32)}, "do not fit together"),
        ({"ends": np.zeros(2, np.uint8)}, "ends inside a stroke"),
        ({"ends": np.ones(3, np.uint8)}, "do not fit together"),
        ({"starts": np.array([0.0])}, "do not fit together"),
        ({"starts": np.array([1])}, "not in order"),
        ({"starts": np.array([0, 2]), "resolutions": np.zeros(2)}, "not in order"),
        ({"starts": np.zeros(0, np.int64), "resolutions": np.zeros(0)}, "do not fit together"),
        ({"points": np.full((2, 2), np.nan)}, "the ink at point 0: point 0 .* NaN or infinite"),
        ({"resolutions": np.array([-1.0])}, "the resolution is -1"),
        ({"times": np.array([2.0, 1.0])}, "time runs backwards"),
    ],
)
def test_a_damaged_store_says_so(tmp_path, change, message):
    path = tmp_path / "some.inks"
    save_file({**GOOD, **change}, path, {"format": "ctc-asr-inks-1"})
    with pytest.raises(DataError, match=rf"some\.inks: damaged: .*{message}.*prepare the corpus again"):
        read_store(path, 0, 2)


def test_another_version_is_refused(tmp_path):
    path = tmp_path / "some.inks"
    save_file(GOOD, path, {"format": "ctc-asr-inks-2"})
    with pytest.raises(DataError, match="format 'ctc-asr-inks-2', expected 'ctc-asr-inks-1'"):
        read_store(path, 0, 2)
    save_file({"points": GOOD["points"]}, path, {"format": "ctc-asr-inks-1"})
    with pytest.raises(DataError, match="without ends, starts, resolutions"):
        read_store(path, 0, 2)
