"""Metrics: rows that a resumed run keeps, and what a full disk does to them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from asr.errors import DataError
from asr.files import append
from asr.training.log import MetricsLog
from tests.disks import FULL, Disk, exchanged
from tests.mutations import mutated
from tests.training.test_loop import trainer
from tests.training.toy import Silent


def test_metrics_on_a_full_disk_stop_the_run_with_one_sentence(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path, 0, tensorboard=False, say=pytest.fail)
    expected = r"metrics\.jsonl cannot be written: No space left on device; .*; free some space"
    with exchanged(Disk(1, FULL)), pytest.raises(DataError, match=expected):
        log.write("epoch", 1, {"loss": 1.0})


@pytest.mark.parametrize("how", ["full at once", "full later", "a file in its place"])
def test_a_run_goes_on_without_tensorboard_and_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    written: list[Path] = []

    def full(path: Path, content: bytes) -> None:
        written.append(path)
        if path.parent.name == "tensorboard" and len(written) > (6 if how == "full later" else 0):
            raise DataError(f"{path} cannot be written: No space left on device")
        append(path, content)

    if how == "a file in its place":
        (tmp_path / "tensorboard").write_text("x")
    else:
        monkeypatch.setattr("asr.training.log.append", full)
    watcher = Silent()
    trainer(tmp_path, epochs=4, tensorboard=True, watcher=watcher).run()
    said = [one for one in watcher.said if not one.startswith("step ")]  # the toy's hints
    assert len(said) == 1
    assert said[0].startswith("training continues without TensorBoard's files: ")
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 4


def test_lines_that_are_no_rows_are_dropped_when_a_run_goes_on(tmp_path: Path) -> None:
    good = [b'{"kind": "epoch", "step": 1, "loss": 0.5}', b'{"step": 3}']
    bad = [
        b'{"kind": "epo',
        b"3",
        b'"step"',
        b"[1]",
        b"null",
        b"{}",
        b'{"step": "2"}',
        b'{"step": 1.5}',
        b'{"step": true}',
    ]
    bad += [b"\xff\x00", b"[" * 100_000, b'{"step": ' + b"9" * 5000 + b"}", b'{"step": NaN}', b'{"step": 1e999}', b""]
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b"\n".join([good[0], *bad, good[1], b'{"step": 4}']))
    MetricsLog(tmp_path, 3, tensorboard=False, say=pytest.fail)
    assert path.read_bytes().splitlines() == good
    rng = np.random.default_rng(7)
    for _ in range(120):
        path.write_bytes(mutated(b"\n".join(good), rng))
        MetricsLog(tmp_path, 3, tensorboard=False, say=pytest.fail)
        assert all(json.loads(line)["step"] <= 3 for line in path.read_bytes().splitlines())
