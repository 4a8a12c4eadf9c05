"""Long short-term memory with peepholes: the gates also see the cell.

Gers, Schraudolph and Schmidhuber 2002; here equations 3 to 7 of Graves, Mohamed and Hinton 2013, "Speech recognition
with deep recurrent neural networks". With x_t the frame, h the output, c the cell, and p vectors ("diagonal" matrices):

    i = sigm(W_i x_t + R_i h_{t-1} + p_i c_{t-1} + b_i)
    f = sigm(W_f x_t + R_f h_{t-1} + p_f c_{t-1} + b_f)
    g = tanh(W_g x_t + R_g h_{t-1} + b_g)
    c_t = f c_{t-1} + i g
    o = sigm(W_o x_t + R_o h_{t-1} + p_o c_t + b_o)        the output gate sees the new cell
    h_t = o tanh(c_t)

The rows of the weights are in the order i, f, g, o, those of the peepholes in the order i, f, o; ONNX uses i, o, f, g
and i, o, f.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from asr.recurrent.cells.cell import State
from asr.recurrent.cells.lstm import LstmGates
from asr.recurrent.options import PeepholeLstmConfig as PeepholeLstmConfig

Activation = Callable[[Tensor], Tensor]


def peephole_step(
    gates: Sequence[Tensor],
    peepholes: Sequence[Tensor],
    cell: Tensor,
    squash_in: Activation = torch.tanh,
    squash_out: Activation = torch.tanh,
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Compute one elementwise step.

    Args:
        gates: the sums of i, f, g, o, each (B, H); +inf for i, f or o fixes that gate at 1.
        peepholes: p_i, p_f, p_o, each (H,); 0 for no peephole.
        cell: the last cell, (B, H).
        squash_in: the function applied to g.
        squash_out: the function applied to the new cell for the output.

    Returns:
        The output (B, H), the next cell (B, H), and the gates i, f, o after their sigmoid, each (B, H).
    """
    i, f, g, o = gates
    p_i, p_f, p_o = peepholes
    i = torch.sigmoid(i + p_i * cell)
    f = torch.sigmoid(f + p_f * cell)
    cell = f * cell + i * squash_in(g)
    o = torch.sigmoid(o + p_o * cell)
    return o * squash_out(cell), cell, (i, f, o)


class PeepholeLstmCell(LstmGates):
    """LSTM with peepholes; the equations are at the top of this file.

    Parameters: `weight_ih` (4H, n_inputs), `weight_hh` (4H, H), `bias` (4H,), `peepholes` (3, H), which start at 0.

    Args:
        n_inputs: size of an input frame.
        hidden: H, size of an output frame.
        forget_bias: initial bias of the forget gate.
    """

    def __init__(self, n_inputs: int, hidden: int, forget_bias: float = 1.0) -> None:
        super().__init__(n_inputs, hidden, forget_bias)
        self.peepholes = nn.Parameter(torch.zeros(3, hidden))

    def point(self, projected: Tensor, recurrent: Tensor, state: State) -> tuple[Tensor, State]:
        gates = (projected + recurrent).chunk(4, dim=-1)
        output, cell, _ = peephole_step(gates, self.peepholes.unbind(), state[1])
        return output, (output, cell)
