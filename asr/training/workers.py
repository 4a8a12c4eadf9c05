"""Worker processes that prepare batches while the training loop computes."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from types import FrameType
from typing import Any, Generic

from torch.utils.data import DataLoader, Dataset

from asr.errors import AsrError, DataError, TrainingError
from asr.training.task import B, Examples

_POSIX = os.name == "posix"
_FOR_THE_LOOP = (signal.SIGTERM, signal.SIGINT)
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_FEWER = "resume with training.workers=0 or fewer, or begin a new run with smaller batches (training.frame_budget)"
_MORE_ROOM = "give it more room (Docker: --shm-size=1g), or resume with training.workers=0"


def load_batches(
    examples: Examples[B], batches: Sequence[Sequence[int]], epoch: int, workers: int = 0
) -> Generator[B, None, None]:
    """Yield the batches of an epoch in order; the number of workers only affects the speed.

    Close the generator to end the workers. They also end after the last batch, and when this process dies.

    Args:
        examples: the training data.
        batches: the indices of each batch.
        epoch: the number of the epoch, from 0.
        workers: the number of worker processes; 0 prepares the batches in this process.

    Raises:
        TrainingError: a worker process was lost; or memory, shared memory or file handles ran out.
        AsrError, OSError: loading a batch failed, here or in a worker.
    """
    if workers == 0 or not batches:
        for indices in batches:
            yield examples.load_batch(indices, epoch)
        return
    crew = _Crew(examples, batches, epoch, workers)
    try:
        for _ in batches:
            yield crew.receive()
    finally:
        crew.dismiss()


@dataclass(frozen=True)
class _Failure:
    """An error in a worker, which the loop's process raises again."""

    error: Exception


class _Packed(Dataset[Any]):
    """The batches of one epoch, packed for transport to the loop's process.

    Packing moves tensors into shared memory. PyTorch would do this in a thread of its queue. If shared memory is full,
    that thread prints an error and drops the batch, and the loop waits for it forever.
    """

    def __init__(self, examples: Examples[Any], batches: Sequence[Sequence[int]], epoch: int) -> None:
        self._examples, self._batches, self._epoch = examples, batches, epoch

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, position: int) -> bytes | _Failure:
        try:
            return bytes(ForkingPickler.dumps(self._examples.load_batch(self._batches[position], self._epoch)))
        except (AsrError, OSError) as error:
            return _Failure(error if _can_be_pickled(error) else DataError(str(error)))
        except (MemoryError, RuntimeError) as error:
            if shortage := _shortage(error):
                return _Failure(TrainingError(shortage))
            raise


