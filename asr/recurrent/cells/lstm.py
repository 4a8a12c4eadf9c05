"""Long short-term memory with a forget gate, without peepholes.

Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000. With x_t the frame, h the
output and c the cell:

    i = sigm(W_i x_t + R_i h_{t-1} + b_i)      f = sigm(W_f x_t + R_f h_{t-1} + b_f)
    g = tanh(W_g x_t + R_g h_{t-1} + b_g)      o = sigm(W_o x_t + R_o h_{t-1} + b_o)
    c_t = f c_{t-1} + i g                      h_t = o tanh(c_t)

The rows of all weights stand in the order i, f, g, o, as in `torch.nn.LSTM`; ONNX wants i, o, f, g.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from asr.recurrent.cells.cell import Cell, State


@dataclass
class LstmConfig:
    """Options of `LstmCell`."""

    _target_: str = "asr.recurrent.cells.lstm.LstmCell"
    forget_bias: float = 1.0  # the forget gate starts open, so that gradients reach far back from the first step on


class LstmCell(Cell):
    """LSTM; the equations are at the top of this file.

    Parameters: `weight_ih` (4H, n_inputs), `weight_hh` (4H, H), `bias` (4H,). One bias: a second one, as
    `torch.nn.LSTM` has it, adds no function and doubles the bias's learning rate.

    Args:
        n_inputs: size of an input frame.
        hidden: H, size of an output frame.
        forget_bias: start value of the forget gate's bias.
    """

    def __init__(self, n_inputs: int, hidden: int, forget_bias: float = 1.0) -> None:
        super().__init__(n_inputs, hidden)
        self.weight_ih = nn.Parameter(torch.empty(4 * hidden, n_inputs))
        self.weight_hh = nn.Parameter(torch.empty(4 * hidden, hidden))
        self.bias = nn.Parameter(torch.zeros(4 * hidden))
        for gate in self.weight_ih.data.chunk(4):
            nn.init.xavier_uniform_(gate)
        for gate in self.weight_hh.data.chunk(4):
            nn.init.orthogonal_(gate)
        self.bias.data[hidden : 2 * hidden] = forget_bias

    def initial_state(self, like: Tensor) -> State:
        zeros = like.new_zeros(len(like), self.hidden)
        return zeros, zeros

    def point(self, projected: Tensor, recurrent: Tensor, state: State) -> tuple[Tensor, State]:
        _, cell = state
        i, f, g, o = (projected + recurrent).chunk(4, dim=-1)
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        output = torch.sigmoid(o) * torch.tanh(cell)
        return output, (output, cell)

    def to_torch(self) -> dict[str, Tensor]:
        """The weights in the layout of one direction of `torch.nn.LSTM`, gates in the order i, f, g, o.

        Returns:
            `weight_ih` (4H, n_inputs), `weight_hh` (4H, H), `bias_ih` (4H,), `bias_hh` (4H,), which is 0; detached.
        """
        bias = self.bias.detach()
        return {
            "weight_ih": self.weight_ih.detach(),
            "weight_hh": self.weight_hh.detach(),
            "bias_ih": bias,
            "bias_hh": torch.zeros_like(bias),
        }

    @torch.no_grad()
    def load_torch(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights of one direction of `torch.nn.LSTM`, keyed as `to_torch` returns them."""
        self.weight_ih.copy_(weights["weight_ih"])
        self.weight_hh.copy_(weights["weight_hh"])
        self.bias.copy_(weights["bias_ih"] + weights["bias_hh"])
