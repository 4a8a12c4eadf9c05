"""The recurrent cells that ONNX supports, with their weights in ONNX's order.

ONNX's operators LSTM, GRU and RNN take the lengths of utterances and read each backwards within its own length, like
the layers of this package. https://onnx.ai/onnx/operators/ describes their inputs and the order of their gates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from asr.engines.engine import FloatArray, Network
from asr.engines.layers import CellWeights, cell_of
from asr.errors import ConfigError
from asr.recurrent.options import (
    GruBeforeConfig,
    GruConfig,
    LstmConfig,
    PeepholeLstmConfig,
    SimpleConfig,
    StackConfig,
)


class Operator(NamedTuple):
    """One direction of one layer as an ONNX operator.

    Attributes:
        name: LSTM, GRU or RNN.
        weights: W (G, F), R (G, H), B (2G,) with both biases, and for peepholes P (3H,).
        attributes: the attributes of the operator, except size and direction.
        activations: the activations of one direction; empty for the defaults of the operator.
    """

    name: str
    weights: dict[str, FloatArray]
    attributes: dict[str, int]
    activations: tuple[str, ...] = ()


def check_network(network: Network) -> None:
    """Raise a ConfigError if ONNX does not support a network: it must be a stack of cells in `ONNX_CELLS`.

    A subclass of such a cell is not accepted, because it may compute something else with the same weights.
    """
    if network.component.target != StackConfig._target_:
        name = network.component.target.rpartition(".")[2]
        raise ConfigError(
            f"ONNX export supports {StackConfig._target_}, not {name}; export a .safetensors bundle instead"
        )
    cell = cell_of(network.component).target
    if cell not in ONNX_CELLS:
        names = ", ".join(name for name, _ in ONNX_CELLS.values())
        raise ConfigError(
            f"ONNX export supports the cells {names}; this model's cell is {cell.rpartition('.')[2]}; "
            "export a .safetensors bundle instead"
        )


def operator_of(cell: CellWeights) -> Operator:
    """Return the operator for one direction of a layer; `check_network` must have accepted the network."""
    return ONNX_CELLS[cell.config._target_][1](cell)


def _lstm(cell: CellWeights) -> Operator:
    return Operator("LSTM", _arranged(cell.weights, (0, 3, 1, 2)), {})  # from i, f, g, o to i, o, f, g


def _peephole_lstm(cell: CellWeights) -> Operator:
    peepholes = cell.weights["peepholes"][[0, 2, 1]].flatten()  # from i, f, o to i, o, f
    return Operator("LSTM", _arranged(cell.weights, (0, 3, 1, 2)) | {"P": peepholes}, {})


def _gru(cell: CellWeights) -> Operator:
    of_new = cell.weights["bias_hn"]
    bias_hh = np.concatenate([np.zeros(2 * len(of_new), np.float32), of_new])
    return Operator("GRU", _arranged(cell.weights, (1, 0, 2), bias_hh), {"linear_before_reset": 1})


def _gru_before(cell: CellWeights) -> Operator:
    return Operator("GRU", _arranged(cell.weights, (1, 0, 2)), {"linear_before_reset": 0})  # from r, z, n to z, r, n


def _simple(cell: CellWeights) -> Operator:
    assert isinstance(cell.config, SimpleConfig)
    return Operator("RNN", _arranged(cell.weights, (0,)), {}, (cell.config.activation.capitalize(),))


ONNX_CELLS: dict[str, tuple[str, Callable[[CellWeights], Operator]]] = {
    LstmConfig._target_: ("lstm", _lstm),
    PeepholeLstmConfig._target_: ("lstm_peephole", _peephole_lstm),
    GruConfig._target_: ("gru", _gru),
    GruBeforeConfig._target_: ("gru_before", _gru_before),
    SimpleConfig._target_: ("simple", _simple),
}
"""The cells that ONNX supports, by target: their names in the group `model/cell`, and their operators."""


def _arranged(
    weights: Mapping[str, FloatArray], order: Sequence[int], bias_hh: FloatArray | None = None
) -> dict[str, FloatArray]:
    """Return W (G, F), R (G, H) and both biases B (2G,) of one direction, with the gates in ONNX's order.

    Args:
        weights: the weights of the cell.
        order: for each gate of ONNX its place in the cell.
        bias_hh: (G,) the second bias; None: 0.
    """
    bias = weights["bias"]
    second = np.zeros_like(bias) if bias_hh is None else bias_hh
    return {
        "W": _reordered(weights["weight_ih"], order),
        "R": _reordered(weights["weight_hh"], order),
        "B": np.concatenate([_reordered(bias, order), _reordered(second, order)]),
    }


def _reordered(weights: FloatArray, order: Sequence[int]) -> FloatArray:
    gates = np.split(weights, len(order))
    return np.concatenate([gates[at] for at in order])
