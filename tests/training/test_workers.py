"""Worker processes change nothing but the speed: signals are the loop's, and a lost worker is named."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from asr.errors import AsrError, ConfigError, DataError, Problems, TrainingError
from asr.training import loop
from asr.training.batches import Batch, collate
from asr.training.checkpoint import load_checkpoint
from asr.training.workers import load_batches
from tests.training.toy import Silent, ToyExamples, trainer
from tests.training.toy_run import SlowExamples

MEMORY = (
    r"^a worker process \(training\.workers=2\) was killed by SIGKILL, most likely because memory ran out; the last "
    r"checkpoint is kept; resume with training\.workers=0 or fewer, or begin a new run with smaller batches "
    r"\(training\.frame_budget\)$"
)


def test_workers_change_nothing() -> None:
    batches = [[0, 3], [5, 1, 2], [4]]
    alone = list(load_batches(ToyExamples(), batches, epoch=1, workers=0))
    helped = list(load_batches(ToyExamples(), batches, epoch=1, workers=2))
    assert [one.utt_ids for one in alone] == [one.utt_ids for one in helped]
    for one, other in zip(alone, helped, strict=True):
        assert torch.equal(one.frames, other.frames)
        assert torch.equal(one.labels, other.labels)
    assert multiprocessing.active_children() == []


def test_no_batches_need_no_workers() -> None:
    assert list(load_batches(ToyExamples(), [], epoch=0, workers=2)) == []


class Asked(ToyExamples):
    """Examples whose labels tell whether the process that makes them ignores SIGTERM and SIGINT."""

    def load_batch(self, indices: Sequence[int], epoch: int) -> Batch:
        ignored = [int(signal.getsignal(one) is signal.SIG_IGN) for one in (signal.SIGTERM, signal.SIGINT)]
        blocked = [int(one in signal.pthread_sigmask(signal.SIG_BLOCK, ())) for one in (signal.SIGTERM, signal.SIGINT)]
        return collate([np.zeros((1, 1), dtype=np.float32)], [ignored + blocked], ["u"], blank=0)


def test_workers_leave_signals_to_the_loop() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        assert next(load_batches(Asked(), [[0]], epoch=0, workers=1)).labels.tolist() == [[1, 1, 0, 0]]
        assert next(load_batches(Asked(), [[0]], epoch=0, workers=0)).labels.tolist() == [[0, 0, 0, 0]]
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
    finally:
        signal.signal(signal.SIGINT, before)


def test_closing_ends_the_workers_and_gives_the_handler_back() -> None:
    list(load_batches(ToyExamples(), [[0]], epoch=0, workers=1))  # PyTorch sets its handler now and never again
    handler = signal.getsignal(signal.SIGCHLD)
    left = load_batches(ToyExamples(), [[0], [1], [2], [3]], epoch=0, workers=2)
    next(left)
    assert len(multiprocessing.active_children()) == 2
    left.close()
    assert multiprocessing.active_children() == []
    assert signal.getsignal(signal.SIGCHLD) is handler


class Slow(ToyExamples):
    """Examples that take longer than anybody waits for."""

    def load_batch(self, indices: Sequence[int], epoch: int) -> Batch:
        if indices == [9]:
            time.sleep(60)
        return super().load_batch(indices, epoch)


def lose(number: int) -> None:
    """Kill a worker with a signal and wait for its end, without asking for its status: that is the loop's to do."""
    pid = multiprocessing.active_children()[0].pid or 0
    os.kill(pid, number)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (signal.SIGKILL, MEMORY),
        (signal.SIGBUS, r"was killed by SIGBUS, most likely because shared memory \(/dev/shm\) is full; .*--shm-size"),
        (signal.SIGSEGV, "was killed by SIGSEGV, most likely by a fault in a library that .*with training.workers=0$"),
        (signal.SIGRTMIN + 3, "was killed by 37, most likely"),
    ],
)
def test_a_worker_lost_between_batches_is_named(number: int, message: str) -> None:
    left = load_batches(ToyExamples(), [[0], [1], [2], [3], [4], [5], [6], [7]], epoch=0, workers=2)
    next(left)
    lose(number)
    with pytest.raises(TrainingError, match=message):
        next(left)
    assert multiprocessing.active_children() == []


