"""The simple recurrent network, without gates.

Elman 1990, "Finding structure in time". With x_t the frame and h the output:

    h_t = f(W x_t + R h_{t-1} + b)             f = tanh, or max(0, .) (Le, Jaitly and Hinton 2015)

It is an LSTM with input and output gates fixed at 1, forget gate fixed at 0 and no second tanh (`NOAF` in odyssey.py).
In torch it is called `torch.nn.RNN`, in ONNX RNN.
"""

from __future__ import annotations

import torch
from torch import Tensor

from asr.recurrent.cells.cell import State
from asr.recurrent.cells.gated import TorchWeights
from asr.recurrent.options import SimpleConfig as SimpleConfig
from asr.recurrent.options import check_activation


class SimpleCell(TorchWeights):
    """A simple recurrent network; the equation is at the top of this file.

    Parameters: `weight_ih` (H, n_inputs), `weight_hh` (H, H), `bias` (H,).

    Args:
        n_inputs: size of an input frame.
        hidden: H, size of an output frame.
        activation: f, `tanh` or `relu`.

    Raises:
        ConfigError: the activation is neither of these.
    """

    def __init__(self, n_inputs: int, hidden: int, activation: str = "tanh") -> None:
        super().__init__(n_inputs, hidden, n_gates=1)
        check_activation(activation)
        self.activation = activation

    def point(self, projected: Tensor, recurrent: Tensor, state: State) -> tuple[Tensor, State]:
        output = (torch.tanh if self.activation == "tanh" else torch.relu)(projected + recurrent)
        return output, (output,)
