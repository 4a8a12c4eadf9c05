"""Run compiled jobs on several threads. The result does not depend, bit for bit, on which thread takes which job.

A batch is computed by torch's own OpenMP threads, through the entry point that compilers call, `GOMP_parallel`. These
threads spin for some milliseconds after each operation, so additional threads would share the cores with them
(measured: both directions in parallel took as long as one after the other). Helper threads (`asr.recurrent.threads`)
compute a single utterance, and a batch if OpenMP cannot be found or has lost its threads in a fork.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from asr.recurrent import forked, threads
from asr.recurrent.compiled.fields import Job

_Function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_READABLE = (torch.float32, torch.int64)  # types that the kernels read


def run(function: Any, work: Sequence[Job]) -> None:
    """Run all jobs of a function of `jobs`, in any order, and wait for them."""
    table = _table(work)
    entry, address = function.address, table.ctypes.data
    n_threads = threads.of_one_utterance()
    parallel = _openmp() if n_threads is None and not forked.threads_were_lost() else None
    n_threads = min(n_threads or torch.get_num_threads(), len(work))
    if n_threads == 1:
        _Function(entry)(address)
    elif parallel is not None:
        parallel(entry, address, torch.get_num_threads(), 0)
    else:
        threads.side_by_side([partial(_take_jobs, entry, table, work)] * n_threads)


def _take_jobs(entry: int, table: npt.NDArray[np.int64], work: Sequence[Job]) -> None:
    """Run jobs of a table until none is left; `work` keeps their memory alive."""
    _Function(entry)(table.ctypes.data)


def _table(work: Sequence[Job]) -> npt.NDArray[np.int64]:
    """Return the table of jobs in the form that the functions of `jobs` read."""
    flat = [_flat(job) for job in work]
    size = max(map(len, flat))
    numbers = [0, len(flat), size]
    for job in flat:
        numbers += job
        numbers += [0] * (size - len(job))
    return np.array(numbers, dtype=np.int64)


def _flat(job: Job) -> list[int]:
    """Return the kind of a job and its fields, in the order of their declaration, as integers."""
    numbers = [job.kind]
    for value in vars(job).values():
        if not isinstance(value, Tensor):
            numbers.append(value)
            continue
        strides = value.stride()
        if value.dtype not in _READABLE or strides[-1] != 1 or not value.is_cpu:
            found = f"{value.dtype} with strides {strides} on {value.device}"
            expected = "float32 or int64 on the CPU with adjacent columns"
            raise TypeError(f"a kernel cannot read {found}; expected {expected}")  # it would read wrong memory
        rows, step = (1, value.shape[0]) if len(strides) == 1 else (value.shape[0], strides[0])
        numbers += (value.data_ptr(), rows, step)
    return numbers


@cache
def _openmp() -> Callable[..., Any] | None:
    """Return `GOMP_parallel(function, data, threads, flags)` of this process's OpenMP library; None without one."""
    try:
        entry = ctypes.CDLL(None).GOMP_parallel
    except (AttributeError, TypeError, OSError):  # another kind of OpenMP; on Windows there is no such handle
        return None
    entry.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
    entry.restype = None
    return entry