def test_a_worker_lost_while_the_loop_waits_is_named_at_once() -> None:
    left = load_batches(Slow(), [[0], [9], [1]], epoch=0, workers=2)
    next(left)
    victims = [str(one.pid) for one in multiprocessing.active_children()]
    killer = subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -9 {' '.join(victims)}"])
    started = time.monotonic()
    with pytest.raises(TrainingError, match=MEMORY):
        next(left)
    assert time.monotonic() - started < 30  # and not 60
    killer.wait()


class Ending(ToyExamples):
    """Examples that end their process with a status."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status

    def load_batch(self, indices: Sequence[int], epoch: int) -> Batch:
        os._exit(self.status)


@pytest.mark.parametrize("status", [3, pytest.param(0, marks=pytest.mark.slow)])
def test_a_worker_that_ends_itself_is_named(status: int) -> None:
    with pytest.raises(TrainingError, match=rf"workers=1\) ended with status {status}, most likely by a fault in a"):
        list(load_batches(Ending(status), [[0], [1]], epoch=0, workers=1))


class LosesAWorker(Silent):
    """Kills a worker after some steps, as the kernel does when memory runs out."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.lose_at = steps

    def stepped(self, loss: float, size: int) -> None:
        super().stepped(loss, size)
        if self.steps == self.lose_at:
            lose(signal.SIGKILL)


def weights(folder: Path, name: str = "last.pt") -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_checkpoint(folder / "checkpoints" / name)["weights"]
    return found


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_a_run_that_lost_a_worker_resumes_as_if_nothing_had_been(tmp_path: Path) -> None:
    trainer(tmp_path / "whole").run()
    with pytest.raises(TrainingError, match=MEMORY):
        trainer(tmp_path / "lost", watcher=LosesAWorker(13), workers=2).run()
    assert load_checkpoint(tmp_path / "lost" / "checkpoints" / "last.pt")["state"]["epoch"] == 1
    trainer(tmp_path / "lost", workers=0).run()
    for name in ("last.pt", "best.pt"):
        assert same(weights(tmp_path / "whole", name), weights(tmp_path / "lost", name))


def test_a_worker_lost_while_a_checkpoint_is_written_does_not_stop_the_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch's own handler raised its error in the middle, which was taken for a full disk."""
    save = loop.save_checkpoint
    losses = []

    def losing(path: Path, state: Any) -> None:
        if multiprocessing.active_children() and not losses:
            losses.append(1)
            lose(signal.SIGKILL)
        save(path, state)

    monkeypatch.setattr(loop, "save_checkpoint", losing)
    with pytest.raises(TrainingError, match=MEMORY):
        trainer(tmp_path, workers=2, checkpoint_seconds=-1.0).run()
    assert losses
    assert load_checkpoint(tmp_path / "checkpoints" / "last.pt")["state"]["step"] == 1


