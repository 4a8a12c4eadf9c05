"""Learning-rate schedules, as functions of the progress of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from asr.config import check_values


class Schedule(Protocol):
    """Interface of a learning-rate schedule: a factor of the peak rate that changes during a run."""

    def factor(self, progress: float) -> float:
        """Return the factor at `progress`, the fraction of the run that is done, 0 to 1."""
        ...

    def after_dev(self, error: float) -> None:
        """Update the schedule with the dev error of an epoch."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the schedule for checkpoints."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state that `state_dict` returned."""
        ...


@dataclass
class OneCycleConfig:
    """Linear warm-up to the peak rate, then cosine decay (after Smith 2018)."""

    _target_: str = "asr.training.schedules.OneCycle"
    warmup: float = 0.1  # fraction of the run until the peak; with CTC a soft start shortens the all-blank phase
    start: float = 0.05  # rate at the beginning, as a fraction of the peak rate
    end: float = 0.005  # rate at the end, as a fraction of the peak rate


class OneCycle:
    """A schedule with linear warm-up and cosine decay; see `OneCycleConfig`.

    >>> schedule = OneCycle(warmup=0.1, start=0.05, end=0.005)
    >>> [round(schedule.factor(progress), 3) for progress in (0.0, 0.1, 0.55, 1.0)]
    [0.05, 1.0, 0.502, 0.005]
    """

    def __init__(self, warmup: float, start: float, end: float) -> None:
        self.warmup, self.start, self.end = warmup, start, end
        conditions = {
            "warmup": (0 <= warmup <= 1, "a fraction of the run, 0 to 1"),
            "start": (0 <= start <= 1, "a fraction of the peak rate, 0 to 1"),
            "end": (0 <= end <= 1, "a fraction of the peak rate, 0 to 1"),
        }
        check_values(vars(self), conditions)

    def factor(self, progress: float) -> float:
        """See `Schedule`."""
        if progress < self.warmup:
            return self.start + (1 - self.start) * progress / self.warmup
        falling = (min(progress, 1.0) - self.warmup) / max(1 - self.warmup, 1e-9)
        return self.end + (1 - self.end) * 0.5 * (1 + math.cos(math.pi * falling))

    def after_dev(self, error: float) -> None:
        """Do nothing: the dev error does not change the cycle."""

    def state_dict(self) -> dict[str, Any]:
        """Return an empty state."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Do nothing: the cycle has no state."""


@dataclass
class PlateauConfig:
    """A rate that is lowered if the dev error stops falling; with `decay: 1` it is constant after the warm-up."""

    _target_: str = "asr.training.schedules.Plateau"
    warmup: float = 0.02  # fraction of the run until the peak rate
    decay: float = 0.5  # factor applied to the rate after `patience` epochs without a new best dev error
    patience: int = 3  # epochs
    floor: float = 1e-3  # lowest rate, as a fraction of the peak rate


class Plateau:
    """A schedule that is constant after a warm-up, and lowered if the dev error stops falling; see `PlateauConfig`."""

    def __init__(self, warmup: float, decay: float, patience: int, floor: float) -> None:
        self.warmup, self.decay, self.patience, self.floor = warmup, decay, patience, floor
        conditions = {
            "warmup": (0 <= warmup <= 1, "a fraction of the run, 0 to 1"),
            "decay": (0 < decay <= 1, "above 0, at most 1"),
            "patience": (patience >= 1, "1 or more"),
            "floor": (0 <= floor <= 1, "a fraction of the peak rate, 0 to 1"),
        }
        check_values(vars(self), conditions)
        self._best, self._waited, self._level = math.inf, 0, 1.0

    def factor(self, progress: float) -> float:
        """See `Schedule`."""
        rising = min(1.0, (progress + 1e-3) / self.warmup) if self.warmup > 0 else 1.0
        return rising * self._level

    def after_dev(self, error: float) -> None:
        """Count the epochs without a new best dev error; lower the rate after `patience` of them."""
        if error < self._best:
            self._best, self._waited = error, 0
            return
        self._waited += 1
        if self._waited >= self.patience:
            self._level, self._waited = max(self.floor, self._level * self.decay), 0

    def state_dict(self) -> dict[str, Any]:
        """Return the best dev error, the number of epochs since then, and the current level."""
        return {"best": self._best, "waited": self._waited, "level": self._level}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state that `state_dict` returned."""
        self._best, self._waited, self._level = state["best"], state["waited"], state["level"]
