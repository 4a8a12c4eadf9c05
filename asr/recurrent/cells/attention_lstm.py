"""Long short-term memory that attends to its own last outputs.

After Cheng, Dong and Lapata 2016, "Long short-term memory-networks for machine reading", section 3.1: weighted means of
earlier outputs and cells replace the last output and cell of an LSTM. The paper uses all earlier steps of a sentence;
here it is the last `window` steps, because recordings have a thousand frames. With x_t the frame, h the output, c the
cell, and k in the window t - window .. t - 1:

    a_k = v . tanh(K h_k + W_a x_t + R_a s_{t-1} + b_a)
    w = softmax of a over the window
    s_t = sum of w_k h_k                       d_t = sum of w_k c_k
    i = sigm(W_i x_t + R_i s_t + b_i)          f = sigm(W_f x_t + R_f s_t + b_f)
    g = tanh(W_g x_t + R_g s_t + b_g)          o = sigm(W_o x_t + R_o s_t + b_o)
    c_t = f d_t + i g                          h_t = o tanh(c_t)

Before the first frame, the window contains one step, h_0 = c_0 = 0, and s_0 = 0; it grows until it is full. With a
window of one step, this is the LSTM of lstm.py.

The rows of the weights are in the order i, f, g, o, a.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from asr.config import check_values
from asr.recurrent.cells.cell import State
from asr.recurrent.cells.gated import GatedCell
from asr.recurrent.cells.lstm import lstm_step
from asr.recurrent.options import AttentionLstmConfig as AttentionLstmConfig


class AttentionLstmCell(GatedCell):
    """LSTM over a window of its own outputs; the equations are at the top of this file.

    Parameters: `weight_ih` (5H, n_inputs), `weight_hh` (5H, H), `bias` (5H,); K, `weight_keys` (H, H); v, `scorer`
    (H,).
    State: h and s (B, H); h, c and K h of the window (B, window, H); and (B, window) with 0 for existing steps of the
    window and -inf for missing ones.

    Args:
        n_inputs: size of an input frame.
        hidden: H, size of an output frame.
        window: the number of last steps to attend to, 1 to 1000.
        forget_bias: initial bias of the forget gate.

    Raises:
        ConfigError: `window` is out of range.
    """

    def __init__(self, n_inputs: int, hidden: int, window: int = 16, forget_bias: float = 1.0) -> None:
        check_values({"window": window}, {"window": (1 <= window <= 1000, "1 to 1000 steps")})
        super().__init__(n_inputs, hidden, n_gates=5)
        self.window = window
        self.weight_keys = nn.Parameter(torch.empty(hidden, hidden))
        self.scorer = nn.Parameter(torch.empty(hidden))
        nn.init.xavier_uniform_(self.weight_keys)
        nn.init.uniform_(self.scorer, -(hidden**-0.5), hidden**-0.5)
        self.bias.data[hidden : 2 * hidden] = forget_bias

    def initial_state(self, like: Tensor) -> State:
        zeros = like.new_zeros(len(like), self.hidden)
        tape = like.new_zeros(len(like), self.window, self.hidden)
        missing = like.new_full((len(like), self.window), -math.inf)
        missing[:, -1] = 0.0
        return zeros, zeros, tape, tape, tape, missing

    def step(self, projected: Tensor, state: State) -> tuple[Tensor, State]:
        _, summary, outputs, cells, keys, missing = state
        sizes = [4 * self.hidden, self.hidden]
        (gates, query), (of_gates, of_query) = torch.split(projected, sizes, dim=-1), torch.split(self.weight_hh, sizes)
        query = query + F.linear(summary, of_query)
        scores = torch.tanh(keys + query[:, None]) @ self.scorer + missing  # (B, window)
        weights = scores.softmax(-1)[:, None]  # (B, 1, window)
        summary, cell = (weights @ outputs)[:, 0], (weights @ cells)[:, 0]
        output, cell = lstm_step(gates + F.linear(summary, of_gates), cell)
        key = F.linear(output, self.weight_keys)
        present = torch.zeros_like(missing[:, 0])
        tapes = ((outputs, output), (cells, cell), (keys, key), (missing, present))
        return output, (output, summary, *(_slide(tape, newest) for tape, newest in tapes))


def _slide(tape: Tensor, newest: Tensor) -> Tensor:
    """Drop the oldest step of (B, window, ...) and append the newest (B, ...)."""
    return torch.cat([tape[:, 1:], newest[:, None]], dim=1)
