"""Threads for a single utterance: one thread for a small network, one per direction for a large network.

After each operation, OpenMP waits for all of its threads. If another process keeps a core busy, one thread is late:
recognising an utterance took 3 to 50 times as long in two threads as in one. Therefore torch computes one utterance in
one thread. If the network is large enough, the directions of a layer run in parallel, by `side_by_side`: the calling
thread runs a direction itself if its helper has not started it. The result is the same, bit for bit.
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

# The least number of multiplications in one direction of a layer for which a helper pays. An utterance then takes 0.6
# to 0.8 times as long as in one thread, or at most 1.1 times if another process keeps a core busy. The limit for the
# LSTM of torch is higher than for our kernels, because it shares cores less well.
_WORTH_A_HELPER_OF_KERNELS = 2**24
_WORTH_A_HELPER = 2**26

_Result = TypeVar("_Result")


class _Chosen(threading.local):
    n_threads: int | None = None


_chosen = _Chosen()


@contextmanager
def for_one_utterance(multiplications: int, kernels: bool = False) -> Iterator[None]:
    """Limit torch to one thread in a `with` block; for a large network let `side_by_side` use torch's threads.

    Like `torch.set_num_threads`, this affects the whole process: a thread that uses torch for the first time while
    another thread is in such a block keeps a limit of one thread.

    Args:
        multiplications: the number of multiplications in one direction of one layer.
        kernels: whether our kernels compute them, instead of torch.
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
    """Return the number of threads that `side_by_side` may use; None outside of `for_one_utterance`."""
    return _chosen.n_threads


def side_by_side(tasks: Sequence[Callable[[], _Result]]) -> list[_Result]:
    """Run the first task in this thread and the others in helper threads; then run tasks here that no helper started.

    Args:
        tasks: one task or more, none of which needs a gradient. If one fails, others may continue for a while, so they
            must keep their data alive themselves.

    Returns:
        The results of the tasks, in the same order.
    """
    helpers = [_submit(task, len(tasks) - 1) for task in tasks[1:]]
    results = [tasks[0]()]
    for task, helper in zip(tasks[1:], helpers, strict=True):
        results.append(task() if helper.cancel() else helper.result())
    return results


def _submit(task: Callable[[], _Result], n_helpers: int) -> Future[_Result]:
    """Submit a task to the helpers; return a future that never starts if no helper can be had."""
    try:
        return _helpers(n_helpers, os.getpid()).submit(_without_gradient, task)
    except RuntimeError:  # the system has no more threads, or Python is shutting down
        return Future()


def _without_gradient(task: Callable[[], _Result]) -> _Result:
    """Run a task without gradient; the caller's `torch.no_grad` does not apply to another thread."""
    with torch.no_grad():
        return task()


@cache
def _helpers(count: int, process: int) -> ThreadPoolExecutor:
    """Return the helper threads of a process; a forked process starts its own, because threads are not copied."""
    return ThreadPoolExecutor(count, thread_name_prefix="recurrent")
