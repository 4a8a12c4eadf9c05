"""Convert the weights of a layer to the form for its time loop: transposed, scaled, with the gates in the loop's order.

`asr.engines.loops` explains the scaling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from asr.engines.engine import FloatArray
from asr.engines.layers import CellWeights
from asr.engines.loops import GruBeforeLoop, GruLoop, LstmLoop, Recurrence, SimpleLoop
from asr.recurrent.options import (
    VARIANTS,
    GruBeforeConfig,
    GruConfig,
    OdysseyConfig,
    PeepholeLstmConfig,
    SimpleConfig,
    Variant,
)

_Weights = Mapping[str, FloatArray]
_HALF = np.float32(0.5)
_QUARTER = np.float32(0.25)


@dataclass(frozen=True, eq=False)
class LoopWeights:
    """All weights of a layer, in the form for its loop.

    Attributes:
        inputs: the input weights (F, G) of each of the D directions.
        bias: (D, 1, G).
        recurrence: the recurrent weights.
        scale: the factor to multiply the outputs of the loop by.
    """

    inputs: Sequence[FloatArray]
    bias: FloatArray
    recurrence: Recurrence
    scale: float = 1.0

    def products(self, rows: Sequence[FloatArray]) -> FloatArray:
        """Multiply the rows (n, F) of each direction with its input weights, and add the bias: (D, n, G)."""
        found = np.empty((len(rows), len(rows[0]), self.bias.shape[2]), dtype=np.float32)
        for one, weights, into in zip(rows, self.inputs, found, strict=True):
            np.matmul(one, weights, out=into)
        found += self.bias
        return found


def loop_weights_of(cells: Sequence[CellWeights]) -> LoopWeights:
    """Return the weights of a layer in the form for its loop; `cells` are those of its directions."""
    weights, config = [cell.weights for cell in cells], cells[0].config
    match config:
        case SimpleConfig():
            return _simple(weights, config.activation == "relu")
        case GruConfig() | GruBeforeConfig():
            return _gru(weights, isinstance(config, GruBeforeConfig))
        case OdysseyConfig():
            return _lstm(weights, VARIANTS[config.variant])
        case _:
            return _lstm(weights, VARIANTS["V" if isinstance(config, PeepholeLstmConfig) else "NP"])


def _simple(of_cells: Sequence[_Weights], rectifies: bool) -> LoopWeights:
    return LoopWeights(
        [np.ascontiguousarray(weights["weight_ih"].T) for weights in of_cells],
        _stacked(of_cells, lambda weights: weights["bias"][None]),
        SimpleLoop(_stacked(of_cells, lambda weights: weights["weight_hh"].T), rectifies),
    )


def _gru(of_cells: Sequence[_Weights], resets_before: bool) -> LoopWeights:
    """Convert the weights of a GRU: halve those of r and z (sigmoids), and those that the doubled r multiplies."""
    hidden = of_cells[0]["weight_hh"].shape[1]
    halved = np.repeat(np.array([0.5, 0.5, 1.0], dtype=np.float32), hidden)
    recurrent = _stacked(of_cells, lambda weights: _HALF * weights["weight_hh"].T)
    recurrence: Recurrence
    if resets_before:
        gates, new = np.split(recurrent, [2 * hidden], axis=2)
        recurrence = GruBeforeLoop(np.ascontiguousarray(gates), np.ascontiguousarray(new))
    else:
        recurrence = GruLoop(recurrent, _stacked(of_cells, lambda weights: _HALF * weights["bias_hn"][None]))
    return LoopWeights(
        [np.ascontiguousarray(weights["weight_ih"].T * halved) for weights in of_cells],
        _stacked(of_cells, lambda weights: (weights["bias"] * halved)[None]),
        recurrence,
    )


def _lstm(of_cells: Sequence[_Weights], has: Variant) -> LoopWeights:
    """Convert the weights of an LSTM: halve those of o, i and f, which are sigmoids.

    The recurrent weights are halved again if the output is not projected, because it is doubled then.
    """
    projects = "weight_hr" in of_cells[0]
    of_output = np.float32(1.0 if projects else 0.5)
    recurrence = LstmLoop(
        _stacked(of_cells, lambda weights: of_output * _gates(weights["weight_hh"], has).T),
        _stacked(of_cells, lambda weights: _peepholes(weights["peepholes"], has), axis=1) if has.peepholes else None,
        _stacked(of_cells, lambda weights: _of_gates(weights["weight_gates"]), axis=1) if has.full_recurrence else None,
        _stacked(of_cells, lambda weights: _HALF * weights["weight_hr"].T) if projects else None,
        has.squash_in,
        has.squash_out,
    )
    return LoopWeights(
        [np.ascontiguousarray(_gates(weights["weight_ih"], has).T) for weights in of_cells],
        _stacked(of_cells, lambda weights: _gates(weights["bias"], has, missing=np.inf)[None]),
        recurrence,
        1.0 if projects else 0.5,
    )


def _gates(values: FloatArray, has: Variant, missing: float = 0.0) -> FloatArray:
    """Reorder (G, ...) to o, i, f, g, and halve the first three; `missing` is the value for gates that do not exist."""
    parts = dict(zip(has.gates, np.split(values, len(has.gates)), strict=True))
    if has.coupled:  # 1 - sigm(x) = sigm(-x)
        parts["f"] = -parts["i"]
    absent = np.full_like(parts["g"], missing)
    return np.concatenate([*(_HALF * parts.get(name, absent) for name in "oif"), parts["g"]])


def _peepholes(values: FloatArray, has: Variant) -> FloatArray:
    """Reorder the peepholes to o, i, f, (3, 1, H), and halve them."""
    parts = dict(zip(has.peepholes, values, strict=True))
    if has.coupled:
        parts["f"] = -parts["i"]
    absent = np.zeros_like(values[0])
    return np.stack([_HALF * parts.get(name, absent)[None] for name in "oif"])


def _of_gates(values: FloatArray) -> FloatArray:
    """Reorder the gates' recurrence (3H, 3H) from i, f, o to o, i, f, (3, 3H, H), and divide it by 4.

    One factor 2 is for the sigmoids, the other one for the doubled gates of the step before.
    """
    hidden, order = len(values) // 3, [2, 0, 1]
    ordered = values.reshape(3, hidden, 3, hidden)[order][:, :, order]  # (to, H, from, H)
    return _QUARTER * ordered.reshape(3, hidden, 3 * hidden).transpose(0, 2, 1)


def _stacked(of_cells: Sequence[_Weights], of: Callable[[_Weights], FloatArray], axis: int = 0) -> FloatArray:
    """Apply a function to the weights of each direction, and stack the results along a new axis."""
    return np.stack([np.ascontiguousarray(of(weights)) for weights in of_cells], axis=axis)
