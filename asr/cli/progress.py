"""The one progress display of all commands: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

console = Console(stderr=True, highlight=False, markup=False, emoji=False)  # options and paths hold brackets


def _bars() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


class Steps:
    """Progress of preparations: `on_progress(what, done, total)` draws one bar for each `what`."""

    def __init__(self) -> None:
        self._progress = _bars()
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Steps:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total, note="")
            if not console.is_terminal:
                console.print(f"{what}: {total}")
        self._progress.update(self._tasks[what], completed=done, total=total)


class TrainingDisplay:
    """Shows a training run: a bar for the whole run with loss, dev error, frames per second and the time left."""

    def __init__(self) -> None:
        self._progress = _bars()
        self._task: TaskID | None = None
        self._epochs = 0
        self._dev = "dev -"
        self._frames = 0
        self._clock = time.monotonic()
        self._loss: float | None = None
        self._batches = 1
        self._epoch = 0
        self._position = 0

    @contextmanager
    def shown(self) -> Iterator[TrainingDisplay]:
        """Draw while the block runs."""
        with self._progress:
            yield self

    def epoch_started(self, epoch: int, epochs: int, n_batches: int, position: int) -> None:
        """See `asr.training.loop.Watcher`."""
        self._epoch, self._epochs, self._batches, self._position = epoch, epochs, n_batches, position
        self._frames, self._clock = 0, time.monotonic()
        total = epochs * n_batches
        if self._task is None:
            self._task = self._progress.add_task("training", total=total, note="")
        self._progress.update(self._task, total=total, completed=epoch * n_batches + position)

    def stepped(self, loss: float, frames: int) -> None:
        """See `asr.training.loop.Watcher`."""
        self._frames += frames
        self._position += 1
        self._loss = loss if self._loss is None else 0.9 * self._loss + 0.1 * loss
        rate = self._frames / max(time.monotonic() - self._clock, 1e-9)
        note = f"loss {self._loss:.2f}  {self._dev}  {rate:,.0f} frames/s"
        assert self._task is not None
        self._progress.update(
            self._task,
            completed=self._epoch * self._batches + self._position,
            description=f"epoch {self._epoch + 1}/{self._epochs}",
            note=note,
        )

    def epoch_ended(self, row: dict[str, Any]) -> None:
        """See `asr.training.loop.Watcher`."""
        name = next(key for key in row if key.startswith("dev_"))
        self._dev = f"{name.replace('_', ' ')} {100 * row[name]:.1f} %"
        mark = " *" if row["best"] else ""
        rate = self._frames / max(time.monotonic() - self._clock, 1e-9)
        console.print(
            f"epoch {row['epoch'] + 1:3d}/{self._epochs}  loss {row['loss']:7.2f}"
            f"  blank {100 * row['blank_share']:5.1f} %  {self._dev}{mark}"
            f"  {rate:,.0f} frames/s  {row['train_seconds']:.0f} s",
            soft_wrap=True,
        )

    def say(self, message: str) -> None:
        """Print a line above the bar."""
        console.print(message, soft_wrap=True)


def fail(message: str) -> None:
    """Print an error as one clear paragraph."""
    console.print(Text.assemble(("error:", "bold red"), " ", message), soft_wrap=True)
