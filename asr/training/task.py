"""The interface between the training loop and a task, such as training a recogniser or a language model.

The loop knows items (such as utterances), their sizes (such as frames) and a loss for each item. The task provides
these, their names, and the text for its figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from torch import Tensor, nn

SavedValue: TypeAlias = "bool | int | float | str | Tensor | Sequence[SavedValue] | Mapping[str, SavedValue] | None"
"""A value that a checkpoint may contain."""

Self_ = TypeVar("Self_", bound="AnyBatch")


class AnyBatch(Protocol):
    """Interface of a batch of any task."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The names of the items, for messages."""
        ...

    @property
    def size(self) -> int:
        """The sum of the items' sizes without padding, in `Units.size`."""
        ...

    def to(self: Self_, device: str) -> Self_:
        """Return the same batch on a device."""
        ...


B = TypeVar("B", bound=AnyBatch)
Made = TypeVar("Made", bound=AnyBatch, covariant=True)


class Examples(Protocol[Made]):
    """Interface of training data; items are addressed by index, so that any batch can be made again."""

    @property
    def sizes(self) -> Sequence[int]:
        """The size of each item, in `Units.size`."""
        ...

    def load_batch(self, indices: Sequence[int], epoch: int) -> Made:
        """Return a batch of an epoch; it must depend only on the arguments, because any process may load it."""
        ...


@runtime_checkable
class OrderedExamples(Protocol):
    """Interface of examples that determine their own batches, such as consecutive windows of a text."""

    def batches(self, epoch: int) -> list[list[int]]:
        """Return the indices of each batch of an epoch, in order; the same epoch always gives the same batches."""
        ...


@runtime_checkable
class SampledExamples(Protocol):
    """Interface of examples of which an epoch uses only a part."""

    def chosen(self, epoch: int) -> Sequence[int]:
        """Return the indices of an epoch's items, each once; the same epoch always gives the same indices."""
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
    """A weighted sum of a figure over batches, for its mean over an epoch.

    >>> (WeightedSum.of(0.5, weight=1) + WeightedSum.of(1.0, weight=3)).mean
    0.875
    """

    total: float = 0.0
    weight: float = 0.0

    @classmethod
    def of(cls, mean: float, weight: float) -> WeightedSum:
        """Return the sum for one batch, from its mean and weight."""
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
        logged: figures to log, by their names in `metrics.jsonl`; an epoch logs their weighted means.
    """

    per_item: Tensor
    logged: Mapping[str, WeightedSum] = field(default_factory=dict)


@dataclass(frozen=True)
class DevResult:
    """The outcome of the development set after an epoch.

    Attributes:
        error: the number that picks the best epoch; lower is better.
        name: the name of `error`; in `metrics.jsonl` it is `dev_<name>`.
        text: name and number for people, such as `per 31.2 %` or `perplexity 8.41`.
        details: more numbers to log, as `dev_<name>`.
    """

    error: float
    name: str
    text: str
    details: Mapping[str, float] = field(default_factory=dict)


class Task(Protocol[B]):
    """Interface of a task: the data, loss and dev metric of a model to train."""

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
        """The names of the items and of the unit of their sizes."""
        ...

    def loss(self, batch: B) -> Loss:
        """Compute the losses of a batch."""
        ...

    def after_step(self, loss: Loss) -> str:
        """Update the task after each step, and return a hint for the user or an empty string."""
        ...

    def evaluate_dev(self) -> DevResult:
        """Measure the model on the development set."""
        ...

    def describe(self, logged: Mapping[str, float]) -> str:
        """Return an epoch's means of `Loss.logged` as text for the progress display."""
        ...

    def bundle(self) -> Mapping[str, SavedValue]:
        """Return the values that a checkpoint needs besides the weights, so that it can be loaded on its own."""
        ...

    def state_dict(self) -> Mapping[str, SavedValue]:
        """Return the state of the task itself, for resuming a run."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state that `state_dict` returned. Not called for checkpoints of version 0.1, which have none."""
        ...
