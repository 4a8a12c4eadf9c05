"""Checkpoints are whole or not there; nothing that they carry is run."""

from __future__ import annotations

import os
import pickle
import random
import re
import zipfile
from pathlib import Path

import pytest
import torch

from asr import files
from asr.errors import CheckpointError, DataError
from asr.training.checkpoint import load_checkpoint, save_checkpoint
from tests.disks import FULL, Disk, exchanged


def test_a_checkpoint_comes_back(tmp_path: Path) -> None:
    state = {"weights": {"a": torch.arange(5.0)}, "state": {"epoch": 3}, "name": "x"}
    save_checkpoint(tmp_path / "last.pt", state)
    loaded = load_checkpoint(tmp_path / "last.pt")
    assert torch.equal(loaded["weights"]["a"], state["weights"]["a"])
    assert loaded["state"] == {"epoch": 3}
    assert os.listdir(tmp_path) == ["last.pt"]


@pytest.mark.parametrize("keep", [0, 1, 100, 500, -1])
def test_a_truncated_checkpoint_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "last.pt"
    save_checkpoint(path, {"weights": torch.zeros(100)})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"last\.pt is not a complete checkpoint"):
        load_checkpoint(path)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_pickle_damaged_anywhere_is_refused_or_read(tmp_path: Path) -> None:
    path, damaged = tmp_path / "last.pt", tmp_path / "damaged.pt"
    save_checkpoint(path, {"weights": {"a": torch.arange(50.0)}, "state": {"epoch": 3, "best": 0.5, "sums": None}})
    with zipfile.ZipFile(path) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    name = next(name for name in parts if name.endswith("data.pkl"))
    rng = random.Random(1)
    refused = 0
    for _ in range(300):
        content = bytearray(parts[name])
        for _ in range(rng.randint(1, 3)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        with zipfile.ZipFile(damaged, "w") as file:
            for part, data in parts.items():
                file.writestr(part, bytes(content) if part == name else data)
        try:
            load_checkpoint(damaged)
        except CheckpointError:
            refused += 1
    assert refused > 200


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no checkpoint at .*best\.pt"):
        load_checkpoint(tmp_path / "best.pt")


def test_a_checkpoint_that_may_not_be_read_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path / "best.pt", {"a": 1})

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(CheckpointError, match=r"best\.pt cannot be read: Permission denied; .*make the file readable$"):
        load_checkpoint(tmp_path / "best.pt")


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, ("trapped",))


@pytest.mark.parametrize("save", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value, protocol=2))])
def test_a_checkpoint_that_runs_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: object) -> None:
    monkeypatch.chdir(tmp_path)
    assert callable(save)
    save({"weights": Trap()}, tmp_path / "last.pt")
    with pytest.raises(CheckpointError, match="not a complete checkpoint"):
        load_checkpoint(tmp_path / "last.pt")
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_a_full_disk_keeps_the_previous_checkpoint(tmp_path: Path, size: int) -> None:
    """torch turns the error of a write into a RuntimeError that says nothing of the disk."""
    path = tmp_path / "last.pt"
    save_checkpoint(path, {"a": 1})
    expected = "last.pt cannot be written: No space left on device; the previous last.pt is kept; free some space"
    with exchanged(Disk(1, FULL)), pytest.raises(DataError, match=re.escape(expected)):
        save_checkpoint(path, {"a": torch.zeros(size)})
    assert load_checkpoint(path) == {"a": 1}
    assert os.listdir(tmp_path) == ["last.pt"]


def test_ctrl_c_while_torch_writes_stays_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path / "last.pt", {"a": torch.zeros(1_000_000)})
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    expected = "cannot be written: No such file or directory; nothing was written; give a folder that exists"
    with pytest.raises(DataError, match=expected):
        save_checkpoint(tmp_path / "nowhere" / "model.pt", {"a": 1})


def test_an_interrupted_write_leaves_the_previous_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.pt"
    save_checkpoint(path, {"a": 1})

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, {"a": 2})
    assert load_checkpoint(path) == {"a": 1}
    assert os.listdir(tmp_path) == ["last.pt"]
