"""Variants that are other cells, and the simple network as the LSTM that it is a special case of."""

from __future__ import annotations

import pytest
import torch

from asr.errors import ConfigError
from asr.recurrent import paths
from asr.recurrent.cells.cell import Cell
from asr.recurrent.cells.lstm import LstmCell
from asr.recurrent.cells.lstm_peephole import PeepholeLstmCell
from asr.recurrent.cells.odyssey import OdysseyCell
from asr.recurrent.cells.simple import SimpleCell
from tests.recurrent.cells.cases import HIDDEN, N_INPUTS, problem, randomise


def assert_same_outputs(one: Cell, other: Cell) -> None:
    """Up to the order of sums: a product with more rows may add in another."""
    rows, layout = problem([6, 9])
    outputs = [paths.loop([cell.double()], rows, layout) for cell in (one, other)]
    torch.testing.assert_close(*outputs, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("variant", "kind"), [("V", PeepholeLstmCell), ("NP", LstmCell)])
def test_a_variant_is_the_cell_it_names(variant: str, kind: type[Cell]) -> None:
    torch.manual_seed(0)
    cell, same = OdysseyCell(N_INPUTS, HIDDEN, variant), kind(N_INPUTS, HIDDEN)
    randomise(same)
    missing, unexpected = cell.load_state_dict(same.state_dict(), strict=False)
    assert (missing, unexpected) == (["peepholes"] if variant == "NP" else [], [])
    assert_same_outputs(cell, same)


def test_the_simple_network_is_an_lstm_with_its_gates_held() -> None:
    """Input and output gate at 1, forget gate at 0, and no second tanh on the way out: h = c = tanh(...)."""
    torch.manual_seed(0)
    simple, lstm = SimpleCell(N_INPUTS, HIDDEN), OdysseyCell(N_INPUTS, HIDDEN, "NOAF")
    randomise(simple)
    with torch.no_grad():
        for name in ("weight_ih", "weight_hh", "bias"):
            for gate, values in zip("ifgo", getattr(lstm, name).chunk(4), strict=True):
                held = {"i": 1e3, "f": -1e3, "o": 1e3}.get(gate, 0.0) if name == "bias" else 0.0
                values.copy_(getattr(simple, name) if gate == "g" else torch.full_like(values, held))
    assert_same_outputs(simple, lstm)


def test_the_forget_gate_starts_open_where_there_is_one() -> None:
    for variant, first in {"V": HIDDEN, "NIG": 0, "NP": HIDDEN}.items():
        bias = OdysseyCell(N_INPUTS, HIDDEN, variant, forget_bias=2.0).bias
        assert bias.nonzero().flatten().tolist() == list(range(first, first + HIDDEN))
    for variant in ("NFG", "CIFG"):
        assert not OdysseyCell(N_INPUTS, HIDDEN, variant).bias.any()


def test_unknown_variants_are_refused() -> None:
    with pytest.raises(ConfigError, match="variant=NIX; expected one of V, NIG, .*, FGR"):
        OdysseyCell(N_INPUTS, HIDDEN, "NIX")
