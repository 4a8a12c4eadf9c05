"""The light gated recurrent unit.

Ravanelli, Brakel, Omologo and Bengio 2018, "Light gated recurrent units for speech recognition": no reset gate, a
rectified candidate, and batch normalisation of the input product, which keeps the rectified values in bounds. With x_t
the frame and h the output:

    z = sigm(norm(W_z x_t) + R_z h_{t-1})      n = max(0, norm(W_n x_t) + R_n h_{t-1})
    h_t = z h_{t-1} + (1 - z) n

    norm(a) = u (a - mean) / sqrt(variance + 1e-5) + b          for each row of W

In training, mean and variance are taken over all frames of a batch, without padding. In evaluation they are running
averages, so that no utterance depends on another. In training, the gradient of an utterance depends on the rest of its
batch, so a batch should have more than one utterance.

The rows of the weights are in the order z, n.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from asr.recurrent.cells.cell import State
from asr.recurrent.cells.gated import GatedCell
from asr.recurrent.options import LightGruConfig as LightGruConfig


class LightGruCell(GatedCell):
    """Light GRU; the equations are at the top of this file.

    Parameters: `weight_ih` (2H, n_inputs), `weight_hh` (2H, H); u, `gain` (2H,), which starts at 1; b, `bias` (2H,).
    Buffers: `running_mean` and `running_variance` (2H,), running averages with momentum 0.05.

    Args:
        n_inputs: size of an input frame.
        hidden: H, size of an output frame.
    """

    running_mean: Tensor
    running_variance: Tensor

    def __init__(self, n_inputs: int, hidden: int) -> None:
        super().__init__(n_inputs, hidden, n_gates=2)
        self.gain = nn.Parameter(torch.ones(2 * hidden))
        self.register_buffer("running_mean", torch.zeros(2 * hidden))
        self.register_buffer("running_variance", torch.ones(2 * hidden))

    def project(self, rows: Tensor) -> Tensor:
        return F.batch_norm(
            F.linear(rows, self.weight_ih),
            self.running_mean,
            self.running_variance,
            self.gain,
            self.bias,
            training=self.training and len(rows) > 1,  # one frame has no variance
            momentum=0.05,
            eps=1e-5,
        )

    def point(self, projected: Tensor, recurrent: Tensor, state: State) -> tuple[Tensor, State]:
        update, new = (projected + recurrent).chunk(2, dim=-1)
        update = torch.sigmoid(update)
        output = update * state[0] + (1 - update) * torch.relu(new)
        return output, (output,)
