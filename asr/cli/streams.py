"""Standard output and standard error as commands write to them.

Every character that steers a terminal becomes a visible escape, whoever prints it: a command, argparse, Hydra, a
warning. An error of writing is an error of the command on standard output, and is ignored on standard error.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from asr.errors import AsrError
from asr.printable import printable


class OutputClosed(Exception):  # noqa: N818  (no mistake of anybody's)
    """The program that reads standard output has ended, as `head` does."""


class Unfiltered(io.TextIOBase):
    """A standard stream with its errors explained; text passes as it is.

    Args:
        stream: what Python opened; None where the descriptor was closed before the start (`>&-`).
        required: whether text that cannot be written is an error.

    Raises:
        AsrError: on writing, the text cannot be written.
        OutputClosed: on writing, nobody reads any more.
    """

    def __init__(self, stream: TextIO | None, required: bool) -> None:
        super().__init__()
        self._stream = stream
        self._required = required

    def write(self, text: str, /) -> int:
        """Write a text."""
        with self._explained():
            if self._stream is None:
                raise OSError("it is closed")
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        with self._explained():
            if self._stream is not None:
                self._stream.flush()

    def close(self) -> None:
        """Leave the stream open: it is Python's."""

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not self._required:
                discard(self)
            elif isinstance(error, BrokenPipeError):
                raise OutputClosed from error
            else:
                raise AsrError(f"standard output cannot be written: {error.strerror or error}") from error

    def writable(self) -> bool:
        """Whether it is for writing: always."""
        return True

    def isatty(self) -> bool:
        """Whether a person sees it."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor; an OSError without one."""
        return self._stream.fileno() if self._stream is not None else super().fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """How text is encoded."""
        return (self._stream and self._stream.encoding) or "utf-8"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)  # `buffer`, `reconfigure`


class Filtered(Unfiltered):
    """A standard stream that shows escape sequences instead of sending them."""

    def __init__(self, stream: TextIO | None, required: bool) -> None:
        super().__init__(stream, required)
        self.rich_proxied_file = Unfiltered(stream, required)  # rich writes here; it has sequences of its own

    def write(self, text: str, /) -> int:
        """Write a text; newlines and tabs stay."""
        return super().write(printable(text, keep="\n\t"))


@contextmanager
def filtered_streams() -> Iterator[None]:
    """Put filtered streams into the place of `sys.stdout` and `sys.stderr` while the block runs."""
    before = sys.stdout, sys.stderr
    _fill_closed_descriptors()
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # no error where the encoding lacks a character
    if not isinstance(sys.stdout, Filtered):  # a command within a command
        sys.stdout = Filtered(sys.stdout, required=True)
        sys.stderr = Filtered(sys.stderr, required=False)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def discard(stream: io.TextIOBase | TextIO) -> None:
    """Send what is left for a stream nowhere, so that the end of the program does not fail over it."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fill_closed_descriptors() -> None:
    """Open the null device where 0, 1 or 2 is closed: else the next file gets the number, and what is printed on it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
