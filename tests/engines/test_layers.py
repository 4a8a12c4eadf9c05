"""A network is described only if its options and weights fit, with the words of the torch engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from asr.config import Component
from asr.engines.engine import Network
from asr.engines.layers import CELLS, layers_of, why_not
from asr.engines.torch import TorchEngine
from asr.errors import AsrError, CheckpointError, ConfigError
from tests.engines.networks import network

ODYSSEY = "asr.recurrent.cells.odyssey.OdysseyCell"
PROJECTED = "asr.recurrent.cells.lstm_projected.ProjectedLstmCell"
SIMPLE = "asr.recurrent.cells.simple.SimpleCell"


def test_describes_each_layer() -> None:
    described = network(hidden=4, layers=3, skips=True, time_reduction=2, time_reduction_after=2, n_features=8)
    stack = layers_of(described)
    assert [layer.n_inputs for layer in stack.layers] == [8, 8, 16]
    assert [layer.skip for layer in stack.layers] == [False, True, False]
    assert [layer.time_reduction for layer in stack.layers] == [1, 2, 1]
    assert [[cell.backward for cell in layer.cells] for layer in stack.layers] == [[False, True]] * 3
    assert stack.time_reduction == 2
    cell = stack.layers[2].cells[1]
    assert set(cell.weights) == {"weight_ih", "weight_hh", "bias"}
    assert np.shares_memory(cell.weights["weight_ih"], described.weights["layers.2.backward_cell.weight_ih"])
    assert stack.output_weight is described.weights["output.weight"]


def told(run: Callable[[Network], object], changed: Network) -> tuple[type, str]:
    with pytest.raises(AsrError) as error:
        run(changed)
    return type(error.value), str(error.value)


@pytest.mark.parametrize(
    "options",
    [
        {"hidden": 0},
        {"hidden": "many"},
        {"hidden": 2**20 + 1, "layers": 0, "dropout": 1.0},
        {"layers": 10**9},
        {"direction": "up"},
        {"direction": ["both"]},
        {"time_reduction": 101, "time_reduction_after": 4},
        {"hiden": 5},
        {"skips": "yes"},
        {"cell": 5},
        {"cell": {"hidden": 5}},
        {"cell": {"_target_": ODYSSEY, "variant": "NGI"}},
        {"cell": {"_target_": ODYSSEY, "variant": 5, "forget": 1}},
        {"cell": {"_target_": PROJECTED, "projection": 128}},
        {"cell": {"_target_": PROJECTED, "projection": 1.5}},
        {"cell": {"_target_": SIMPLE, "activation": "rule"}},
    ],
    ids=str,
)
def test_an_option_is_refused_as_the_torch_engine_refuses_it(options: dict[str, Any]) -> None:
    component = Component.of({"_target_": "asr.recurrent.stack.RecurrentStack", "layers": 3} | options)
    changed = replace(network(), component=component)
    kind, sentence = told(layers_of, changed)
    assert kind is ConfigError
    assert sentence.startswith("model") or "\n  model" in sentence or "has no option" in sentence
    assert (kind, sentence) == told(TorchEngine.of, changed)


def without(weights: dict[str, Any]) -> None:
    del weights["layers.0.backward_cell.bias"]


def with_more(weights: dict[str, Any]) -> None:
    weights |= {f"{number}" * 100: np.zeros(1, np.float32) for number in range(4)}


def with_another_shape(weights: dict[str, Any]) -> None:
    weights["output.weight"] = weights["output.weight"][:, :-1]


def with_whole_numbers(weights: dict[str, Any]) -> None:
    weights["output.bias"] = np.zeros(6, np.int64)


def with_nan(weights: dict[str, Any]) -> None:
    weights["layers.1.forward_cell.weight_hh"] = weights["layers.1.forward_cell.weight_hh"] * np.float32("nan")


def with_too_large_numbers(weights: dict[str, Any]) -> None:
    weights["output.bias"] = np.full(6, 1e300)


def with_no_array(weights: dict[str, Any]) -> None:
    weights["output.bias"] = [0.0] * 6


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (without, r"the file does not contain 'layers.0.backward_cell.bias'"),
        (with_more, "the file also contains '0000"),
        (with_another_shape, r"'output.weight' is float32 (6, 255), expected float32 (6, 256)"),
        (with_whole_numbers, r"'output.bias' is int64 (6,), expected float32 (6,)"),
        (with_nan, "the weights 'layers.1.forward_cell.weight_hh' are not finite; the file is damaged"),
        (with_too_large_numbers, "the weights 'output.bias' are not finite; the file is damaged"),
        (with_no_array, r"'output.bias' is a list, expected float32 (6,)"),
    ],
)
def test_weights_are_refused_as_the_torch_engine_refuses_them(
    change: Callable[[dict[str, Any]], None], expected: str
) -> None:
    weights = dict(network().weights)
    change(weights)
    changed = replace(network(), weights=weights)
    kind, sentence = told(layers_of, changed)
    assert kind is CheckpointError
    assert expected in sentence
    assert (kind, sentence) == told(TorchEngine.of, changed)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, ">f4"])
def test_other_floats_become_float32(dtype: Any) -> None:
    weights = {name: value.astype(dtype) for name, value in network().weights.items()}
    found = layers_of(replace(network(), weights=weights))
    assert found.output_weight.dtype == np.float32
    assert found.output_weight.dtype.isnative


@pytest.mark.parametrize("size", [{"hidden": 2**20}, {"layers": 100, "hidden": 10_000}])
def test_a_huge_network_takes_no_memory(size: dict[str, int]) -> None:
    """Made for real, the first would need 35 TB."""
    component = Component.of({"_target_": "asr.recurrent.stack.RecurrentStack"} | size)
    with pytest.raises(CheckpointError, match="the weights do not fit the configuration"):
        layers_of(replace(network(), component=component))


def test_what_cannot_be_described_is_named() -> None:
    assert why_not(network()) == ""
    cell = {"_target_": "asr.recurrent.cells.ligru.LightGruCell"}
    assert "LightGruCell" not in {one.rpartition(".")[2] for one in CELLS}
    other = network(cell=cell)
    assert why_not(other) == "the cell is a 'LightGruCell'"
    assert why_not(replace(other, component=Component("mine.Net", {}))) == "the network is a 'Net'"
    with pytest.raises(ConfigError, match="this engine does not support the network: the cell is a 'LightGruCell'"):
        layers_of(other)
