"""Base classes of cells with gates: one matrix for the inputs of all gates, one for their recurrence, and a bias."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from asr.recurrent.cells.cell import Cell, State


def start_gates(cell: Cell, n_gates: int) -> None:
    """Initialise each gate: Glorot and Bengio 2010 for inputs, orthogonal (Saxe et al. 2014) for recurrent weights."""
    for gate in cell.weight_ih.data.chunk(n_gates):
        nn.init.xavier_uniform_(gate)
    for gate in cell.weight_hh.data.chunk(n_gates):
        nn.init.orthogonal_(gate)


class GatedCell(Cell):
    """A cell with the weights of all gates stacked in `weight_ih` (G, n_inputs), `weight_hh` (G, O) and `bias` (G,).

    `start_gates` initialises the gates; biases start at 0.

    Args:
        n_inputs: size of an input frame.
        hidden: H, units of a gate.
        n_gates: the number of gates, G / H.
        n_states: the number of tensors (B, H) in the state, which start at 0.
        output_size: O, size of an output frame; None for H.
    """

    def __init__(
        self, n_inputs: int, hidden: int, n_gates: int, n_states: int = 1, output_size: int | None = None
    ) -> None:
        super().__init__(n_inputs, hidden)
        self.output_size = output_size or hidden
        self.n_states = n_states
        self.weight_ih = nn.Parameter(torch.empty(n_gates * hidden, n_inputs))
        self.weight_hh = nn.Parameter(torch.empty(n_gates * hidden, self.output_size))
        self.bias = nn.Parameter(torch.zeros(n_gates * hidden))
        start_gates(self, n_gates)

    def initial_state(self, like: Tensor) -> State:
        return (like.new_zeros(len(like), self.hidden),) * self.n_states


def with_two_biases(cell: GatedCell) -> dict[str, Tensor]:
    """Return the detached weights of a cell in the form of torch and ONNX, which have two biases: the second is 0."""
    bias = cell.bias.detach()
    return {
        "weight_ih": cell.weight_ih.detach(),
        "weight_hh": cell.weight_hh.detach(),
        "bias_ih": bias,
        "bias_hh": torch.zeros_like(bias),
    }


class TorchWeights(GatedCell):
    """A gated cell that also exists in `torch.nn`, with the same order of gates and a second bias.

    This class has one bias, because a second one has no effect but to double the bias's learning rate.
    """

    def to_torch(self) -> dict[str, Tensor]:
        """Return the weights in the layout of one direction of the `torch.nn` module, with the same order of gates.

        Returns:
            `weight_ih` (G, n_inputs), `weight_hh` (G, O), `bias_ih` (G,), `bias_hh` (G,), which is 0; detached.
        """
        return with_two_biases(self)

    @torch.no_grad()
    def load_torch(self, weights: Mapping[str, Tensor]) -> None:
        """Load the weights of one direction of the `torch.nn` module, with the keys of `to_torch`."""
        self.weight_ih.copy_(weights["weight_ih"])
        self.weight_hh.copy_(weights["weight_hh"])
        self.bias.copy_(weights["bias_ih"] + weights["bias_hh"])
