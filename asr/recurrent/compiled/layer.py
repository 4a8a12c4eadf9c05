"""What the time loops of a family of cells are on torch's tensors, whichever family it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from torch import Tensor

from asr.recurrent.compiled.products import packed_shape
from asr.recurrent.layout import Layout


class Weights(NamedTuple):
    """Of one direction."""

    hh: Tensor  # (G, H)
    others: tuple[Tensor, ...] = ()  # as `kinds.other_weights` has them


class Left(NamedTuple):
    """What a loop that ran backwards leaves of a direction."""

    factors: list[tuple[slice, Tensor, Tensor]]  # rows of `hh`; their gradient is a.T @ b: a (N, rows), b packed (N, H)
    others: tuple[Tensor | None, ...] = ()  # gradients of `Weights.others`


@dataclass(frozen=True)
class Layer:
    """What a loop is given: D directions over the rows of a batch."""

    layout: Layout
    weights: list[Weights]
    gates: list[Tensor]  # (N, G) of each direction: projected inputs, activations, gradients of the first

    @property
    def hidden(self) -> int:
        """H."""
        return self.weights[0].hh.shape[1]

    @property
    def columns(self) -> list[tuple[int, int]]:
        """Number and first output column of each direction."""
        return [(d, d * self.hidden) for d in range(len(self.weights))]

    def new_outputs(self) -> Tensor:
        """(N, D * H), not filled."""
        return self.gates[0].new_empty(self.layout.n_rows, len(self.weights) * self.hidden)

    def new_packed(self, columns: int) -> Tensor:
        """A packed matrix (N, columns), not filled."""
        return self.gates[0].new_empty(packed_shape(self.layout.n_rows, columns))


class Loops(Protocol):
    """Both directions side by side: each has its own columns of the outputs."""

    def forward(self, layer: Layer) -> tuple[Tensor, tuple[Tensor, ...]]:
        """From projected inputs, which become activations, to outputs (N, D * H) and what `backward` sees again."""

    def backward(self, layer: Layer, outputs: Tensor, kept: tuple[Tensor, ...], gradients: Tensor) -> list[Left]:
        """From gradients of the outputs: the activations become gradients of the projected inputs."""
