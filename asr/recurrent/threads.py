"""Threads for a single utterance: one thread, or helpers that nobody waits for until they have begun.

After each operation OpenMP waits for all of its threads, even for those that found nothing to do. Where another process
keeps a core busy, one of them comes late: recognising an utterance took 3 to 50 times as long in two threads as in one.
So torch computes one utterance in one thread. Where the network is so large that a second thread pays, the directions
of a layer run side by side, by `side_by_side`. None of this changes a bit of the result.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

import torch

# Multiplications of one direction of one layer from which on a helper pays. Where another process keeps a core busy, an
# utterance then takes at most 1.1 times as long as in one thread, and 0.6 to 0.8 times where none does. The LSTM of
# torch shares the cores less well than our kernels.
_WORTH_A_HELPER_OF_KERNELS = 2**24
_WORTH_A_HELPER = 2**26

_Result = TypeVar("_Result")


class _Chosen(threading.local):
    n_threads: int | None = None


_chosen = _Chosen()


@contextmanager
def for_one_utterance(multiplications: int, kernels: bool = False) -> Iterator[None]:
    """Limit torch to one thread; let `side_by_side` use as many as torch had if the network is large enough.

    Like `torch.set_num_threads`, this changes the whole process: a thread that uses torch for the first time while
    another thread is in here starts with one thread and keeps it.

    Args:
        multiplications: their number in one direction of one layer.
        kernels: whether our kernels do them; torch otherwise.
    """
    least = _WORTH_A_HELPER_OF_KERNELS if kernels else _WORTH_A_HELPER
    n_threads, outer = torch.get_num_threads(), _chosen.n_threads
    if n_threads > 1:
        torch.set_num_threads(1)
    _chosen.n_threads = n_threads if multiplications >= least else 1
    try:
        yield
    finally:
        _chosen.n_threads = outer
        if n_threads > 1:
            torch.set_num_threads(n_threads)


def of_one_utterance() -> int | None:
    """Return how many threads `side_by_side` may use; None outside of `for_one_utterance`."""
    return _chosen.n_threads


def side_by_side(tasks: Sequence[Callable[[], _Result]]) -> list[_Result]:
    """Run the first task in this thread and the others in helpers; then run here what no helper has begun.

    Args:
        tasks: 1 or more, none of which needs a gradient. Each holds what it works on: if one fails, others may go on
            for a while.

    Returns:
        Their results, in the same order.
    """
    helpers = [_given_to_helper(task, len(tasks) - 1) for task in tasks[1:]]
    results = [tasks[0]()]
    for task, helper in zip(tasks[1:], helpers, strict=True):
        results.append(task() if helper.cancel() else helper.result())
    return results


def _given_to_helper(task: Callable[[], _Result], n_helpers: int) -> Future[_Result]:
    try:
        return _helpers(n_helpers, os.getpid()).submit(_without_gradient, task)
    except RuntimeError:  # the system has no more threads, or Python is shutting down
        return Future()  # no helper ever begins it


def _without_gradient(task: Callable[[], _Result]) -> _Result:
    """Run a task without gradient, as its caller does: `torch.no_grad` holds for a single thread."""
    with torch.no_grad():
        return task()


@cache
def _helpers(count: int, process: int) -> ThreadPoolExecutor:
    """Return the helpers of a process; a forked process starts its own, because its parent's are not in it."""
    return ThreadPoolExecutor(count, thread_name_prefix="recurrent")
