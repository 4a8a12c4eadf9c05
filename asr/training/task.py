"""The interface between the loop and the thing that is trained.

Recognition with CTC is one task, a language model is another; one loop trains all of them. The loop knows items (an
utterance, a sentence), their sizes (in frames, in characters) and a loss for each; the task names them and says how
its figures are printed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from torch import Tensor, nn

SavedValue: TypeAlias = "bool | int | float | str | Tensor | Sequence[SavedValue] | Mapping[str, SavedValue] | None"
"""The values that a checkpoint may hold."""

Self_ = TypeVar("Self_", bound="AnyBatch")


class AnyBatch(Protocol):
    """A batch of any task."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The names of its items, for messages."""
        ...

    @property
    def size(self) -> int:
        """The summed sizes of its items without padding, in `Units.size`."""
        ...

    def to(self: Self_, device: str) -> Self_:
        """Return the same batch on a device."""
        ...


B = TypeVar("B", bound=AnyBatch)
Made = TypeVar("Made", bound=AnyBatch, covariant=True)


class Examples(Protocol[Made]):
    """Training data, addressed by index so that any batch can be made again from (epoch, indices)."""

    @property
    def sizes(self) -> Sequence[int]:
        """The size of each item, in `Units.size`."""
        ...

    def load_batch(self, indices: Sequence[int], epoch: int) -> Made:
        """Make one batch of one epoch; a function of its arguments alone, for any process may call it."""
        ...


@runtime_checkable
class OrderedExamples(Protocol):
    """Examples that determine their own batches, such as consecutive windows of a text."""

    def batches(self, epoch: int) -> list[list[int]]:
        """Return the indices of each batch of an epoch, in order; the same epoch always gives the same batches."""
        ...


@runtime_checkable
class SampledExamples(Protocol):
    """Examples of which an epoch sees a part."""

    def chosen(self, epoch: int) -> Sequence[int]:
        """Return the indices of an epoch's items, each once; the same epoch always gives the same ones."""
        ...


@dataclass(frozen=True)
class Units:
    """The names of the things in a batch, for messages and the progress display.

    Attributes:
        items: plural, such as `utterances` or `sentences`.
        size: plural, the unit of `AnyBatch.size`, such as `frames` or `characters`.
    """

    items: str
    size: str


@dataclass(frozen=True)
class WeightedSum:
    """A figure summed over batches of different weights, for a mean over an epoch."""

    total: float = 0.0
    weight: float = 0.0

    @classmethod
    def of(cls, mean: float, weight: float) -> WeightedSum:
        """Make the sum of one batch from its mean."""
        return cls(mean * weight, weight)

    def __add__(self, other: WeightedSum) -> WeightedSum:
        return WeightedSum(self.total + other.total, self.weight + other.weight)

    @property
    def mean(self) -> float:
        """The weighted mean; NaN without any weight."""
        return self.total / self.weight if self.weight else math.nan


@dataclass(frozen=True)
class Loss:
    """The losses of one batch.

    Attributes:
        per_item: (B,) float, differentiable.
        logged: figures to log by their names in `metrics.jsonl`; an epoch logs their weighted means.
    """

    per_item: Tensor
    logged: Mapping[str, WeightedSum] = field(default_factory=dict)


@dataclass(frozen=True)
class DevResult:
    """The outcome of the development set after an epoch.

    Attributes:
        error: the number that picks the best epoch; lower is better.
        name: its name; `metrics.jsonl` calls it `dev_<name>`.
        text: name and number as people read them, such as `per 31.2 %` or `perplexity 8.41`.
        details: more numbers to log, as `dev_<name>`.
    """

    error: float
    name: str
    text: str
    details: Mapping[str, float] = field(default_factory=dict)


class Task(Protocol[B]):
    """Data, loss and dev metric of something to train."""

    @property
    def model(self) -> nn.Module:
        """The network; it is trained in place."""
        ...

    @property
    def examples(self) -> Examples[B]:
        """The training data."""
        ...

    @property
    def units(self) -> Units:
        """The names of the things in its batches."""
        ...

    def loss(self, batch: B) -> Loss:
        """Compute the losses of a batch."""
        ...

    def after_step(self, loss: Loss) -> str:
        """Take note of a step and return a hint for the user, or an empty string. Called once a step."""
        ...

    def evaluate_dev(self) -> DevResult:
        """Measure the model on the development set."""
        ...

    def describe(self, logged: Mapping[str, float]) -> str:
        """Return an epoch's means of `Loss.logged` as people read them, for a line of the progress display."""
        ...

    def bundle(self) -> Mapping[str, SavedValue]:
        """Return what a checkpoint carries beside the weights so that it can be loaded alone."""
        ...

    def state_dict(self) -> Mapping[str, SavedValue]:
        """Return what the task itself must remember when a run resumes."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state. Not called for checkpoints of version 0.1, which hold none."""
        ...
