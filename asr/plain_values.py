"""Take typed values out of plain ones, as JSON from outside holds them.

Each function returns the value, or raises a ValueError that says in one short line what was expected.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")
_LARGEST = 2**53  # whole numbers up to here are the same in every program that reads JSON


def text(value: object) -> str:
    """A string."""
    return value if isinstance(value, str) else _refused(value, "text")


def whole(value: object, least: int = 0) -> int:
    """A whole number from `least` on."""
    good = isinstance(value, int) and not isinstance(value, bool) and least <= value <= _LARGEST
    return value if good else _refused(value, f"a whole number, {least} or more")  # type: ignore[return-value]


def number(value: object) -> float:
    """A finite number."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e300
    return value if good and math.isfinite(value) else _refused(value, "a number")  # type: ignore[arg-type,return-value]


def optional(read: Callable[[object], T], value: object) -> T | None:
    """None, or what `read` takes."""
    return None if value is None else read(value)


def record(value: object) -> Mapping[str, Any]:
    """An object with named fields."""
    return value if isinstance(value, Mapping) else _refused(value, "an object with named fields")


def texts(value: object) -> tuple[str, ...]:
    """A list of strings."""
    return tuple(text(one) for one in value) if isinstance(value, list | tuple) else _refused(value, "a list of texts")


def _refused(value: object, expected: str) -> Any:
    found = value if isinstance(value, str | bool | float) or value is None else type(value).__name__
    raise ValueError(f"found {found!r:.60}, expected {expected}")
