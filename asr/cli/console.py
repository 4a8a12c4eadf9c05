"""Output functions of all commands: results go to standard output, everything else to standard error.

Each string is printed as one line: a newline or escape sequence in it came from outside, and is shown as an escape.
Pass several lines as several strings.
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
    """Return whether standard error is a terminal; the environment variable `FORCE_COLOR` counts as one."""
    return sys.stderr.isatty() or bool(os.environ.get("FORCE_COLOR"))


def say(*lines: str) -> None:
    """Print lines on standard error, above the progress bars if there are any."""
    _print("", "", lines)


def warn(message: str) -> None:
    """Print a warning as one line on standard error."""
    _print("warning:", "bold yellow", [message])


def fail(error: AsrError | OSError) -> None:
    """Print an error on standard error: its message after `error:`, without a traceback."""
    _print("error:", "bold red", error.lines if isinstance(error, AsrError) else [_sentence(error)])


def _print(heading: str, style: str, lines: Sequence[str]) -> None:
    """Print lines, with a heading in front of the first one."""
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
    """Return a message with the file and the reason, without `[Errno 2]`."""
    files = [printable(str(name)) for name in (error.filename, error.filename2) if name is not None]
    reason = error.strerror or str(error)
    return f"{' -> '.join(files)}: {reason}; --debug shows where" if files else f"{reason}; --debug shows where"
