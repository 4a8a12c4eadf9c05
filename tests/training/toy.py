"""A task without sound: classify short random sequences. Small enough for hundreds of steps a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from asr.training.batches import Batch, collate
from asr.training.loop import Trainer, TrainingConfig
from asr.training.optimizers import adamw
from asr.training.schedules import OneCycle, Plateau, Schedule
from asr.training.task import DevResult, Loss, Units, WeightedSum
from asr.training.watching import EpochRow, EpochStart

SETTINGS: dict[str, Any] = {
    "epochs": 4,
    "frame_budget": 30,
    "weight_noise": 0.05,
    "weight_noise_from": 1,
    "average_decay": 0.9,
    "tensorboard": False,
}


class ToyExamples:
    """Sequences of different lengths whose class is the sign of their mean."""

    def __init__(self, count: int = 23) -> None:
        generator = torch.Generator().manual_seed(7)
        self.sizes = [int(n) for n in torch.randint(3, 12, (count,), generator=generator)]
        self._frames = [torch.randn(n, 4, generator=generator) for n in self.sizes]
        self.loaded: list[tuple[int, tuple[int, ...]]] = []

    def load_batch(self, indices: Sequence[int], epoch: int) -> Batch:
        self.loaded.append((epoch, tuple(indices)))
        frames = [self._frames[i] + 0.01 * epoch for i in indices]
        arrays = [one.numpy() for one in frames]
        return collate(arrays, [[1 + int(one.mean() > 0)] for one in frames], [f"u{i}" for i in indices], blank=0)


class ToyTask:
    """A linear model with dropout: every step draws random numbers."""

    units = Units(items="sequences", size="vectors")

    def __init__(self, bad_id: str | None = None) -> None:
        torch.manual_seed(3)
        self.model = nn.Sequential(nn.Dropout(0.2), nn.Linear(4, 3))
        self.examples = ToyExamples()
        self.bad_id = bad_id
        self.dev_errors: list[float] = []
        self.steps = 0

    def loss(self, batch: Batch) -> Loss:
        inside = torch.arange(batch.frames.shape[1])[None, :, None] < batch.lengths[:, None, None]
        scores = (self.model(batch.frames) * inside).sum(1) / batch.lengths[:, None]
        losses: Tensor = nn.functional.cross_entropy(scores, batch.labels[:, 0], reduction="none")
        if self.bad_id is not None:
            wrong = torch.tensor([float("nan") if one == self.bad_id else 0.0 for one in batch.utt_ids])
            losses = losses + wrong
        return Loss(losses, {"margin": WeightedSum.of(float(scores.detach().max()), batch.size)})

    def after_step(self, loss: Loss) -> str:
        self.steps += 1
        return f"{self.steps} steps" if self.steps % 10 == 0 else ""

    def evaluate_dev(self) -> DevResult:
        batch = self.examples.load_batch(range(len(self.examples.sizes)), epoch=0)
        error = float(self.loss(batch).per_item.detach().mean())
        self.dev_errors.append(error)
        return DevResult(error, "error", f"error {error:.3f}")

    def describe(self, logged: Mapping[str, float]) -> str:
        return f"margin {logged['margin']:.2f}"

    def bundle(self) -> dict[str, Any]:
        return {"what": "toy"}

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.steps = state["steps"]


class Silent:
    """A watcher that only remembers."""

    def __init__(self) -> None:
        self.rows: list[EpochRow] = []
        self.said: list[str] = []
        self.steps = 0

    def epoch_started(self, start: EpochStart) -> None: ...

    def stepped(self, loss: float, size: int) -> None:
        self.steps += 1

    def epoch_ended(self, row: EpochRow) -> None:
        self.rows.append(row)

    def say(self, message: str) -> None:
        self.said.append(message)


def trainer(folder: Path, task: Any = None, watcher: Silent | None = None, **changes: Any) -> Trainer[Any]:
    """Make a trainer with everything that draws random numbers turned on; `changes` are options of training."""
    task = task or ToyTask()
    schedule: Schedule = OneCycle(warmup=0.2, start=0.1, end=0.01)
    if changes.pop("plateau", False):
        schedule = Plateau(warmup=0.1, decay=0.5, patience=1, floor=0.01)
    optimizer = adamw(task.model.parameters(), lr=0.05, beta1=0.9, beta2=0.98, weight_decay=0.01)
    config = TrainingConfig(**(SETTINGS | changes))
    return Trainer(task, config, optimizer, schedule, folder, watcher or Silent())
