"""The variants of the LSTM that are compared in Greff et al. 2017, "LSTM: A search space odyssey".

    V     the LSTM with peepholes of lstm_peephole.py ("vanilla")
    NIG   no input gate: i = 1
    NFG   no forget gate: f = 1
    NOG   no output gate: o = 1
    NIAF  no input activation function: g = W_g x_t + R_g h_{t-1} + b_g
    NOAF  no output activation function: h_t = o c_t
    CIFG  coupled input and forget gate: f = 1 - i
    NP    no peepholes: the LSTM of lstm.py
    FGR   full gate recurrence: each of the sums of i, f, o also has Q_i i_{t-1} + Q_f f_{t-1} + Q_o o_{t-1}, with
          its own matrices Q (Hochreiter and Schmidhuber 1997)

The rows of the weights are in the order i, f, g, o, those of the peepholes and of the gates' recurrence in the order
i, f, o. There are no rows for parts that a variant does not have.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from asr.recurrent.cells.cell import State
from asr.recurrent.cells.gated import GatedCell
from asr.recurrent.cells.lstm_peephole import peephole_step
from asr.recurrent.options import OdysseyConfig as OdysseyConfig
from asr.recurrent.options import variant_named


class OdysseyCell(GatedCell):
    """A variant of the LSTM; the variants are listed at the top of this file.

    Parameters: `weight_ih` (G, n_inputs), `weight_hh` (G, H) and `bias` (G,), with H rows for each gate of the variant;
    `peepholes` (at most 3, H), which start at 0; for FGR also `weight_gates` (3H, 3H), with all Q of a gate in a row.

    Args:
        n_inputs: size of an input frame.
        hidden: H, size of an output frame.
        variant: the name of the variant.
        forget_bias: initial bias of the forget gate, if the variant has one.

    Raises:
        ConfigError: there is no such variant.
    """

    def __init__(self, n_inputs: int, hidden: int, variant: str = "V", forget_bias: float = 1.0) -> None:
        has = variant_named(variant)
        super().__init__(n_inputs, hidden, len(has.gates), n_states=5 if has.full_recurrence else 2)
        self.has = has
        self.peepholes = nn.Parameter(torch.zeros(len(has.peepholes), hidden))
        if "f" in has.gates:
            self.bias.data.view(-1, hidden)[has.gates.index("f")] = forget_bias
        if has.full_recurrence:
            self.weight_gates = nn.Parameter(torch.empty(3 * hidden, 3 * hidden))
            nn.init.xavier_uniform_(self.weight_gates)

    def recur(self, state: State) -> Tensor:
        recurrent = super().recur(state)
        if not self.has.full_recurrence:
            return recurrent
        i, f, o = F.linear(torch.cat(state[2:], dim=-1), self.weight_gates).chunk(3, dim=-1)
        return recurrent + torch.cat([i, f, torch.zeros_like(i), o], dim=-1)

    def gate_matrix(self) -> Tensor:
        """Return the recurrence of the gates as (4H, 4H) over i, f, g, o; the rows and columns of g are 0."""
        narrow = self.weight_gates.view(3, self.hidden, 3, self.hidden)
        wide = narrow.new_zeros(4, self.hidden, 4, self.hidden)
        for row, to_row in enumerate((0, 1, 3)):
            for column, to_column in enumerate((0, 1, 3)):
                wide[to_row, :, to_column] = narrow[row, :, column]
        return wide.view(4 * self.hidden, -1)

    def point(self, projected: Tensor, recurrent: Tensor, state: State) -> tuple[Tensor, State]:
        has, sums = self.has, (projected + recurrent).chunk(len(self.has.gates), dim=-1)
        gates = dict.fromkeys("ifo", state[1].new_tensor(math.inf))  # sigm(inf) = 1: a missing gate is open
        gates |= zip(has.gates, sums, strict=True)
        peepholes = dict.fromkeys("ifo", state[1].new_zeros(()))
        peepholes |= zip(has.peepholes, self.peepholes, strict=True)
        if has.coupled:  # 1 - sigm(x) = sigm(-x)
            gates["f"], peepholes["f"] = -gates["i"], -peepholes["i"]
        output, cell, opened = peephole_step(
            [gates[name] for name in "ifgo"],
            [peepholes[name] for name in "ifo"],
            state[1],
            torch.tanh if has.squash_in else torch.positive,
            torch.tanh if has.squash_out else torch.positive,
        )
        return output, (output, cell, *(opened if has.full_recurrence else ()))
