"""What the loop needs to know of the thing that is trained.

Recognition with CTC is one task, a language model another; there is one loop for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from torch import Tensor, nn


class AnyBatch(Protocol):
    """A batch of any task: it knows its utterances, its size, and how to move to a device."""

    @property
    def utt_ids(self) -> tuple[str, ...]: ...

    @property
    def n_frames(self) -> int: ...

    def to(self, device: str) -> Any: ...


B = TypeVar("B", bound=AnyBatch)
Made = TypeVar("Made", bound=AnyBatch, covariant=True)


class Examples(Protocol[Made]):
    """Training data, addressed by index so that any batch can be made again from (epoch, indices)."""

    @property
    def sizes(self) -> Sequence[int]: ...

    def load_batch(self, indices: Sequence[int], epoch: int) -> Made: ...


@dataclass(frozen=True)
class Loss:
    """What one batch cost.

    Attributes:
        per_utterance: (B,) float, differentiable.
        shares: plain numbers to log, each already a mean over the batch (`blank`: share of frames whose best label
            is the blank).
    """

    per_utterance: Tensor
    shares: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class DevResult:
    """What the development set says after an epoch.

    Attributes:
        error: the number that picks the best epoch; lower is better.
        name: what it is, for people (`per`, `wer`, `perplexity`).
        details: more numbers to log.
    """

    error: float
    name: str
    details: Mapping[str, float] = field(default_factory=dict)


class Task(Protocol[B]):
    """Data, loss and dev metric of something to train."""

    @property
    def model(self) -> nn.Module: ...

    @property
    def examples(self) -> Examples[B]: ...

    def loss(self, batch: B) -> Loss: ...

    def evaluate_dev(self) -> DevResult: ...

    def bundle(self) -> dict[str, Any]:
        """What a checkpoint carries beside the weights so that it can be loaded alone: plain values and tensors."""
        ...
