"""Checkpoints are whole or not there; nothing that they carry is run."""

from __future__ import annotations

import errno
import os
import pickle
import random
import re
import zipfile
from pathlib import Path
from typing import IO

import pytest
import torch

from asr import files
from asr.errors import CheckpointError, TrainingError
from asr.files import obstacle, sweep
from asr.training.checkpoint import load_checkpoint, save_checkpoint, write_atomically


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
    with pytest.raises(CheckpointError, match=r"last\.pt is not a whole checkpoint"):
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
    with pytest.raises(CheckpointError, match="not a whole checkpoint"):
        load_checkpoint(tmp_path / "last.pt")
    assert not (tmp_path / "trapped").exists()


def test_a_full_disk_keeps_the_previous_file(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    path.write_bytes(b"old")

    def half(file: IO[bytes]) -> None:
        file.write(b"half of the new")
        raise OSError(28, "No space left on device")

    with pytest.raises(TrainingError, match=r"cannot write .*last\.pt: .*No space left.*the previous last\.pt is kept"):
        write_atomically(path, half)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["last.pt"]


def test_a_really_full_disk(tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")

    def to_full(file: IO[bytes]) -> None:
        with open("/dev/full", "wb") as full:
            torch.save({"a": torch.zeros(1_000_000)}, full)

    with pytest.raises(TrainingError, match="nothing was written; free some space, then do it again"):
        write_atomically(tmp_path / "last.pt", to_full)
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        TrainingError, match=r"cannot write .*nowhere.*; nothing was written; give a folder that exists"
    ):
        save_checkpoint(tmp_path / "nowhere" / "model.pt", {"a": 1})


@pytest.mark.parametrize("name", ["file/model.pt", "folder"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder" / "full").mkdir(parents=True)
    with pytest.raises(TrainingError, match=r"cannot write .*; give a (folder that exists|place that may be written)"):
        save_checkpoint(tmp_path / name, {"a": 1})
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.EACCES, "give a place that may be written to"),
        (errno.EROFS, "give a place that may be written to"),
        (errno.ENOENT, "give a place that may be written to"),  # as /proc says it
        (errno.EDQUOT, "free some space, then do it again"),
    ],
)
def test_space_is_asked_for_only_where_it_is_short(tmp_path: Path, code: int, remedy: str) -> None:
    def refused(file: IO[bytes]) -> None:
        raise OSError(code, os.strerror(code), ".model.pt.tmp")

    expected = f"cannot write {tmp_path / 'model.pt'}: {os.strerror(code)}; nothing was written; {remedy}"
    with pytest.raises(TrainingError, match=f"^{re.escape(expected)}$"):
        write_atomically(tmp_path / "model.pt", refused)


def test_what_stands_in_the_way_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new, file = tmp_path / "new" / "folder", tmp_path / "file"
    file.write_text("x")
    assert obstacle(new) == obstacle(tmp_path) == ""
    assert obstacle(file) == "is a file"
    assert obstacle(file / "a" / "b") == f"is beneath the file {file}"
    monkeypatch.setattr(files.os, "access", lambda place, mode: Path(place) != tmp_path)  # root may write everywhere
    assert obstacle(tmp_path) == "may not be written"
    assert obstacle(new) == f"cannot be made: {tmp_path} may not be written"
    assert not new.parent.exists()


def test_a_file_system_that_cannot_sync_folders_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(files.os, "open", refuse)
    save_checkpoint(tmp_path / "last.pt", {"a": 1})
    assert load_checkpoint(tmp_path / "last.pt") == {"a": 1}


def test_what_killed_processes_left_is_swept(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "last.pt", {"a": 1})
    (tmp_path / ".last.pt.4711.tmp").write_bytes(b"half")
    sweep(tmp_path)
    assert os.listdir(tmp_path) == ["last.pt"]


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
