"""Loops over arrays that numba compiles where it is installed, and that run as plain Python otherwise."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from asr.extras import installed


class Loop:
    """A function over arrays and numbers that runs in plain Python when called, and that numba can compile.

    Args:
        source: the function. The only functions of its module that it may call are the `parts`.
        parts: the loops that the function calls.

    >>> @Loop
    ... def total(values):
    ...     result = 0.0
    ...     for value in values:
    ...         result += value
    ...     return result
    >>> total.run(False, np.array([1.0, 2.5]))
    3.5
    """

    def __init__(self, source: Callable[..., Any], parts: Sequence[Loop] = ()) -> None:
        self.source, self.parts = source, tuple(parts)
        self.__doc__ = source.__doc__

    def __call__(self, *values: Any) -> Any:
        """Run the function in plain Python."""
        return self.source(*values)

    def run(self, compiled: bool, *values: Any) -> Any:
        """Run the function, compiled or in plain Python.

        Plain Python gets memory views instead of arrays: it reads their elements three times as fast.

        Args:
            compiled: True to compile the function with numba at the first call; numba must be installed.
            values: the function's arguments: numbers, arrays, and tuples of these.
        """
        return self.compiled(*values) if compiled else self.source(*map(_viewed, values))

    @cached_property
    def compiled(self) -> Callable[..., Any]:
        """The same function compiled by numba; it releases the GIL while it runs.

        numba compiles at the first call with each combination of types, and caches the machine code on disk where it
        can write there.
        """
        import numba

        source = self.source
        assert isinstance(source, FunctionType)
        names = source.__globals__ | {part.source.__name__: part.compiled for part in self.parts}
        copy = FunctionType(source.__code__, names, source.__name__, source.__defaults__, source.__closure__)
        copy.__module__, copy.__qualname__ = source.__module__, source.__qualname__
        options = {"nogil": True, "error_model": "numpy"}
        try:
            copy.__qualname__ += self._version
            return numba.njit(cache=True, **options)(copy)  # type: ignore[no-any-return]
        except (RuntimeError, OSError):  # no folder to cache in, or no file of the source
            return numba.njit(**options)(copy)  # type: ignore[no-any-return]

    @property
    def _version(self) -> str:
        """A hash of the other files that the parts come from; empty if there are none.

        numba's cache notices changes in the function's own file only. With this hash in the function's name, a change
        in another file also invalidates the cache.
        """
        others = sorted(self._files() - {_file_of(self.source)})
        if not others:
            return ""
        return "_" + hashlib.sha256(b"".join(Path(one).read_bytes() for one in others)).hexdigest()[:16]

    def _files(self) -> set[str]:
        return {_file_of(self.source)}.union(*(part._files() for part in self.parts))


def can_compile() -> bool:
    """Return whether numba is installed."""
    return installed("numba")


def worth_compiling(is_much: bool) -> bool:
    """Return whether to compile a loop: numba is installed, and loaded already or worth loading.

    Importing numba takes longer than a small amount of work.

    Args:
        is_much: whether there is enough work to justify importing numba.
    """
    return (is_much or "numba" in sys.modules) and can_compile()


def _file_of(source: Callable[..., Any]) -> str:
    assert isinstance(source, FunctionType)
    return source.__code__.co_filename


def _viewed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.data
    if isinstance(value, tuple):
        return type(value)(*map(_viewed, value)) if hasattr(value, "_fields") else tuple(map(_viewed, value))
    return value
