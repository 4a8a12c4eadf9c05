"""Long short-term memory with a forget gate, without peepholes.

Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000. With x_t the frame, h the
output and c the cell:

    i = sigm(W_i x_t + R_i h_{t-1} + b_i)      f = sigm(W_f x_t + R_f h_{t-1} + b_f)
    g = tanh(W_g x_t + R_g h_{t-1} + b_g)      o = sigm(W_o x_t + R_o h_{t-1} + b_o)
    c_t = f c_{t-1} + i g                      h_t = o tanh(c_t)

The rows of all weights are in the order i, f, g, o, as in `torch.nn.LSTM`; ONNX uses i, o, f, g.
"""

from __future__ import annotations

import torch
from torch import Tensor

from asr.recurrent.cells.cell import State
from asr.recurrent.cells.gated import GatedCell, TorchWeights
from asr.recurrent.options import LstmConfig as LstmConfig


def lstm_step(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """Turn the sums (B, 4H) of i, f, g, o and the last cell (B, H) into the output and the next cell, each (B, H)."""
    i, f, g, o = gates.chunk(4, dim=-1)
    cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(cell), cell


class LstmGates(GatedCell):
    """The base class of LSTM cells: the gates i, f, g, o, and a state of the output (B, O) and the cell (B, H).

    Args:
        n_inputs: size of an input frame.
        hidden: H, the number of cells.
        forget_bias: initial bias of the forget gate.
        output_size: O, size of an output frame; None for H.
    """

    def __init__(self, n_inputs: int, hidden: int, forget_bias: float = 1.0, output_size: int | None = None) -> None:
        super().__init__(n_inputs, hidden, n_gates=4, n_states=2, output_size=output_size)
        self.bias.data[hidden : 2 * hidden] = forget_bias


class LstmCell(TorchWeights, LstmGates):
    """LSTM; the equations are at the top of this file.

    Parameters: `weight_ih` (4H, n_inputs), `weight_hh` (4H, H), `bias` (4H,).

    Args:
        n_inputs: size of an input frame.
        hidden: H, size of an output frame.
        forget_bias: initial bias of the forget gate.
    """

    def point(self, projected: Tensor, recurrent: Tensor, state: State) -> tuple[Tensor, State]:
        output, cell = lstm_step(projected + recurrent, state[1])
        return output, (output, cell)
