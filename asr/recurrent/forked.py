"""Limit forked processes to one thread, because they would hang otherwise.

GNU OpenMP, which torch uses on Linux, does not survive a fork. In the child process, the first operation in several
threads waits forever for threads that only exist in the parent. Therefore a process that is forked after this module
was imported computes in one thread, and warns when its network first runs. To compute in several threads, start
processes with `multiprocessing.get_context("spawn")`. A forked process that raises the number of threads with
`torch.set_num_threads` still hangs.
"""

from __future__ import annotations

import os
import warnings

import torch

_lost = 0  # number of threads that torch had before the fork; 0 if this process lost none
_warned = False


def threads_were_lost() -> bool:
    """Return whether this process was forked from one in which torch used several threads."""
    return _lost > 0


def warn_once() -> None:
    """Warn, at the first call in this process, if it has lost its threads in a fork."""
    global _warned
    if _lost and not _warned:
        _warned = True
        warnings.warn(
            f"this process was forked from one that computes in {_lost} threads, and threads do not survive a fork: "
            "it computes in one thread; to use more, start it with multiprocessing.get_context('spawn')",
            RuntimeWarning,
            stacklevel=2,
        )


def _keep_one_thread() -> None:
    global _lost
    n_threads = torch.get_num_threads()
    if n_threads > 1:
        _lost = n_threads
        torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_keep_one_thread)
