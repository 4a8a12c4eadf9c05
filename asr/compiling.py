"""Loops over arrays with a single source: numba compiles them where it is installed, otherwise Python runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from types import FunctionType
from typing import Any

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

    @cached_property
    def compiled(self) -> Callable[..., Any]:
        """The function compiled by numba, at its first call with each set of types; it runs without the GIL."""
        import numba

        source = self.source
        assert isinstance(source, FunctionType)
        names = source.__globals__ | {part.source.__name__: part.compiled for part in self.parts}
        copy = FunctionType(source.__code__, names, source.__name__, source.__defaults__, source.__closure__)
        copy.__module__, copy.__qualname__ = source.__module__, source.__qualname__
        return numba.njit(cache=True, nogil=True, error_model="numpy")(copy)  # type: ignore[no-any-return]


def can_compile() -> bool:
    """Return whether numba is installed."""
    return installed("numba")
