"""Long short-term memory with layer normalisation.

Ba, Kiros and Hinton 2016, "Layer normalization", equations 20 to 22 of the supplement. With x_t the frame, h the
output, c the cell, and norm(a) = (a - mean(a)) / deviation(a) over the values of one frame of one utterance:

    s = u norm(W x_t) + v norm(R h_{t-1}) + b          the sums of i, f, g, o, normalised together
    c_t = sigm(s_f) c_{t-1} + sigm(s_i) tanh(s_g)
    h_t = sigm(s_o) tanh(w norm(c_t) + d)

u, v, w are gains, b and d biases; the biases that the paper adds to each of the two products are in b.

The rows of the weights are in the order i, f, g, o.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from asr.recurrent.cells.cell import State
from asr.recurrent.cells.lstm import LstmGates
from asr.recurrent.options import LayerNormLstmConfig as LayerNormLstmConfig


class LayerNormLstmCell(LstmGates):
    """LSTM with layer normalisation; the equations are at the top of this file.

    Parameters: `weight_ih` (4H, n_inputs), `weight_hh` (4H, H), `bias` (4H,); the gains `gain_ih` and `gain_hh` (4H,)
    and `gain_cell` (H,), which start at 1; `bias_cell` (H,).

    Args:
        n_inputs: size of an input frame.
        hidden: H, size of an output frame.
        forget_bias: initial bias of the forget gate.
    """

    def __init__(self, n_inputs: int, hidden: int, forget_bias: float = 1.0) -> None:
        super().__init__(n_inputs, hidden, forget_bias)
        self.gain_ih = nn.Parameter(torch.ones(4 * hidden))
        self.gain_hh = nn.Parameter(torch.ones(4 * hidden))
        self.gain_cell = nn.Parameter(torch.ones(hidden))
        self.bias_cell = nn.Parameter(torch.zeros(hidden))

    def project(self, rows: Tensor) -> Tensor:
        return F.layer_norm(F.linear(rows, self.weight_ih), self.bias.shape, self.gain_ih, self.bias)

    def recur(self, state: State) -> Tensor:
        return F.layer_norm(super().recur(state), self.bias.shape, self.gain_hh)

    def point(self, projected: Tensor, recurrent: Tensor, state: State) -> tuple[Tensor, State]:
        i, f, g, o = (projected + recurrent).chunk(4, dim=-1)
        cell = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
        normalised = F.layer_norm(cell, self.bias_cell.shape, self.gain_cell, self.bias_cell)
        output = torch.sigmoid(o) * torch.tanh(normalised)
        return output, (output, cell)
