"""The interface of the time loops on torch's tensors, the same for every family of cells."""

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


class Left(NamedTuple):
    """Gradients of the weights of one direction, or the factors that they are products of."""

    factors: list[tuple[slice, Tensor, Tensor]]  # rows of `hh`; their gradient is a.T @ b: a (N, rows), b packed (N, H)
    others: tuple[Tensor | None, ...] = ()  # gradients of `Weights.others`


@dataclass(frozen=True)
class Layer:
    """Input of a loop: D directions over the rows of a batch."""

    layout: Layout
    weights: list[Weights]
    gates: list[Tensor]  # (N, G) of each direction: projected inputs, activations, gradients of the first

    @property
    def hidden(self) -> int:
        """H, units per direction."""
        return self.weights[0].hh.shape[1]

    @property
    def columns(self) -> list[tuple[int, int]]:
        """Number and first output column of each direction."""
        return [(d, d * self.hidden) for d in range(len(self.weights))]

    def new_outputs(self) -> Tensor:
        """Return (N, D * H), not filled."""
        return self.gates[0].new_empty(self.layout.n_rows, len(self.weights) * self.hidden)

    def new_packed(self, columns: int) -> Tensor:
        """Return a packed matrix (N, columns), not filled."""
        return self.gates[0].new_empty(packed_shape(self.layout.n_rows, columns))


class Loops(Protocol):
    """Both directions side by side: each has its own columns of the outputs."""

    def forward(self, layer: Layer) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Turn projected inputs into outputs (N, D * H) and tensors for `backward`; `gates` become activations."""

    def backward(self, layer: Layer, outputs: Tensor, kept: tuple[Tensor, ...], gradients: Tensor) -> list[Left]:
        """Turn gradients of outputs into those of the weights; `gates` become gradients of projected inputs."""
