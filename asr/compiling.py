"""Loops over arrays with a single source: numba compiles them where it is installed, otherwise Python runs them."""

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
        source: the function; it may call no functions of its module but `parts`.
        parts: the loops that the function calls.
    """

    def __init__(self, source: Callable[..., Any], parts: Sequence[Loop] = ()) -> None:
        self.source, self.parts = source, tuple(parts)
        self.__doc__ = source.__doc__

    def __call__(self, *values: Any) -> Any:
        """Run the function in plain Python."""
        return self.source(*values)

    def run(self, compiled: bool, *values: Any) -> Any:
        """Run it compiled, or in plain Python over views of the arrays, whose elements it reads three times as fast.

        Args:
            compiled: which of both.
            values: numbers, arrays, and tuples that hold them.
        """
        return self.compiled(*values) if compiled else self.source(*map(_viewed, values))

    @cached_property
    def compiled(self) -> Callable[..., Any]:
        """The same, compiled at its first call with such types; it lets go of the lock of the interpreter.

        Machine code is kept on disk where a folder for it can be written.
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
        """A hash of the parts' sources in other files; numba looks for changes in the loop's own file only.

        It is a part of the name under which machine code is kept.
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
    """Whether to compile a loop: importing numba for little work would take longer than the work does.

    Args:
        is_much: whether there is so much to do that numba is worth its loading.
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