class Refusing(ToyExamples):
    """Examples that raise an error."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def load_batch(self, indices: Sequence[int], epoch: int) -> Batch:
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DataError("u1: the recording is gone"), DataError),
        (ConfigError("an option"), ConfigError),
        (Problems(["one", "two"], "the corpus"), DataError),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a.wav"), FileNotFoundError),
    ],
)
def test_an_error_of_the_data_is_the_same_with_workers(error: Exception, kind: type[Exception]) -> None:
    for workers in (0, 1):
        with pytest.raises((AsrError, OSError)) as raised:
            next(load_batches(Refusing(error), [[0]], epoch=0, workers=workers))
        assert isinstance(raised.value, kind)
        assert str(raised.value) == str(error)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError("Unable to allocate 3 GiB"), r"^memory ran out in a worker process; .*training\.workers=0 or few"),
        (
            RuntimeError("unable to open shared memory object </torch_1> in read-write mode: Too many open files (24)"),
            r"^too many open files between .*ulimit -n 4096",
        ),
        (
            RuntimeError("unable to allocate shared memory(shm) for file </torch_1>: No space left on device (28)"),
            r"^a worker process cannot put a batch into shared memory \(/dev/shm\): No space left on device \(28\); "
            r"the last checkpoint is kept; give it more room \(Docker: --shm-size=1g\), or resume with training\.work",
        ),
    ],
)
def test_what_runs_out_in_a_worker_is_named(error: Exception, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        next(load_batches(Refusing(error), [[0]], epoch=0, workers=1))


@pytest.mark.parametrize("code", [errno.ENOMEM, errno.EAGAIN])
def test_workers_that_cannot_start_are_named(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse() -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fork", refuse)
    with pytest.raises(
        TrainingError,
        match=rf"^worker processes \(training\.workers=2\) cannot start: {os.strerror(code)}; .*training\.workers=0 or",
    ):
        next(load_batches(ToyExamples(), [[0]], epoch=0, workers=2))


def test_a_mistake_in_code_keeps_its_traceback() -> None:
    with pytest.raises(RuntimeError, match="Original Traceback"):
        next(load_batches(Refusing(RuntimeError("a mistake")), [[0]], epoch=0, workers=1))


_FULL = """
from asr.training.batches import collate
from asr.training.workers import load_batches
import numpy as np
class Large:
    def load_batch(self, indices, epoch):
        return collate([np.ones((300_000, 2), dtype=np.float32)], [[1]], ["u"], blank=0)
for batch in load_batches(Large(), [[0]] * 8, 0, workers=2):
    pass
"""


def test_really_full_shared_memory_is_named() -> None:
    mount = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=1m tmpfs /dev/shm && exec "$@"', "-"]
    try:
        subprocess.run([*mount, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this system does not let a test mount a small /dev/shm")
    done = subprocess.run([*mount, sys.executable, "-c", _FULL], capture_output=True, text=True, timeout=100)
    assert "TrainingError: a worker process cannot put a batch into shared memory (/dev/shm): No space" in done.stderr


def start(folder: Path, workers: int) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a toy run as the leader of a process group; returns with its first step, and its workers' ids."""
    run = subprocess.Popen(
        [sys.executable, "-m", "tests.training.toy_run", str(folder), str(workers)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.stdout is not None
    return run, [int(pid) for pid in run.stdout.readline().split()]


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ended_within(seconds: float, pids: Sequence[int]) -> bool:
    until = time.monotonic() + seconds
    while any(running(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_a_signal_to_the_whole_group_stops_the_run_with_a_checkpoint(tmp_path: Path) -> None:
    run, workers = start(tmp_path / "stopped", workers=2)
    assert len(workers) == 2
    time.sleep(0.1)
    os.killpg(run.pid, signal.SIGTERM)
    assert run.wait(timeout=60) == 143
    assert ended_within(0, workers)
    state = load_checkpoint(tmp_path / "stopped" / "checkpoints" / "last.pt")["state"]
    assert 1 < state["step"] < 60
    for folder in ("stopped", "whole"):
        trainer(tmp_path / folder, epochs=8).run()
    for name in ("last.pt", "best.pt"):
        assert same(weights(tmp_path / "whole", name), weights(tmp_path / "stopped", name))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere PyTorch's workers look every five seconds")
def test_workers_die_with_the_run(tmp_path: Path) -> None:
    run, workers = start(tmp_path, workers=2)
    assert all(running(pid) for pid in workers)
    run.kill()
    run.wait()
    assert ended_within(2.0, workers)


def test_examples_of_the_toy_run_are_those_of_the_toy_task() -> None:
    assert torch.equal(SlowExamples().load_batch([1, 2], 0).frames, ToyExamples().load_batch([1, 2], 0).frames)
