"""`asr-train` stopped or killed with all its processes ends with the same bits as a run in peace."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from asr.training.checkpoint import load_checkpoint
from tests.tones import make_corpus, small_run

_CODE = "import sys; sys.argv[0] = 'asr-train'; from asr.cli.train import main; main()"
_HARD = {  # everything that draws random numbers, and a checkpoint after every step
    "augment": "strong",
    "augment.speeds": "[0.9,1.0,1.1]",
    "training.epochs": "12",
    "training.checkpoint_seconds": "0",
    "training.weight_noise": "0.02",
    "training.average_decay": "0.9",
    "model.dropout": "0.2",
    "model.layers": "2",
    "schedule": "plateau",
}


def start(arguments: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _CODE, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the file is there or the process has ended."""
    while not path.exists() and process.poll() is None:
        time.sleep(0.01)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("tones"), {"train": 16, "dev": 4, "test": 4})


@pytest.fixture(scope="module")
def peaceful(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("peaceful")
    assert start(small_run(root, run_dir=str(folder), **_HARD)).wait() == 0
    return folder


def check_same(peaceful: Path, other: Path) -> None:
    """Compare the checkpoints of two runs, and look for what unfinished writing left."""
    for name in ("last.pt", "best.pt"):
        one, two = (load_checkpoint(run / "checkpoints" / name) for run in (peaceful, other))
        assert one["weights"].keys() == two["weights"].keys()
        for key, value in one["weights"].items():
            assert torch.equal(value, two["weights"][key]), (name, key)
        assert one["state"]["step"] == two["state"]["step"]
    names = sorted(path.name for path in (other / "checkpoints").iterdir() if not path.name.startswith("."))
    assert names == ["best.pt", "last.pt"]


@pytest.mark.slow
def test_a_run_killed_at_random_points_ends_with_the_same_bits(root: Path, peaceful: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    rng = random.Random(int(os.environ.get("KILL_SEED", "4")))
    kills = 0
    while True:
        process = start(small_run(root, run_dir=str(killed), **_HARD, **{"training.workers": str(kills % 2)}))
        wait_for(killed / "checkpoints" / "last.pt", process)
        try:
            process.wait(timeout=rng.uniform(0.5, 2.0) if kills < 4 else None)
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    assert process.returncode == 0
    assert kills > 0
    check_same(peaceful, killed)


@pytest.mark.slow
def test_a_batch_system_that_stops_all_processes_gets_a_checkpoint_and_143(
    root: Path, peaceful: Path, tmp_path: Path
) -> None:
    stopped = tmp_path / "stopped"
    process = start(small_run(root, run_dir=str(stopped), **_HARD, **{"training.workers": "2"}))
    wait_for(stopped / "checkpoints" / "last.pt", process)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    assert load_checkpoint(stopped / "checkpoints" / "last.pt")["state"]["epoch"] < 12
    assert start(small_run(root, run_dir=str(stopped), **_HARD)).wait() == 0
    check_same(peaceful, stopped)
