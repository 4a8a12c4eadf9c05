"""The recurrent cells that ONNX has, and their weights in ONNX's order.

ONNX's own operators LSTM, GRU and RNN take the lengths and read each utterance backwards within its own, as our layers
do. https://onnx.ai/onnx/operators/ names their inputs and the order of their gates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.config import Component
from asr.errors import ConfigError
from asr.recurrent.options import SimpleConfig

Weights = Mapping[str, NDArray[np.float32]]


class Operator(NamedTuple):
    """One direction of one layer in ONNX's words.

    Attributes:
        name: LSTM, GRU or RNN.
        weights: W (G, F), R (G, H), B (2G,) of both biases, and for peepholes P (3H,).
        attributes: of the operator, beside the size and the direction.
        activations: of one direction, where they are not the operator's own.
    """

    name: str
    weights: dict[str, NDArray[np.float32]]
    attributes: dict[str, int]
    activations: tuple[str, ...] = ()


def operator_of(cell: Component, weights: Weights) -> Operator:
    """Return the operator that computes one direction of a layer.

    Args:
        cell: a node of the group `model/cell`.
        weights: of one direction, named as in the cell's class.

    Raises:
        ConfigError: ONNX has no such cell.
    """
    check_cell(cell)
    return OPERATORS[cell.target][1](cell, weights)


def check_cell(cell: Component) -> None:
    """Raise a ConfigError where ONNX has no such cell; a derived one may compute something else with such weights."""
    if cell.target not in OPERATORS:
        names = ", ".join(name for name, _ in OPERATORS.values())
        raise ConfigError(
            f"ONNX export supports the cells {names}; this model's cell is {cell.target.rpartition('.')[2]}; "
            "export a .safetensors bundle instead"
        )


def _lstm(cell: Component, weights: Weights) -> Operator:
    return Operator("LSTM", _arranged(weights, (0, 3, 1, 2)), {})  # from i, f, g, o to i, o, f, g


def _peephole_lstm(cell: Component, weights: Weights) -> Operator:
    peepholes = weights["peepholes"][[0, 2, 1]].flatten()  # from i, f, o to i, o, f
    return Operator("LSTM", _arranged(weights, (0, 3, 1, 2)) | {"P": peepholes}, {})


def _gru(cell: Component, weights: Weights) -> Operator:
    of_new = weights["bias_hn"]
    bias_hh = np.concatenate([np.zeros(2 * len(of_new), np.float32), of_new])
    return Operator("GRU", _arranged(weights, (1, 0, 2), bias_hh), {"linear_before_reset": 1})


def _gru_before(cell: Component, weights: Weights) -> Operator:
    return Operator("GRU", _arranged(weights, (1, 0, 2)), {"linear_before_reset": 0})  # from r, z, n to z, r, n


def _simple(cell: Component, weights: Weights) -> Operator:
    activation = str(cell.options.get("activation", SimpleConfig.activation))
    return Operator("RNN", _arranged(weights, (0,)), {}, (activation.capitalize(),))


OPERATORS: dict[str, tuple[str, Callable[[Component, Weights], Operator]]] = {
    "asr.recurrent.cells.lstm.LstmCell": ("lstm", _lstm),
    "asr.recurrent.cells.lstm_peephole.PeepholeLstmCell": ("lstm_peephole", _peephole_lstm),
    "asr.recurrent.cells.gru.GruCell": ("gru", _gru),
    "asr.recurrent.cells.gru_before.GruBeforeCell": ("gru_before", _gru_before),
    "asr.recurrent.cells.simple.SimpleCell": ("simple", _simple),
}
"""The cells that ONNX has, by target: their names in the group `model/cell`, and their operators."""


def _arranged(
    weights: Weights, order: Sequence[int], bias_hh: NDArray[np.float32] | None = None
) -> dict[str, NDArray[np.float32]]:
    """One direction: W (G, F), R (G, H), and both biases B (2G,), with the gates in ONNX's order.

    Args:
        weights: of the cell.
        order: the first gate becomes the one that was at order[0].
        bias_hh: the second bias (G,), 0 where the cell has none.
    """
    bias = weights["bias"]
    second = np.zeros_like(bias) if bias_hh is None else bias_hh
    return {
        "W": _reordered(weights["weight_ih"], order),
        "R": _reordered(weights["weight_hh"], order),
        "B": np.concatenate([_reordered(bias, order), _reordered(second, order)]),
    }


def _reordered(weights: NDArray[np.float32], order: Sequence[int]) -> NDArray[np.float32]:
    gates = np.split(weights, len(order))
    return np.concatenate([gates[at] for at in order])
