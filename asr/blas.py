"""Keep the matrix products of numpy in one thread while a network runs or frames are computed.

OpenBLAS, which numpy brings, shares even the product of a vector with a matrix among all cores and lets their threads
spin in between. The thousand small products of one utterance then took three times as long on two busy cores as in one
thread, and those of its frames six times as much processor time. The setting holds for the whole process, so it is put
back as soon as nothing of this package multiplies. Another library than OpenBLAS is left as it is.
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
    """How many calls run, and the number of threads before the first of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.calls = 0
        self.n_threads = 1

    def forget(self) -> None:
        """Begin anew in a forked process, in which no other thread goes on."""
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
    """Limit the products of numpy to one thread for the length of a block; other threads may be in it too."""
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
    """Return the functions of the OpenBLAS that numpy uses; None if it uses another library, or hides it."""
    for path in _libraries():
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for before in ("scipy_", ""):
            for behind in ("64_", ""):
                names = [f"{before}openblas_{verb}_num_threads{behind}" for verb in ("get", "set")]
                if all(hasattr(library, name) for name in names):
                    return _Blas(*(getattr(library, name) for name in names))
    return None


def _libraries() -> Iterator[Path]:
    """Yield where an OpenBLAS is: the one that numpy brings, then those that this process has loaded."""
    numpy = Path(np.__file__).parent
    for folder in (numpy.parent / "numpy.libs", numpy / ".dylibs"):
        yield from sorted(folder.glob("*openblas*"))
    if sys.platform == "linux":
        with suppress(OSError):  # a hardened system may hide them
            lines = Path("/proc/self/maps").read_text(errors="replace").splitlines()
            yield from sorted({Path(line.split(maxsplit=5)[5]) for line in lines if "openblas" in line})
