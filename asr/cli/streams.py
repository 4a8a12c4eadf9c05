"""Filters for standard output and standard error while a command runs.

Control characters become visible escapes, whatever prints them: a command, argparse, Hydra or a warning. A failure to
write to standard output is an error of the command; a failure to write to standard error is ignored.
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


class OutputClosed(Exception):  # noqa: N818  (not an error)
    """The program that reads standard output has ended, as `head` does."""


class Unfiltered(io.TextIOBase):
    """A standard stream that explains errors of writing and does not change the text.

    If `required`, writing raises an AsrError if the text cannot be written, and OutputClosed if the reader has ended.

    Args:
        stream: Python's own stream; None if it was closed before the program started (`>&-`).
        required: False to ignore text that cannot be written.
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
        """Write buffered text."""
        with self._explained():
            if self._stream is not None:
                self._stream.flush()

    def close(self) -> None:
        """Do nothing: Python closes its stream itself."""

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
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Return the file descriptor; raise an OSError if there is none."""
        return self._stream.fileno() if self._stream is not None else super().fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream; `utf-8` if it is closed."""
        return (self._stream and self._stream.encoding) or "utf-8"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)  # `buffer`, `reconfigure`


class Filtered(Unfiltered):
    """A standard stream that shows escape sequences instead of sending them."""

    def __init__(self, stream: TextIO | None, required: bool) -> None:
        super().__init__(stream, required)
        self.rich_proxied_file = Unfiltered(stream, required)  # rich writes its own escape sequences here

    def write(self, text: str, /) -> int:
        """Write a text with visible escapes for control characters except newlines and tabs."""
        return super().write(printable(text, keep="\n\t"))


@contextmanager
def filtered_streams() -> Iterator[None]:
    """Replace `sys.stdout` and `sys.stderr` by filtered streams inside a `with` block."""
    before = sys.stdout, sys.stderr
    _fill_closed_descriptors()
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # escape characters that the encoding lacks
    if not isinstance(sys.stdout, Filtered):  # it is one already if a command runs another command
        sys.stdout = Filtered(sys.stdout, required=True)
        sys.stderr = Filtered(sys.stderr, required=False)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def discard(stream: io.TextIOBase | TextIO) -> None:
    """Redirect a stream to the null device, so that flushing it when the program ends does not fail."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fill_closed_descriptors() -> None:
    """Open the null device as descriptor 0, 1 or 2 if one is closed.

    Otherwise the next opened file would get that number, and everything printed would be written into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
