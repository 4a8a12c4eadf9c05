"""Checks for the types of plain (JSON) values that come from outside.

Each function returns its value with the checked type, or raises a ValueError that states in one short line what was
found and what was expected.

>>> whole(3)
3
>>> whole("3")
Traceback (most recent call last):
ValueError: found '3', expected a whole number, 0 or more
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

Plain: TypeAlias = "bool | int | float | str | Sequence[Plain] | Mapping[str, Plain] | None"
"""A value that JSON can hold."""
PlainFields: TypeAlias = Mapping[str, Plain]
"""Values that JSON can hold, by field name."""

T = TypeVar("T")
_LARGEST = 2**53  # whole numbers up to here are the same in every program that reads JSON


def text(value: object) -> str:
    """Return a value that is a string."""
    return value if isinstance(value, str) else _refused(value, "text")


def whole(value: object, least: int = 0) -> int:
    """Return a value that is a whole number (not a bool) from `least` to 2**53."""
    good = isinstance(value, int) and not isinstance(value, bool) and least <= value <= _LARGEST
    return value if good else _refused(value, f"a whole number, {least} or more")  # type: ignore[return-value]


def number(value: object) -> float:
    """Return a value that is a finite number (not a bool) of magnitude at most 1e300."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e300
    return value if good and math.isfinite(value) else _refused(value, "a number")  # type: ignore[arg-type,return-value]


def optional(read: Callable[[object], T], value: object) -> T | None:
    """Return None for None, otherwise `read(value)`.

    >>> optional(text, None), optional(text, "a")
    (None, 'a')
    """
    return None if value is None else read(value)


def record(value: object) -> Mapping[str, Any]:
    """Return a value that is a mapping (a JSON object)."""
    return value if isinstance(value, Mapping) else _refused(value, "an object with named fields")


def texts(value: object) -> tuple[str, ...]:
    """Return a value that is a list of strings, as a tuple.

    >>> texts(["a", "b"])
    ('a', 'b')
    """
    return tuple(text(one) for one in value) if isinstance(value, list | tuple) else _refused(value, "a list of texts")


def _refused(value: object, expected: str) -> Any:
    kind = {dict: "an object", list: "a list", int: "a number of many digits"}.get(type(value), "something else")
    short = value is None or isinstance(value, str | float) or (isinstance(value, int) and abs(value) < 10**18)
    raise ValueError(f"found {f'{value!r:.60}' if short else kind}, expected {expected}")
