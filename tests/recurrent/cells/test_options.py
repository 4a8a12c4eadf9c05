"""What single cells promise beyond what all do: training modes, special cases, sizes they refuse."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from asr.errors import ConfigError
from asr.recurrent import paths
from asr.recurrent.cells.attention_lstm import AttentionLstmCell
from asr.recurrent.cells.cell import Cell
from asr.recurrent.cells.conv_lstm import ConvLstmCell
from asr.recurrent.cells.ligru import LightGruCell
from asr.recurrent.cells.lstm import LstmCell
from asr.recurrent.cells.lstm_projected import ProjectedLstmCell
from asr.recurrent.cells.lstm_zoneout import ZoneoutLstmCell
from asr.recurrent.cells.simple import SimpleCell
from tests.recurrent.cells.cases import HIDDEN, N_INPUTS, problem, randomise


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def test_attention_to_one_step_is_the_lstm() -> None:
    cell, lstm = AttentionLstmCell(N_INPUTS, HIDDEN, window=1).double(), LstmCell(N_INPUTS, HIDDEN).double()
    randomise(cell)
    with torch.no_grad():
        for name in ("weight_ih", "weight_hh", "bias"):
            getattr(lstm, name).copy_(getattr(cell, name)[: 4 * HIDDEN])
    rows, layout = problem([6, 9])
    torch.testing.assert_close(paths.loop([cell], rows, layout), paths.loop([lstm], rows, layout), rtol=0, atol=1e-14)


def test_zoneout_keeps_whole_values_at_its_rates() -> None:
    cell = ZoneoutLstmCell(N_INPUTS, 50, cell_zoneout=0.4, output_zoneout=0.2).double().train()
    kept = []
    state = cell.initial_state(torch.zeros(30, 200, dtype=torch.float64))
    for frame in torch.randn(20, 30, N_INPUTS, dtype=torch.float64):
        _, new = cell.step(cell.project(frame), state)
        kept.append([(one == other).double().mean() for one, other in zip(new, state, strict=True)])
        state = new
    output, of_cell = torch.tensor(kept[1:]).mean(dim=0).tolist()  # at the first step 0 is kept and 0 was there
    assert output == pytest.approx(0.2, abs=0.015)  # four standard deviations of 28500 draws: 0.01
    assert of_cell == pytest.approx(0.4, abs=0.015)


def test_zoneout_without_probability_is_the_lstm() -> None:
    cell, lstm = ZoneoutLstmCell(N_INPUTS, HIDDEN, 0.0, 0.0).double(), LstmCell(N_INPUTS, HIDDEN).double()
    lstm.load_state_dict(cell.state_dict())
    rows, layout = problem([6, 9])
    expected = paths.loop([lstm], rows, layout)
    for mode in (True, False):
        assert torch.equal(paths.loop([cell.train(mode)], rows, layout), expected)


def test_ligru_normalises_over_the_frames_of_the_batch_and_remembers_them() -> None:
    cell = LightGruCell(N_INPUTS, HIDDEN).double().train()
    rows, layout = problem([6, 9, 2])
    projected = cell.project(rows * 3 + 1).detach()
    torch.testing.assert_close(projected.mean(0), torch.zeros(2 * HIDDEN, dtype=torch.float64))
    torch.testing.assert_close(projected.var(0, correction=0), torch.ones(2 * HIDDEN).double(), rtol=1e-3, atol=0)
    for _ in range(300):  # (1 - 1/20)^300 = 2e-7
        cell.project(rows * 3 + 1)
    evaluated = cell.eval().project(rows * 3 + 1)
    torch.testing.assert_close(evaluated.detach(), projected, rtol=0.05, atol=1e-3)  # variance: 17 frames, 16 degrees
    assert torch.autograd.gradcheck(lambda rows: paths.loop([cell.train()], rows, layout), rows, atol=1e-4)


def test_ligru_takes_a_single_frame_in_training() -> None:
    cell = LightGruCell(N_INPUTS, HIDDEN).double().train()
    before = cell.running_variance.clone()
    rows, layout = problem([1])
    assert paths.loop([cell], rows, layout).isfinite().all()
    assert torch.equal(cell.running_variance, before)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (SimpleCell, {"activation": "gelu"}, "activation=gelu; expected one of tanh, relu"),
        (ProjectedLstmCell, {"projection": 4}, r"projection=4; expected 1 or more, below model\.hidden \(4\)"),
        (ZoneoutLstmCell, {"output_zoneout": 1.0}, r"output_zoneout=1\.0; expected 0 to below 1"),
        (ConvLstmCell, {"channels": 3}, r"channels=3; expected 1 or more, a divisor of model\.hidden \(4\)"),
        (ConvLstmCell, {"channels": 2, "kernel": 4}, "kernel=4; expected an odd number"),
        (AttentionLstmCell, {"window": 0}, "window=0; expected 1 to 1000 steps"),
    ],
)
def test_refuses_what_cannot_be(kind: type[Cell], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        kind(N_INPUTS, HIDDEN, **options)


def test_convolution_says_which_sizes_fit() -> None:
    with pytest.raises(ConfigError, match=r"model\.hidden / channels \(now 2\) to divide the 5 values"):
        ConvLstmCell(5, HIDDEN, channels=2)
