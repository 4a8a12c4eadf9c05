"""The training state that every checkpoint contains: counters and times."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from asr.config import check_types
from asr.training.task import Loss, WeightedSum


@dataclass
class EpochSums:
    """Sums over the steps of the current epoch."""

    loss: float = 0.0
    items: int = 0
    gradient_norm: float = 0.0
    logged: dict[str, WeightedSum] = field(default_factory=dict)

    def add(self, loss: Loss, loss_sum: float, items: int, gradient_norm: float) -> None:
        """Add one step."""
        self.loss += loss_sum
        self.items += items
        self.gradient_norm += gradient_norm
        for name, value in loss.logged.items():
            self.logged[name] = self.logged.get(name, WeightedSum()) + value

    @property
    def means(self) -> dict[str, float]:
        """The weighted mean of each logged figure."""
        return {name: value.mean for name, value in self.logged.items()}


@dataclass
class State:
    """The state of a training run, which is saved in every checkpoint."""

    epoch: int = 0  # finished epochs
    position: int = 0  # finished batches of the current epoch
    step: int = 0  # finished steps
    best_error: float = math.inf
    best_epoch: int = -1
    epochs_since_best: int = 0
    train_seconds: float = 0.0
    train_cpu_seconds: float = 0.0  # of all threads; more comparable than wall time on a shared machine
    sums: EpochSums = field(default_factory=EpochSums)

    def saved(self) -> dict[str, Any]:
        """Return the state as plain values for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_saved(cls, values: Mapping[str, Any]) -> State:
        """Read the state from a checkpoint of this version or of 0.1.

        Raises:
            AttributeError, ConfigError, KeyError, TypeError: the values are not the state of a run.
        """
        known = {name: value for name, value in values.items() if name != "blank_steps"}  # a field of version 0.1
        check_types(cls, known)
        return cls(**{**known, "sums": _read_sums(values["sums"])})


def _read_sums(sums: Mapping[str, Any]) -> EpochSums:
    if "items" in sums:
        logged = {name: WeightedSum(**value) for name, value in sums["logged"].items()}
        check_types(EpochSums, {name: value for name, value in sums.items() if name != "logged"})
        return EpochSums(**{**sums, "logged": logged})
    if not sums:  # version 0.1, at the end of an epoch
        return EpochSums()
    blank = WeightedSum(sums["blank_frames"], sums["frames"])  # version 0.1 trained only recognisers
    return EpochSums(sums["loss"], int(sums["utterances"]), sums["norm"], {"blank_share": blank})


class Stopwatch:
    """A stopwatch for wall-clock and processor seconds since it was last read."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start measuring from now."""
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def add_to(self, state: State) -> None:
        """Add the time since the last reading to a state's training times, and restart."""
        before = self._wall, self._cpu
        self.restart()
        state.train_seconds += self._wall - before[0]
        state.train_cpu_seconds += self._cpu - before[1]
