"""What the loop reports while it runs, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from asr.training.task import DevResult, Units


@dataclass(frozen=True)
class EpochStart:
    """An epoch that begins, or goes on after a run was resumed.

    Attributes:
        epoch: its number, from 0.
        epochs: the number of epochs of the run.
        n_batches: the number of batches of this epoch.
        position: the number of its batches that are done already.
        units: the task's names for the things in a batch.
    """

    epoch: int
    epochs: int
    n_batches: int
    position: int
    units: Units


@dataclass(frozen=True)
class EpochRow:
    """The figures of a finished epoch: a row of `metrics.jsonl`.

    Attributes:
        epoch: its number, from 0.
        loss: mean over its items.
        logged: means of the figures that the task logs.
        gradient_norm: mean over its steps, before clipping.
        learning_rate: of its last step.
        dev: the outcome of the development set.
        train_seconds: of the run until now.
        best: whether its dev error is the lowest until now.
        text: `logged` as people read it.
    """

    epoch: int
    loss: float
    logged: Mapping[str, float]
    gradient_norm: float
    learning_rate: float
    dev: DevResult
    train_seconds: float
    best: bool
    text: str

    def values(self) -> dict[str, float | bool]:
        """Return the row as it stands in `metrics.jsonl`."""
        return {
            "epoch": self.epoch,
            "loss": self.loss,
            **self.logged,
            "gradient_norm": self.gradient_norm,
            "learning_rate": self.learning_rate,
            f"dev_{self.dev.name}": self.dev.error,
            **{f"dev_{name}": value for name, value in self.dev.details.items()},
            "train_seconds": round(self.train_seconds, 2),
            "best": self.best,
        }


class Watcher(Protocol):
    """An observer of a run, such as the progress display."""

    def epoch_started(self, start: EpochStart) -> None:
        """Hear that an epoch begins or goes on."""
        ...

    def stepped(self, loss: float, size: int) -> None:
        """Hear the mean loss of a step and the size of its batch, in `Units.size`."""
        ...

    def epoch_ended(self, row: EpochRow) -> None:
        """Hear the figures of a finished epoch."""
        ...

    def say(self, message: str) -> None:
        """Pass a sentence on to the user."""
        ...
