"""Where a run stands: the counters that every checkpoint holds."""

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
    """Sums over the steps of the present epoch."""

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
        """The weighted means of the logged figures."""
        return {name: value.mean for name, value in self.logged.items()}


@dataclass
class State:
    """Where a run stands; saved with every checkpoint."""

    epoch: int = 0
    position: int = 0  # batches of this epoch that are done
    step: int = 0
    best_error: float = math.inf
    best_epoch: int = -1
    epochs_since_best: int = 0
    train_seconds: float = 0.0
    train_cpu_seconds: float = 0.0  # of all threads: the wall clock says little on a machine shared with others
    sums: EpochSums = field(default_factory=EpochSums)

    def saved(self) -> dict[str, Any]:
        """Return the state as plain values for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_saved(cls, values: Mapping[str, Any]) -> State:
        """Read the state from a checkpoint, of version 0.1 too.

        Raises:
            AttributeError, ConfigError, KeyError, TypeError: it is not the state of a run.
        """
        known = {name: value for name, value in values.items() if name != "blank_steps"}  # 0.1: the task's own now
        check_types(cls, known)
        return cls(**{**known, "sums": _read_sums(values["sums"])})


def _read_sums(sums: Mapping[str, Any]) -> EpochSums:
    if "items" in sums:
        logged = {name: WeightedSum(**value) for name, value in sums["logged"].items()}
        check_types(EpochSums, {name: value for name, value in sums.items() if name != "logged"})
        return EpochSums(**{**sums, "logged": logged})
    if not sums:  # 0.1, at the end of an epoch
        return EpochSums()
    blank = WeightedSum(sums["blank_frames"], sums["frames"])  # 0.1 trained nothing but recognition
    return EpochSums(sums["loss"], int(sums["utterances"]), sums["norm"], {"blank_share": blank})


class Stopwatch:
    """Seconds on the wall clock and on the processor since it was last read."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget the time until now."""
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def add_to(self, state: State) -> None:
        """Add the time since the last reading to a state's training time."""
        before = self._wall, self._cpu
        self.restart()
        state.train_seconds += self._wall - before[0]
        state.train_cpu_seconds += self._cpu - before[1]
