"""The state of a run comes back from a checkpoint, of version 0.1 too."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from asr.training.state import EpochSums, State
from asr.training.task import Loss, WeightedSum

OLD: dict[str, Any] = {  # as version 0.1 wrote it
    "epoch": 1, "position": 2, "step": 6, "best_error": 0.8666666666666667, "best_epoch": 0, "epochs_since_best": 0,
    "blank_steps": 17, "train_seconds": 1.346, "train_cpu_seconds": 0.66,
    "sums": {"loss": 366.5, "utterances": 11.0, "frames": 500.0, "blank_frames": 400.0, "norm": 163.75},
}  # fmt: skip


def test_a_state_comes_back() -> None:
    state = State(epoch=2, step=7, best_error=0.25)
    state.sums.add(Loss(torch.zeros(2), {"share": WeightedSum(3.0, 4.0)}), 5.0, 2, 0.5)
    assert State.from_saved(state.saved()) == state
    assert State.from_saved(State().saved()) == State()


def test_a_state_of_version_0_1_goes_on_within_its_epoch() -> None:
    state = State.from_saved(OLD)
    assert (state.epoch, state.position, state.step, state.best_error) == (1, 2, 6, 0.8666666666666667)
    assert state.sums == EpochSums(366.5, 11, 163.75, {"blank_share": WeightedSum(400.0, 500.0)})
    assert state.sums.means == {"blank_share": pytest.approx(0.8)}


def test_a_state_of_version_0_1_at_the_end_of_an_epoch() -> None:
    assert State.from_saved(OLD | {"position": 0, "sums": {}}).sums == EpochSums()


@pytest.mark.parametrize("change", [{"sums": None}, {"sums": {"loss": 1.0}}, {"stranger": 1}])
def test_what_is_no_state_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((AttributeError, KeyError, TypeError)):
        State.from_saved(OLD | change)


def test_a_mean_without_weight_is_no_number() -> None:
    assert math.isnan(WeightedSum().mean)
    assert WeightedSum.of(0.5, 4) + WeightedSum(1.0, 6) == WeightedSum(3.0, 10)
