"""The LSTM cell: its start values, and weights to and from `torch.nn.LSTM`."""

from __future__ import annotations

import torch

from asr.recurrent.cells.lstm import LstmCell


def test_starts_with_an_open_forget_gate() -> None:
    cell = LstmCell(n_inputs=3, hidden=2, forget_bias=1.5)
    assert cell.bias.tolist() == [0, 0, 1.5, 1.5, 0, 0, 0, 0]


def test_recurrent_weights_of_each_gate_start_orthogonal() -> None:
    cell = LstmCell(n_inputs=3, hidden=5)
    for gate in cell.weight_hh.detach().chunk(4):
        torch.testing.assert_close(gate @ gate.T, torch.eye(5))


def test_weights_from_torch_and_back() -> None:
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(3, 2)
    given = {name.removesuffix("_l0"): value.detach() for name, value in lstm.named_parameters()}
    cell = LstmCell(n_inputs=3, hidden=2)
    cell.load_torch(given)
    returned = cell.to_torch()
    assert returned.keys() == given.keys()
    assert torch.equal(returned["weight_ih"], given["weight_ih"])
    assert torch.equal(returned["weight_hh"], given["weight_hh"])
    assert torch.equal(returned["bias_ih"], given["bias_ih"] + given["bias_hh"])
    assert not returned["bias_hh"].any()
