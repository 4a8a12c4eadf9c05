"""Progress display of all commands: bars on a terminal, nothing elsewhere; training also prints a line an epoch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING

from asr.cli.console import on_terminal, say
from asr.printable import printable

if TYPE_CHECKING:  # rich and torch (through asr.training) are slow to import, and few commands need them
    from rich.progress import Progress, TaskID

    from asr.training.watching import EpochRow, EpochStart

_PATIENCE = 2.0  # seconds before a bar appears; most work is done by then


class Steps:
    """A progress display to pass as `on_progress(what, done, total)`; it draws one bar for each `what`.

    It is used in a `with` statement. Nothing is drawn in the first two seconds, or if standard error is no terminal.
    """

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._began = time.monotonic()

    def __enter__(self) -> Steps:
        self._began = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` steps of the work `what` are done."""
        if self._progress is None:
            if time.monotonic() - self._began < _PATIENCE or not on_terminal():
                return
            self._progress = _bars()
            self._progress.start()
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(printable(what), total=total, note="")
        self._progress.update(self._tasks[what], completed=done, total=total)


def _bars() -> Progress:
    from asr.cli.terminal import bars

    return bars()


class TrainingDisplay:
    """The display of a training run: a bar with loss, dev metric, speed and time left; a line after each epoch."""

    def __init__(self) -> None:
        self._progress = _bars() if on_terminal() else None
        self._task: TaskID | None = None
        self._start: EpochStart | None = None
        self._done = 0  # batches of this epoch
        self._size = 0  # sum of the sizes of the batches since the clock started
        self._clock = time.monotonic()
        self._loss: float | None = None
        self._dev = "-"
        self._note = ""

    @contextmanager
    def shown(self) -> Iterator[TrainingDisplay]:
        """Draw inside a `with` block."""
        with self._progress or nullcontext():
            yield self

    def epoch_started(self, start: EpochStart) -> None:
        """See `asr.training.watching.Watcher`."""
        self._start, self._done = start, start.position
        self._size, self._clock = 0, time.monotonic()
        self._draw(start)

    def stepped(self, loss: float, size: int) -> None:
        """See `asr.training.watching.Watcher`."""
        assert self._start is not None
        self._size += size
        self._done += 1
        self._loss = loss if self._loss is None else 0.9 * self._loss + 0.1 * loss
        self._note = f"loss {self._loss:.2f}  dev {self._dev}  {self._speed(self._start)}"
        self._draw(self._start)

    def epoch_ended(self, row: EpochRow) -> None:
        """See `asr.training.watching.Watcher`."""
        assert self._start is not None
        self._dev = row.dev.text
        parts = (
            f"epoch {row.epoch + 1:3d}/{self._start.epochs}",
            f"loss {row.loss:7.2f}",
            row.text,
            f"dev {self._dev}{' *' if row.best else ''}",
            self._speed(self._start),
            f"{row.train_seconds:.0f} s",
        )
        say("  ".join(part for part in parts if part))

    def _draw(self, start: EpochStart) -> None:
        if self._progress is None:
            return
        if self._task is None:
            self._task = self._progress.add_task("training", total=None, note="")
        self._progress.update(
            self._task,
            total=start.epochs * start.n_batches,
            completed=start.epoch * start.n_batches + self._done,
            description=f"epoch {start.epoch + 1}/{start.epochs}",
            note=self._note,
        )

    def _speed(self, start: EpochStart) -> str:
        """Return the speed since the epoch started or was resumed, such as `1,200 frames/s`."""
        return f"{self._size / max(time.monotonic() - self._clock, 1e-9):,.0f} {start.units.size}/s"

    def say(self, message: str) -> None:
        """Print a message as a line above the bar."""
        say(message)
