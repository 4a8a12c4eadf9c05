"""The interface through which the training loop reports its progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from asr.training.task import DevResult, Units


@dataclass(frozen=True)
class EpochStart:
    """The start of an epoch, or its continuation after a run was resumed.

    Attributes:
        epoch: the number of the epoch, from 0.
        epochs: the number of epochs of the run.
        n_batches: the number of batches of this epoch.
        position: the number of batches of this epoch that are already done.
        units: the task's names for items and sizes.
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
        epoch: the number of the epoch, from 0.
        loss: the mean over the items.
        logged: the means of the figures that the task logs.
        gradient_norm: the mean over the steps, before clipping.
        learning_rate: the rate of the last step.
        dev: the result on the development set.
        train_seconds: the training time of the whole run so far.
        best: whether the dev error is the lowest so far.
        text: `logged` as text for people.
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
        """Return the fields of the row in `metrics.jsonl`."""
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
    """Interface of an observer of a run, such as the progress display."""

    def epoch_started(self, start: EpochStart) -> None:
        """Called when an epoch begins or is continued."""
        ...

    def stepped(self, loss: float, size: int) -> None:
        """Called after each step with its mean loss and the size of its batch, in `Units.size`."""
        ...

    def epoch_ended(self, row: EpochRow) -> None:
        """Called with the figures of a finished epoch."""
        ...

    def say(self, message: str) -> None:
        """Show a message to the user."""
        ...
