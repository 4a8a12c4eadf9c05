"""How far some work is, for who waits for it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Hears `(what, done, total)`."""


def silent(what: str, done: int, total: int) -> None:
    """Show nothing."""
