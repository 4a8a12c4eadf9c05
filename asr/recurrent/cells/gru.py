"""The gated recurrent unit with the reset after the product, as in cuDNN and torch.

Cho et al. 2014 with the reset applied after the recurrent product, so that each step needs only one product;
`gru_before.py` is the original. With x_t the frame and h the output:

    r = sigm(W_r x_t + R_r h_{t-1} + b_r)      z = sigm(W_z x_t + R_z h_{t-1} + b_z)
    n = tanh(W_n x_t + b_n + r (R_n h_{t-1} + d_n))
    h_t = (1 - z) n + z h_{t-1}

The rows of all weights are in the order r, z, n, as in `torch.nn.GRU`; ONNX uses z, r, n.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from asr.recurrent.cells.cell import State
from asr.recurrent.cells.gated import GatedCell
from asr.recurrent.options import GruConfig as GruConfig


class GruCell(GatedCell):
    """GRU, reset after the product; the equations are at the top of this file.

    Parameters: `weight_ih` (3H, n_inputs), `weight_hh` (3H, H), `bias` (3H,), and d_n, `bias_hn` (H,).

    Args:
        n_inputs: size of an input frame.
        hidden: H, size of an output frame.
    """

    def __init__(self, n_inputs: int, hidden: int) -> None:
        super().__init__(n_inputs, hidden, n_gates=3)
        self.bias_hn = nn.Parameter(torch.zeros(hidden))

    def point(self, projected: Tensor, recurrent: Tensor, state: State) -> tuple[Tensor, State]:
        (r_in, z_in, n_in), (r_back, z_back, n_back) = projected.chunk(3, dim=-1), recurrent.chunk(3, dim=-1)
        reset, update = torch.sigmoid(r_in + r_back), torch.sigmoid(z_in + z_back)
        new = torch.tanh(n_in + reset * (n_back + self.bias_hn))
        output = (1 - update) * new + update * state[0]
        return output, (output,)

    def to_torch(self) -> dict[str, Tensor]:
        """Return the weights in the layout of one direction of `torch.nn.GRU`, gates in the order r, z, n.

        Returns:
            `weight_ih` (3H, n_inputs), `weight_hh` (3H, H), `bias_ih` (3H,), `bias_hh` (3H,), 0 except for n; detached.
        """
        bias_hn = self.bias_hn.detach()
        return {
            "weight_ih": self.weight_ih.detach(),
            "weight_hh": self.weight_hh.detach(),
            "bias_ih": self.bias.detach(),
            "bias_hh": torch.cat([bias_hn.new_zeros(2 * self.hidden), bias_hn]),
        }

    @torch.no_grad()
    def load_torch(self, weights: Mapping[str, Tensor]) -> None:
        """Load the weights of one direction of `torch.nn.GRU`, with the keys of `to_torch`."""
        of_gates, bias_hn = torch.split(weights["bias_hh"], [2 * self.hidden, self.hidden])
        self.weight_ih.copy_(weights["weight_ih"])
        self.weight_hh.copy_(weights["weight_hh"])
        self.bias.copy_(weights["bias_ih"])
        self.bias[: 2 * self.hidden] += of_gates
        self.bias_hn.copy_(bias_hn)
