"""The list of cells: one line here, and a cell is held to everything that test_cells.py asks of a cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from asr.config import Component, build
from asr.experiment.schema import GROUPS
from asr.recurrent.cells.cell import Cell
from asr.recurrent.layout import Layout
from asr.recurrent.options import VARIANTS
from tests.reference import cells as reference

N_INPUTS, HIDDEN = 4, 4
"""Of all cases; the options are such that they fit."""


@dataclass(frozen=True)
class Case:
    """A cell with options, and what it is compared with."""

    name: str  # in the group model/cell
    reference: reference.Reference
    options: Mapping[str, Any] = field(default_factory=dict)
    oracle: Mapping[str, Any] | None = None  # options of the `torch.nn` module, its class under `kind`; None: has none

    def __str__(self) -> str:
        """Its name in the list of tests."""
        return "-".join([self.name, *map(str, self.options.values())])

    def node(self) -> dict[str, Any]:
        """Its configuration."""
        return asdict(GROUPS["model/cell"][self.name]()) | dict(self.options)

    def cell(self, dtype: torch.dtype = torch.float64) -> Cell:
        """A cell in evaluation, with random weights that make it far from linear."""
        made: Cell = build(Component.of(self.node()), n_inputs=N_INPUTS, hidden=HIDDEN).to(dtype).eval()
        randomise(made)
        return made

    def module(self, dtype: torch.dtype) -> nn.RNNBase:
        """What torch has instead."""
        assert self.oracle is not None
        options = dict(self.oracle)
        made: nn.RNNBase = options.pop("kind")(N_INPUTS, HIDDEN, **options, dtype=dtype)
        return made


@torch.no_grad()
def randomise(module: nn.Module, deviation: float = 0.7) -> None:
    """Normal weights; statistics of a batch normalisation as they might be."""
    for parameter in module.parameters():
        parameter.normal_(std=deviation)
    for name, buffer in module.named_buffers():
        buffer.uniform_(0.5, 1.5) if name.endswith("variance") else buffer.normal_(std=0.3)


CASES = [
    Case("simple", reference.simple, oracle={"kind": nn.RNN}),
    Case("simple", reference.simple, {"activation": "relu"}, oracle={"kind": nn.RNN, "nonlinearity": "relu"}),
    Case("lstm", reference.lstm, oracle={"kind": nn.LSTM}),
    Case("lstm_peephole", reference.lstm_peephole),
    Case("gru", reference.gru, oracle={"kind": nn.GRU}),
    Case("gru_before", reference.gru_before),
    Case("ligru", reference.ligru),
    *(Case("odyssey", reference.odyssey, {"variant": variant}) for variant in VARIANTS),
    Case("lstm_projected", reference.lstm_projected, {"projection": 3}, oracle={"kind": nn.LSTM, "proj_size": 3}),
    Case("lstm_layernorm", reference.lstm_layernorm),
    Case("lstm_zoneout", reference.lstm_zoneout, {"cell_zoneout": 0.3, "output_zoneout": 0.2}),
    Case("conv_lstm", reference.conv_lstm, {"channels": 2, "kernel": 1}),
    Case("conv_lstm", reference.conv_lstm, {"channels": 1, "kernel": 3}),
    Case("attention_lstm", reference.attention_lstm, {"window": 3}),
    Case("attention_lstm", reference.attention_lstm, {"window": 1}),
]


def problem(lengths: list[int], dtype: torch.dtype = torch.float64) -> tuple[Tensor, Layout]:
    """The rows of a batch of random frames."""
    layout = Layout(torch.tensor(lengths), max(lengths), torch.device("cpu"))
    return torch.randn(sum(lengths), N_INPUTS, dtype=dtype, requires_grad=True), layout
