"""Rows that are read from a file: the same as those of the array, and a sentence where the file was cut."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.errors import DataError
from asr.stored_rows import StoredRows

VALUES = np.arange(3000, dtype="<f4").reshape(1000, 3)


@pytest.fixture
def rows(tmp_path: Path) -> StoredRows:
    (tmp_path / "rows").write_bytes(b"before" + VALUES.tobytes())
    return StoredRows(tmp_path / "rows", "<f4", VALUES.shape, 6)


def some(rows: StoredRows) -> NDArray[np.float32]:
    return np.concatenate([rows.read(begin, begin + 7) for begin in range(0, 700, 7)])


def test_they_are_those_of_the_array(rows: StoredRows, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(rows) == 1000
    np.testing.assert_array_equal(some(rows), VALUES[:700])
    assert rows.read(5, 5).shape == (0, 3)
    with ThreadPoolExecutor(4) as pool:
        assert all(np.array_equal(found, VALUES[:700]) for found in pool.map(some, [rows] * 8))
    np.testing.assert_array_equal(some(pickle.loads(pickle.dumps(rows))), VALUES[:700])
    monkeypatch.delattr(os, "pread", raising=False)
    np.testing.assert_array_equal(some(rows), VALUES[:700])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_forked_processes_share_them(rows: StoredRows) -> None:
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert all(np.array_equal(found, VALUES[:700]) for found in pool.map(some, [rows] * 6))


def test_a_file_that_is_cut_is_told_and_one_that_is_deleted_stays(rows: StoredRows) -> None:
    if hasattr(os, "pread"):
        rows.path.rename(rows.path.with_name("other"))
        np.testing.assert_array_equal(some(rows), VALUES[:700])
        rows.path.with_name("other").rename(rows.path)
    os.truncate(rows.path, 1000)
    np.testing.assert_array_equal(rows.read(0, 50), VALUES[:50])
    with pytest.raises(
        DataError, match="rows: was truncated while it was in use: it ends at byte 1000; expected bytes 966 to "
    ):
        rows.read(80, 100)
