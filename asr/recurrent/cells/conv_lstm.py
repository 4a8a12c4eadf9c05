"""Long short-term memory that convolves over frequency instead of multiplying with full matrices.

Shi et al. 2015, "Convolutional LSTM network: a machine learning approach for precipitation nowcasting", equation 3,
over one axis: the bands of a filterbank frame, or the neighbours in a small window of pen features. A frame X_t, an
output H and a cell C have the shape channels x bands; * is a convolution over the bands with zeros beyond the edges;
p C is elementwise:

    i = sigm(W_i * X_t + R_i * H_{t-1} + p_i C_{t-1} + b_i)
    f = sigm(W_f * X_t + R_f * H_{t-1} + p_f C_{t-1} + b_f)
    g = tanh(W_g * X_t + R_g * H_{t-1} + b_g)
    C_t = f C_{t-1} + i g
    o = sigm(W_o * X_t + R_o * H_{t-1} + p_o C_t + b_o)
    H_t = o tanh(C_t)

For the rest of the network, a frame is a row of values, one channel after the other. Energies with their differences,
stacked frames and the two directions of the layer below already have this order. The number of output channels is an
option, and the number of bands is hidden / channels. Input frames must have the same number of bands: 40 energies with
two differences (120 values) and `channels=4` need `model.hidden=160`.

The rows of the weights are in the order i, f, g, o, those of the peepholes in the order i, f, o.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from asr.config import check_values
from asr.recurrent.cells.cell import Cell, State
from asr.recurrent.cells.gated import start_gates
from asr.recurrent.cells.lstm_peephole import peephole_step
from asr.recurrent.options import ConvLstmConfig as ConvLstmConfig


class ConvLstmCell(Cell):
    """Convolutional LSTM; the equations are at the top of this file.

    Parameters: `weight_ih` (4 * channels, input channels, kernel), `weight_hh` (4 * channels, channels, kernel), `bias`
    (4 * channels,), `peepholes` (3, H), which start at 0.

    Args:
        n_inputs: size of an input frame, input channels * bands.
        hidden: H, size of an output frame, channels * bands.
        channels: the number of output channels.
        kernel: the width of the convolution in bands, odd.
        forget_bias: initial bias of the forget gate.

    Raises:
        ConfigError: the sizes do not fit as described above, or the kernel is even.
    """

    def __init__(
        self, n_inputs: int, hidden: int, channels: int = 4, kernel: int = 5, forget_bias: float = 1.0
    ) -> None:
        super().__init__(n_inputs, hidden)
        _check_sizes(n_inputs, hidden, channels, kernel)
        self.channels = channels
        self.bands = hidden // channels
        self.weight_ih = nn.Parameter(torch.empty(4 * channels, n_inputs // self.bands, kernel))
        self.weight_hh = nn.Parameter(torch.empty(4 * channels, channels, kernel))
        self.bias = nn.Parameter(torch.zeros(4 * channels))
        self.peepholes = nn.Parameter(torch.zeros(3, hidden))
        start_gates(self, 4)
        self.bias.data[channels : 2 * channels] = forget_bias

    def project(self, rows: Tensor) -> Tensor:
        return self._convolve(rows, self.weight_ih, self.bias)

    def initial_state(self, like: Tensor) -> State:
        return (like.new_zeros(len(like), self.hidden),) * 2

    def recur(self, state: State) -> Tensor:
        return self._convolve(state[0], self.weight_hh)

    def recurrent_matrix(self) -> Tensor:
        """Return the recurrent convolution as a matrix (4H, H) that multiplies the last output."""
        return self._convolve(torch.eye(self.hidden).to(self.weight_hh), self.weight_hh).T

    def point(self, projected: Tensor, recurrent: Tensor, state: State) -> tuple[Tensor, State]:
        gates = (projected + recurrent).chunk(4, dim=-1)
        output, cell, _ = peephole_step(gates, self.peepholes.unbind(), state[1])
        return output, (output, cell)

    def _convolve(self, frames: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Convolve (N, channels * bands) to (N, 4H), one gate after the other."""
        maps = frames.reshape(len(frames), -1, self.bands)  # (N, channels, bands)
        return F.conv1d(maps, weight, bias, padding="same").flatten(1)


def _check_sizes(n_inputs: int, hidden: int, channels: int, kernel: int) -> None:
    divides = channels >= 1 and hidden % channels == 0
    expected = f"1 or more, a divisor of model.hidden ({hidden})"
    if divides:
        bands = hidden // channels
        divides = n_inputs % bands == 0
        expected = (
            f"model.hidden / channels (now {bands}) to divide the {n_inputs} values of a frame; choose model.hidden = "
            "channels times the bands of the features"
        )
    conditions = {
        "channels": (divides, expected),
        "kernel": (1 <= kernel <= 1001 and kernel % 2 == 1, "an odd number, 1 to 1001"),
    }
    check_values({"channels": channels, "kernel": kernel}, conditions)
