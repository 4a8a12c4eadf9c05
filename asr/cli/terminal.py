"""A terminal as commands draw on it, with rich, which is imported only where standard error is one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.segment import Segment

from asr.printable import printable


class Terminal(Console):
    """A console that sends no escape sequences but its own, whatever it draws."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render anything, with foreign control characters as visible escapes."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text, keep="\n"), segment.style)

    def print(self, *objects: Any, **settings: Any) -> None:
        """Print each string as one line; `sep` and `end` may hold newlines."""
        super().print(*(printable(one) if isinstance(one, str) else one for one in objects), **settings)


terminal = Terminal(stderr=True, highlight=False, markup=False, emoji=False)  # options and paths hold brackets


def bars() -> Progress:
    """A display of bars, one below the other, not yet drawn; lines that are printed stand above them."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeRemainingColumn(),
        console=terminal,
        transient=True,
        redirect_stdout=False,  # our own streams filter what is printed
        redirect_stderr=False,
    )
