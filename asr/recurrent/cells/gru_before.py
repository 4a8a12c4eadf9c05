"""The gated recurrent unit as published, with the reset before the product.

Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder for statistical machine translation". As in
the paper, z is the share of the last output that is kept. With x_t the frame and h the output:

    r = sigm(W_r x_t + R_r h_{t-1} + b_r)      z = sigm(W_z x_t + R_z h_{t-1} + b_z)
    n = tanh(W_n x_t + R_n (r h_{t-1}) + b_n)
    h_t = (1 - z) n + z h_{t-1}

The rows of all weights are in the order r, z, n, as in `gru.py`; ONNX uses z, r, n.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from asr.recurrent.cells.cell import State
from asr.recurrent.cells.gated import GatedCell
from asr.recurrent.options import GruBeforeConfig as GruBeforeConfig


class GruBeforeCell(GatedCell):
    """GRU, reset before the product; the equations are at the top of this file.

    Each step needs two products, one after the other, because that of the candidate depends on the reset gate.

    Parameters: `weight_ih` (3H, n_inputs), `weight_hh` (3H, H), `bias` (3H,).

    Args:
        n_inputs: size of an input frame.
        hidden: H, size of an output frame.
    """

    def __init__(self, n_inputs: int, hidden: int) -> None:
        super().__init__(n_inputs, hidden, n_gates=3)

    def step(self, projected: Tensor, state: State) -> tuple[Tensor, State]:
        (last,) = state
        sizes = [2 * self.hidden, self.hidden]
        (gates_in, n_in), (of_gates, of_new) = torch.split(projected, sizes, dim=-1), torch.split(self.weight_hh, sizes)
        reset, update = torch.sigmoid(gates_in + F.linear(last, of_gates)).chunk(2, dim=-1)
        new = torch.tanh(n_in + F.linear(reset * last, of_new))
        output = (1 - update) * new + update * last
        return output, (output,)
