"""Learning-rate schedules: functions of the progress of a run, so that a resumed run need not know its steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from asr.config import check_values


class Schedule(Protocol):
    """A factor of the peak learning rate that changes in the course of a run."""

    def factor(self, progress: float) -> float:
        """Return the factor at `progress`, the share of all epochs that is done, 0 to 1."""
        ...

    def after_dev(self, error: float) -> None:
        """Take note of the dev error of an epoch."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what the schedule must remember when a run resumes."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        ...


@dataclass
class OneCycleConfig:
    """A linear warm-up to the peak, then a fall along a cosine (after Smith 2018)."""

    _target_: str = "asr.training.schedules.OneCycle"
    warmup: float = 0.1  # share of the run until the peak; with CTC a soft start shortens the all-blank phase
    start: float = 0.05  # share of the peak rate at the beginning
    end: float = 0.005  # share of the peak rate at the end


class OneCycle:
    """A schedule that rises in a straight line and falls along a cosine; see `OneCycleConfig`."""

    def __init__(self, warmup: float, start: float, end: float) -> None:
        self.warmup, self.start, self.end = warmup, start, end
        conditions = {
            "warmup": (0 <= warmup <= 1, "a share of the run, 0 to 1"),
            "start": (0 <= start <= 1, "a share of the peak rate, 0 to 1"),
            "end": (0 <= end <= 1, "a share of the peak rate, 0 to 1"),
        }
        check_values(vars(self), conditions)

    def factor(self, progress: float) -> float:
        """See `Schedule`."""
        if progress < self.warmup:
            return self.start + (1 - self.start) * progress / self.warmup
        falling = (min(progress, 1.0) - self.warmup) / max(1 - self.warmup, 1e-9)
        return self.end + (1 - self.end) * 0.5 * (1 + math.cos(math.pi * falling))

    def after_dev(self, error: float) -> None:
        """Do nothing: the cycle is fixed."""

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: the cycle has no memory."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Do nothing: the cycle has no memory."""


@dataclass
class PlateauConfig:
    """A rate that is lowered when the dev error stops falling; with `decay: 1` it is constant after the warm-up."""

    _target_: str = "asr.training.schedules.Plateau"
    warmup: float = 0.02  # share of the run until the full rate
    decay: float = 0.5  # factor of the rate after `patience` epochs without a new best dev error
    patience: int = 3  # epochs
    floor: float = 1e-3  # lowest rate, as a share of the peak


class Plateau:
    """A constant schedule after a short warm-up, lowered when the dev error stops falling; see `PlateauConfig`."""

    def __init__(self, warmup: float, decay: float, patience: int, floor: float) -> None:
        self.warmup, self.decay, self.patience, self.floor = warmup, decay, patience, floor
        conditions = {
            "warmup": (0 <= warmup <= 1, "a share of the run, 0 to 1"),
            "decay": (0 < decay <= 1, "above 0, at most 1"),
            "patience": (patience >= 1, "1 or more"),
            "floor": (0 <= floor <= 1, "a share of the peak rate, 0 to 1"),
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
        """Return the best error, the epochs waited and the present level."""
        return {"best": self._best, "waited": self._waited, "level": self._level}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self._best, self._waited, self._level = state["best"], state["waited"], state["level"]
