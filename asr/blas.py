"""Limit numpy's matrix products to one thread while a network runs or frames are computed.

numpy ships with OpenBLAS, which splits even a vector-matrix product over all cores and lets the threads spin between
products. On two busy cores, the thousand small products of one utterance took three times as long as in one thread, and
computing its frames took six times as much processor time. The limit applies to the whole process, so it is lifted when
the last caller has finished. Libraries other than OpenBLAS are not changed.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np


class _Blas(NamedTuple):
    n_threads: Callable[[], int]
    limit: Callable[[int], object]


class _Running:
    """The number of callers inside `one_thread`, and the number of threads to restore after the last one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.calls = 0
        self.n_threads = 1

    def forget(self) -> None:
        """Reset in a forked child process, where no other thread exists."""
        if self.calls and (blas := _blas()):
            blas.limit(self.n_threads)
        self.calls = 0
        self.lock.release()


_running = _Running()
if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(
        before=_running.lock.acquire, after_in_parent=_running.lock.release, after_in_child=_running.forget
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit numpy's products to one thread inside a `with` block; several threads may be in such a block at once."""
    blas = _blas()
    if blas is None:
        yield
        return
    with _running.lock:
        if _running.calls == 0:
            _running.n_threads = blas.n_threads()
            blas.limit(1)
        _running.calls += 1
    try:
        yield
    finally:
        with _running.lock:
            _running.calls -= 1
            if _running.calls == 0:
                blas.limit(_running.n_threads)


@cache
def _blas() -> _Blas | None:
    """Return the thread functions of the OpenBLAS that numpy uses; None if no OpenBLAS is found."""
    for path in _libraries():
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for prefix in ("scipy_", ""):
            for suffix in ("64_", ""):
                names = [f"{prefix}openblas_{verb}_num_threads{suffix}" for verb in ("get", "set")]
                if all(hasattr(library, name) for name in names):
                    return _Blas(*(getattr(library, name) for name in names))
    return None


def _libraries() -> Iterator[Path]:
    """Yield the paths of OpenBLAS libraries: the one shipped with numpy, then those loaded by this process."""
    numpy = Path(np.__file__).parent
    for folder in (numpy.parent / "numpy.libs", numpy / ".dylibs"):
        yield from sorted(folder.glob("*openblas*"))
    if sys.platform == "linux":
        with suppress(OSError):  # a hardened system may hide /proc
            lines = Path("/proc/self/maps").read_text(errors="replace").splitlines()
            yield from sorted({Path(line.split(maxsplit=5)[5]) for line in lines if "openblas" in line})
