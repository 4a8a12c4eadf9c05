"""The outlets of all commands: results on standard output, everything else on standard error.

A string is one line: a newline or an escape sequence in it came from outside and is shown as an escape. Lines of our
own are strings of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from asr.errors import AsrError
from asr.printable import printable


class _Console(Console):
    """A console that sends no escape sequences but its own, whatever it draws."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render anything, with foreign control characters as visible escapes."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text, keep="\n"), segment.style)

    def print(self, *objects: Any, **settings: Any) -> None:
        """Print each string as one line; `sep` and `end` may hold newlines."""
        super().print(*(printable(one) if isinstance(one, str) else one for one in objects), **settings)


console = _Console(stderr=True, highlight=False, markup=False, emoji=False)  # options and paths hold brackets


def write_line(*fields: object) -> None:
    """Print one line on standard output, with tabs between the fields."""
    print("\t".join(printable(str(one)) for one in fields), flush=True)


def warn(message: str) -> None:
    """Print a warning as one line."""
    console.print(Text.assemble(("warning:", "bold yellow"), " ", printable(message)), soft_wrap=True)


def fail(error: AsrError | OSError) -> None:
    """Print an error as one clear paragraph."""
    first, *others = error.lines if isinstance(error, AsrError) else [_sentence(error)]
    console.print(Text.assemble(("error:", "bold red"), " ", printable(first)), soft_wrap=True)
    console.print(*others, sep="\n", end="\n" if others else "", soft_wrap=True)


def _sentence(error: OSError) -> str:
    """Say which file the system refused, and why; without `[Errno 2]`."""
    files = [printable(str(name)) for name in (error.filename, error.filename2) if name is not None]
    reason = error.strerror or str(error)
    return f"{' -> '.join(files)}: {reason}; --debug shows where" if files else f"{reason}; --debug shows where"