class _Crew(Generic[B]):
    """The worker processes of one epoch."""

    def __init__(self, examples: Examples[B], batches: Sequence[Sequence[int]], epoch: int, workers: int) -> None:
        self._workers, self._waiting = workers, False
        parent = 0 if multiprocessing.get_start_method() == "forkserver" else os.getpid()
        loader: DataLoader[Any] = DataLoader(
            _Packed(examples, batches, epoch),
            batch_size=None,
            num_workers=workers,
            worker_init_fn=partial(_begin, parent),
        )
        others = multiprocessing.active_children()
        try:
            with _signals_blocked():
                self._batches: Any = iter(loader)
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise TrainingError(
                f"worker processes (training.workers={workers}) cannot start: {reason}; the last checkpoint is kept; "
                "resume with training.workers=0 or fewer"
            ) from error
        self._processes = [one for one in multiprocessing.active_children() if one not in others]
        self._torch_handler = signal.getsignal(signal.SIGCHLD) if _POSIX else None
        self._handle_child_signals(self._child_ended)

    def receive(self) -> B:
        """Return the next batch.

        Raises:
            TrainingError, AsrError, OSError: see `load_batches`.
        """
        self._waiting = True
        try:
            self._check()
            packed = next(self._batches)
            batch: B | _Failure = packed if isinstance(packed, _Failure) else pickle.loads(packed)
        except (RuntimeError, OSError, EOFError) as error:
            self._check(error)
            if shortage := _shortage(error):
                raise TrainingError(shortage) from error
            raise
        finally:
            self._waiting = False
        if isinstance(batch, _Failure):
            raise batch.error
        return batch

    def dismiss(self) -> None:
        """End the workers. Each may finish its current batch, for some seconds at most."""
        try:
            self._batches._shutdown_workers()  # a traceback may keep the object alive, so its destructor runs too late
        finally:
            for process in self._processes:
                if process.is_alive():
                    process.kill()
                    process.join()
            self._handle_child_signals(self._torch_handler)

    def _check(self, cause: Exception | None = None) -> None:
        """Raise a TrainingError if a worker failed; with a cause, also if a worker ended without a failure."""
        lost = next((one for one in self._processes if one.exitcode or (cause and not one.is_alive())), None)
        if lost is not None:
            raise TrainingError(_describe_loss(lost, self._workers)) from cause

    def _child_ended(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGCHLD: let PyTorch report a lost worker only while the loop waits for a batch.

        PyTorch's own handler would raise an error at any point of the program, such as while a checkpoint is written.
        """
        try:
            if callable(self._torch_handler):
                self._torch_handler(number, frame)
        except RuntimeError:
            if self._waiting:
                raise

    def _handle_child_signals(self, handler: Any) -> None:
        if callable(self._torch_handler):  # PyTorch sets its handler in the main thread only
            signal.signal(signal.SIGCHLD, handler)


def _begin(parent: int, worker: int) -> None:
    """Initialise a worker: ignore SIGTERM and Ctrl-C, and end when the loop's process ends.

    Terminals and batch systems send a signal to all processes of a group; only the loop should react to it.

    Args:
        parent: the id of the loop's process; 0 if it is not the parent.
        worker: the number of the worker, unused.
    """
    for number in _FOR_THE_LOOP:
        signal.signal(number, signal.SIG_IGN)
    if _POSIX:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FOR_THE_LOOP)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent and os.getppid() != parent:  # the loop's process ended before the line above
        os._exit(0)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Block signals inside a `with` block that starts workers; they inherit this, so none reaches them too early."""
    if not _POSIX:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FOR_THE_LOOP)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _describe_loss(process: BaseProcess, workers: int) -> str:
    code = process.exitcode or 0
    names = {one.value: one.name for one in signal.Signals}
    how = f"was killed by {names.get(-code, -code)}" if code < 0 else f"ended with status {code}"
    if code == -signal.SIGKILL:
        why, remedy = "most likely because memory ran out", _FEWER
    elif _POSIX and code == -signal.SIGBUS:
        why, remedy = "most likely because shared memory (/dev/shm) is full", _MORE_ROOM
    else:
        why, remedy = "most likely by a fault in a library that reads the data", "resume with training.workers=0"
    return f"a worker process (training.workers={workers}) {how}, {why}; the last checkpoint is kept; {remedy}"


def _shortage(error: Exception) -> str:
    """Return a message for an error that reports a lack of memory or file handles; empty for other errors."""
    text = str(error)
    if "Too many open files" in text:
        return (
            "too many open files between the loop and its worker processes; the last checkpoint is kept; "
            "raise the limit (ulimit -n 4096), or resume with training.workers=0"
        )
    if "shared memory" in text:
        reason = text.rpartition(": ")[2]
        return (
            f"a worker process cannot put a batch into shared memory (/dev/shm): {reason}; the last checkpoint is "
            f"kept; {_MORE_ROOM}"
        )
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return f"memory ran out in a worker process; the last checkpoint is kept; {_FEWER}"
    return ""


def _can_be_pickled(error: Exception) -> bool:
    """Return whether an error can be pickled and unpickled with its message."""
    try:
        return str(pickle.loads(pickle.dumps(error))) == str(error)
    except Exception:  # an error's constructor can raise anything
        return False
