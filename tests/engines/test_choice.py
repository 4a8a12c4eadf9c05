"""The work, or a name, chooses the engine; one that cannot run the network says which can."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asr.config import Component
from asr.engines.choice import choose_engine
from asr.engines.names import MANY
from asr.errors import ConfigError, MissingExtra
from tests.engines.networks import network

LIGRU = {"_target_": "asr.recurrent.cells.ligru.LightGruCell"}


def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asr.extras.find_spec", lambda name: None)
    monkeypatch.delitem(__import__("sys").modules, "torch")


@pytest.mark.parametrize(
    ("cell", "utterances", "expected", "why"),
    [
        (None, 1, "numpy", "it starts fastest, and there are fewer than 100 utterances"),
        (None, MANY - 1, "numpy", "it starts fastest, and there are fewer than 100 utterances"),
        (None, MANY, "torch", "it is the fastest for 100 utterances or more"),
        (LIGRU, 1, "torch", "the cell is a 'LightGruCell', which the engine numpy does not support"),
    ],
)
def test_the_work_decides(cell: dict[str, str] | None, utterances: int, expected: str, why: str) -> None:
    engine, choice = choose_engine(network(cell=cell, hidden=4), utterances=utterances)
    assert (engine.name, choice.name, choice.why) == (expected, expected, why)


def test_without_torch_numpy_does_all_the_work_that_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    suited, other = network(hidden=4), network(hidden=4, cell=LIGRU)
    without_torch(monkeypatch)
    engine, choice = choose_engine(suited, utterances=10 * MANY)
    assert engine.name == "numpy"
    assert choice.why == "torch, which is faster for many utterances, is not installed"
    with pytest.raises(MissingExtra) as error:
        choose_engine(other)
    assert str(error.value) == (
        "the engine torch (the only one for this model: the cell is a 'LightGruCell') needs torch; install it: "
        "pip install 'ctc-asr[train]'"
    )
    with pytest.raises(MissingExtra) as error:
        choose_engine(suited, "torch")
    assert str(error.value) == (
        "the engine torch (the engine numpy can also run this model) needs torch; install it: "
        "pip install 'ctc-asr[train]'"
    )
    with pytest.raises(MissingExtra) as error:
        choose_engine(other, "numpy")
    assert str(error.value) == (
        "the engine numpy does not support this model: the cell is a 'LightGruCell'; use the engine torch, which needs "
        "torch; install it: pip install 'ctc-asr[train]'"
    )


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_a_name_decides(name: str) -> None:
    frames, lengths = np.ones((2, 3, 5), np.float32), np.array([3, 1])
    engine, choice = choose_engine(network(hidden=4), name, 1)
    assert (engine.name, choice.name, choice.why) == (name, name, "chosen by the user")
    assert engine.posteriors(frames, lengths)[0].shape == (2, 3, 6)


def test_what_a_named_engine_cannot_run_is_said_with_what_can() -> None:
    with pytest.raises(ConfigError) as error:
        choose_engine(network(hidden=4, cell=LIGRU), "numpy")
    told = "the engine numpy does not support this model: the cell is a 'LightGruCell'; use the engine torch"
    assert str(error.value) == told
    with pytest.raises(ConfigError, match=r"only runs \.onnx files.* use the engine numpy or torch"):
        choose_engine(network(hidden=4), "onnx")
    with pytest.raises(ConfigError, match=r"use the engine torch$"):
        choose_engine(network(hidden=4, cell=LIGRU), "onnx")
    with pytest.raises(ConfigError, match=r"engine=torhc; expected one of auto, numpy, torch, onnx; did you mean 'to"):
        choose_engine(network(hidden=4), "torhc")


def test_options_are_checked_whichever_engine_it_is() -> None:
    wrong = replace(network(hidden=4), component=Component("asr.recurrent.stack.RecurrentStack", {"hidden": 0}))
    for name in ("numpy", "torch"):
        with pytest.raises(ConfigError, match=r"^model\.hidden=0; expected 1 to"):
            choose_engine(wrong, name)
