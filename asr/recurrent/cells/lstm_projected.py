"""Long short-term memory whose output is projected to fewer values.

Sak, Senior and Beaufays 2014, "Long short-term memory recurrent neural network architectures for large scale acoustic
modeling": many cells, but a small output. As in `torch.nn.LSTM` with `proj_size`, it has neither the peepholes of the
paper nor its second, non-recurrent projection. With i, f, g, o and c_t as in lstm.py:

    h_t = P (o tanh(c_t))

The rows of the weights are in the order i, f, g, o, as in torch.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from asr.recurrent.cells.cell import State
from asr.recurrent.cells.gated import TorchWeights
from asr.recurrent.cells.lstm import LstmGates, lstm_step
from asr.recurrent.options import ProjectedLstmConfig as ProjectedLstmConfig
from asr.recurrent.options import projection_of


class ProjectedLstmCell(TorchWeights, LstmGates):
    """LSTM with a projected output; the equation is at the top of this file.

    Parameters: `weight_ih` (4H, n_inputs), `weight_hh` (4H, O), `bias` (4H,), and P, `weight_hr` (O, H).

    Args:
        n_inputs: size of an input frame.
        hidden: H, the number of cells.
        projection: O, size of an output frame, 1 <= O < H; None for half of H.
        forget_bias: initial bias of the forget gate.

    Raises:
        ConfigError: `projection` is out of range.
    """

    def __init__(self, n_inputs: int, hidden: int, projection: int | None = None, forget_bias: float = 1.0) -> None:
        projection = projection_of(projection, hidden)
        super().__init__(n_inputs, hidden, forget_bias, output_size=projection)
        self.weight_hr = nn.Parameter(torch.empty(projection, hidden))
        nn.init.xavier_uniform_(self.weight_hr)

    def initial_state(self, like: Tensor) -> State:
        return like.new_zeros(len(like), self.output_size), like.new_zeros(len(like), self.hidden)

    def step(self, projected: Tensor, state: State) -> tuple[Tensor, State]:
        output, cell = lstm_step(projected + self.recur(state), state[1])
        output = F.linear(output, self.weight_hr)
        return output, (output, cell)

    def to_torch(self) -> dict[str, Tensor]:
        """Return the weights like `TorchWeights.to_torch`, with `weight_hr` (O, H)."""
        return super().to_torch() | {"weight_hr": self.weight_hr.detach()}

    @torch.no_grad()
    def load_torch(self, weights: Mapping[str, Tensor]) -> None:
        """Load the weights of one direction of `torch.nn.LSTM` with `proj_size`, with the keys of `to_torch`."""
        super().load_torch(weights)
        self.weight_hr.copy_(weights["weight_hr"])
