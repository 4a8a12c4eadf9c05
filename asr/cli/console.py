"""The outlets of all commands: results on standard output, everything else on standard error.

A string is one line: a newline or an escape sequence in it came from outside and is shown as an escape. Lines of our
own are strings of their own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from asr.errors import AsrError
from asr.printable import printable


def write_line(*fields: object) -> None:
    """Print one line on standard output, with tabs between the fields."""
    print("\t".join(printable(str(one)) for one in fields), flush=True)


def on_terminal() -> bool:
    """Whether a person sees standard error; `FORCE_COLOR` says so where we cannot know."""
    return sys.stderr.isatty() or bool(os.environ.get("FORCE_COLOR"))


def say(*lines: str) -> None:
    """Print lines on standard error, above the bars where there are any."""
    _print("", "", lines)


def warn(message: str) -> None:
    """Print a warning as one line."""
    _print("warning:", "bold yellow", [message])


def fail(error: AsrError | OSError) -> None:
    """Print an error as one clear paragraph."""
    _print("error:", "bold red", error.lines if isinstance(error, AsrError) else [_sentence(error)])


def _print(heading: str, style: str, lines: Sequence[str]) -> None:
    """Print lines, the first behind a heading."""
    first, *others = lines
    if not on_terminal():
        before = f"{heading} " if heading else ""
        print(before + printable(first), *map(printable, others), sep="\n", file=sys.stderr)
        return
    from rich.text import Text

    from asr.cli.terminal import terminal

    headline = Text.assemble((heading, style), " " if heading else "", printable(first))
    terminal.print(headline, *others, sep="\n", soft_wrap=True)


def _sentence(error: OSError) -> str:
    """Say which file the system refused, and why; without `[Errno 2]`."""
    files = [printable(str(name)) for name in (error.filename, error.filename2) if name is not None]
    reason = error.strerror or str(error)
    return f"{' -> '.join(files)}: {reason}; --debug shows where" if files else f"{reason}; --debug shows where"
