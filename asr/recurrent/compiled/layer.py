"""The interface of the time loops on tensors of torch, for every family of cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from torch import Tensor

from asr.recurrent.compiled.products import packed_shape
from asr.recurrent.layout import Layout


class Weights(NamedTuple):
    """Weights of one direction."""

    hh: Tensor  # (G, H)
    others: tuple[Tensor, ...] = ()  # see `kinds.other_weights`


class WeightGradients(NamedTuple):
    """Gradients of the weights of one direction; those of `hh` as factors of products."""

    factors: list[tuple[slice, Tensor, Tensor]]  # rows of `hh`, with gradient a.T @ b: a (N, rows), b packed (N, H)
    others: tuple[Tensor | None, ...] = ()  # gradients of `Weights.others`


@dataclass(frozen=True)
class Layer:
    """Input of a loop: D directions over the rows of a batch."""

    layout: Layout
    weights: list[Weights]
    gates: list[Tensor]  # (N, G) of each direction: projected inputs, then activations, then gradients of the inputs
    carried: bool = False  # whether every array has B more rows, with the state before the first step

    @property
    def hidden(self) -> int:
        """H, the number of units per direction."""
        return self.weights[0].hh.shape[1]

    @property
    def columns(self) -> list[tuple[int, int]]:
        """The number and first output column of each direction."""
        return [(d, d * self.hidden) for d in range(len(self.weights))]

    def new_outputs(self) -> Tensor:
        """Return an uninitialised array (N, D * H), or (N + B, D * H) if a state is carried."""
        n_rows = self.layout.n_rows + (self.layout.batch_size if self.carried else 0)
        return self.gates[0].new_empty(n_rows, len(self.weights) * self.hidden)

    def schedules(self, direction: int) -> list[Tensor]:
        """Return the schedules of a direction; the first step starts from the carried state if there is one."""
        schedules = self.layout.schedules[direction]
        return [_continued(one, self.layout.n_rows) for one in schedules] if self.carried else schedules

    def new_packed(self, columns: int) -> Tensor:
        """Return an uninitialised packed matrix (N, columns)."""
        return self.gates[0].new_empty(packed_shape(self.layout.n_rows, columns))


def _continued(schedule: Tensor, n_rows: int) -> Tensor:
    """Return a schedule (`Layout.schedules`) whose first step continues from the rows after the N of the batch."""
    first, running = schedule[0, :2].tolist()
    schedule = schedule.clone()
    schedule[0, 2:] = schedule.new_tensor([n_rows + first, running])
    return schedule


class Loops(Protocol):
    """Interface of the time loops of a layer; each direction has its own columns of the outputs."""

    def forward(self, layer: Layer) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Turn projected inputs into outputs (N, D * H) and tensors for `backward`; `gates` become activations."""

    def backward(
        self, layer: Layer, outputs: Tensor, kept: tuple[Tensor, ...], gradients: Tensor
    ) -> list[WeightGradients]:
        """Turn gradients of outputs into those of the weights; `gates` become gradients of projected inputs."""
