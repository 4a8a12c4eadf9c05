"""Plain values, which JSON can hold, and typed values out of those that come from outside.

Each function returns the value, or raises a ValueError that says in one short line what was expected.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

Plain: TypeAlias = "bool | int | float | str | Sequence[Plain] | Mapping[str, Plain] | None"
"""What JSON can hold."""
PlainFields: TypeAlias = Mapping[str, Plain]
"""Values that JSON can hold, by name: what files are named after, say."""

T = TypeVar("T")
_LARGEST = 2**53  # whole numbers up to here are the same in every program that reads JSON


def text(value: object) -> str:
    """Return a string."""
    return value if isinstance(value, str) else _refused(value, "text")


def whole(value: object, least: int = 0) -> int:
    """Return a whole number of at least `least`."""
    good = isinstance(value, int) and not isinstance(value, bool) and least <= value <= _LARGEST
    return value if good else _refused(value, f"a whole number, {least} or more")  # type: ignore[return-value]


def number(value: object) -> float:
    """Return a finite number."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e300
    return value if good and math.isfinite(value) else _refused(value, "a number")  # type: ignore[arg-type,return-value]


def optional(read: Callable[[object], T], value: object) -> T | None:
    """Return None for None; else what `read` returns."""
    return None if value is None else read(value)


def record(value: object) -> Mapping[str, Any]:
    """Return an object with named fields."""
    return value if isinstance(value, Mapping) else _refused(value, "an object with named fields")


def texts(value: object) -> tuple[str, ...]:
    """Return a list of strings as a tuple."""
    return tuple(text(one) for one in value) if isinstance(value, list | tuple) else _refused(value, "a list of texts")


def _refused(value: object, expected: str) -> Any:
    kind = {dict: "an object", list: "a list", int: "a number of many digits"}.get(type(value), "something else")
    short = value is None or isinstance(value, str | float) or (isinstance(value, int) and abs(value) < 10**18)
    raise ValueError(f"found {f'{value!r:.60}' if short else kind}, expected {expected}")
