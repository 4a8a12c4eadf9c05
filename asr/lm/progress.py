"""Callbacks for the progress of long work."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""A callback that is called with `(what, done, total)`."""


def silent(what: str, done: int, total: int) -> None:
    """Report nothing."""
