"""Drawing on a terminal with rich. This module is imported only if standard error is a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.segment import Segment

from asr.printable import printable


class Terminal(Console):
    """A rich console that shows control characters in text as visible escapes."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render an object; replace control characters in its text, but not rich's own escape sequences."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text, keep="\n"), segment.style)

    def print(self, *objects: Any, **settings: Any) -> None:
        """Print each string as one line; `sep` and `end` may contain newlines."""
        super().print(*(printable(one) if isinstance(one, str) else one for one in objects), **settings)


terminal = Terminal(stderr=True, highlight=False, markup=False, emoji=False)  # options and paths contain brackets


def bars() -> Progress:
    """Return a display of several progress bars, not started; printed lines appear above the bars."""
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
