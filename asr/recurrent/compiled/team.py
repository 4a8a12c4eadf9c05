"""Run compiled jobs on the threads that torch already has.

torch's CPU threads wait for work by spinning for some milliseconds after each operation; threads of our own would share
the cores with them (measured: both directions side by side took as long as one after the other). So the jobs go to
torch's own OpenMP team, through the entry that compilers call, `GOMP_parallel`. Where that cannot be found, threads of
our own do the jobs. Each job writes its own part of the result: which thread takes it changes nothing.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Job = tuple[Tensor | int, ...]  # the kind, the matrices, the integers; of a matrix, the last stride is 1

_Function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def run(function: Any, work: Sequence[Job]) -> None:
    """Do all jobs of a function of `jobs`, in any order, on as many threads as torch uses; then return."""
    table = _table(work)
    address = table.ctypes.data
    entry = function.address
    n_threads = torch.get_num_threads()
    parallel = _openmp()
    if len(work) == 1 or n_threads == 1:
        _Function(entry)(address)
    elif parallel is not None:
        parallel(entry, address, n_threads, 0)
    else:
        futures = [_threads(n_threads - 1).submit(_Function(entry), address) for _ in range(n_threads - 1)]
        _Function(entry)(address)
        for future in futures:
            future.result()


def _table(work: Sequence[Job]) -> npt.NDArray[np.int64]:
    """The jobs as the functions of `jobs` read them."""
    flat = [_flat(job) for job in work]
    size = max(len(job) for job in flat)
    table = np.zeros(3 + len(flat) * size, dtype=np.int64)
    table[1:3] = len(flat), size
    for number, job in enumerate(flat):
        table[3 + number * size : 3 + number * size + len(job)] = job
    return table


def _flat(job: Job) -> list[int]:
    numbers: list[int] = []
    for value in job:
        if not isinstance(value, Tensor):
            numbers.append(value)
        elif value.dtype not in (torch.float32, torch.int64) or value.stride(-1) != 1 or value.device.type != "cpu":
            told = f"{value.dtype} with strides {value.stride()} on {value.device}"
            raise TypeError(f"a kernel cannot read {told}")  # it would not notice
        elif value.ndim == 1:
            numbers += (value.data_ptr(), 1, value.shape[0])
        else:
            numbers += (value.data_ptr(), value.shape[0], value.stride(0))
    return numbers


@cache
def _openmp() -> Callable[..., Any] | None:
    """`GOMP_parallel(function, data, threads, flags)` of the OpenMP library in this process, if there is one."""
    try:
        entry = ctypes.CDLL(None).GOMP_parallel
    except (AttributeError, TypeError, OSError):  # another kind of OpenMP; on Windows there is no such handle
        return None
    entry.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
    entry.restype = None
    return entry


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="recurrent")
