"""The time loops of the layer-normalised LSTM, for one direction and some utterances.

Equations: `asr/recurrent/cells/lstm_layernorm.py`. Rows, schedules and matrices are those of `lstm.py`. The inputs are
already projected and normalised.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from asr.recurrent.compiled.instructions import compiled, inlined
from asr.recurrent.compiled.pointwise import ONE, ZERO, fields, four, sigmoid, tanh, total
from asr.recurrent.compiled.products import pack_row, product

_EPSILON = np.float32(1e-5)


@compiled
def forward(
    gates: Any, outputs: Any, cells: Any, normed: Any, scales: Any, hidden: int, weights: Any, schedule: Any, gains: Any
) -> None:
    """Turn projected inputs into outputs.

    Args:
        gates: (rows, 4 * hidden): projected inputs in, activations i, f, g, o out.
        outputs, cells: (rows, hidden): h and c, written.
        normed: (rows, 4 * hidden), written: the recurrent products, normalised.
        scales: (rows, 1), written: the factor that normalised them.
        weights: packed transposed recurrent weights (hidden, 4 * hidden).
        schedule: (steps, 4).
        gains: (1, 6 * hidden): the gains of the recurrent products (4 * hidden) and of the cell, and the cell's bias.
    """
    size = 4 * hidden
    zeros = np.zeros((1, size), np.float32)
    gain, cell_gain, cell_bias = _three(gains[0], hidden)
    for step in range(schedule.shape[0]):
        here, n_rows, before, carried = fields(schedule[step])
        if carried > 0:
            product(outputs[before:], weights, hidden, zeros, normed[here:], carried, size)
        for r in range(n_rows):
            row, of_row = gates[here + r], normed[here + r, :size]
            if r >= carried:
                of_row[:] = ZERO
            mean, scale = _statistics(of_row, size)
            scales[here + r, 0] = scale
            for j in range(size):
                value = (of_row[j] - mean) * scale
                of_row[j] = value
                row[j] += gain[j] * value
            i_gate, f_gate, g_gate, o_gate = four(row, hidden)
            last = cells[before + r, :hidden] if r < carried else zeros[0, :hidden]
            cell, output = cells[here + r, :hidden], outputs[here + r, :hidden]
            for j in range(hidden):
                i, f, g = sigmoid(i_gate[j]), sigmoid(f_gate[j]), tanh(g_gate[j])
                i_gate[j], f_gate[j], g_gate[j] = i, f, g
                cell[j] = f * last[j] + i * g
            mean, scale = _statistics(cell, hidden)
            for j in range(hidden):
                o = sigmoid(o_gate[j])
                o_gate[j] = o
                output[j] = o * tanh(cell_gain[j] * ((cell[j] - mean) * scale) + cell_bias[j])


@compiled
def backward(
    gates: Any,
    outputs: Any,
    cells: Any,
    normed: Any,
    scales: Any,
    hidden: int,
    weights: Any,
    schedule: Any,
    gains: Any,
    gradients: Any,
    previous: Any,
    of_gains: Any,
) -> None:
    """Turn gradients of the outputs into gradients of the projected inputs.

    Args:
        gates: activations in, gradients of the projected inputs out.
        outputs, cells, scales: results of `forward`.
        normed: result of `forward` in, gradients of the recurrent products out.
        weights: packed recurrent weights (4 * hidden, hidden).
        schedule: the schedule of `forward`; it is read from its end.
        gains: see `forward`.
        gradients: (rows, hidden), gradients of the outputs.
        previous: packed (rows, hidden), written: the output one step before each row, 0 if there is none.
        of_gains: like `gains`; their gradient is added.
    """
    size = 4 * hidden
    most = schedule[:, 1].max()
    zeros = np.zeros((1, hidden), np.float32)
    gain, cell_gain, cell_bias = _three(gains[0], hidden)
    of_gain, of_cell_gain, of_cell_bias = _three(of_gains[0], hidden)
    from_output, from_cell = np.zeros((most, hidden), np.float32), np.zeros((most, hidden), np.float32)
    value, d_value = np.empty(size, np.float32), np.empty(size, np.float32)
    for step in range(schedule.shape[0] - 1, -1, -1):  # row r of from_output, from_cell is the same utterance always
        here, n_rows, before, carried = fields(schedule[step])
        for r in range(n_rows):
            row, of_row = gates[here + r, :size], normed[here + r, :size]
            i_gate, f_gate, g_gate, o_gate = four(row, hidden)
            last = cells[before + r, :hidden] if r < carried else zeros[0]
            cell, gradient = cells[here + r, :hidden], gradients[here + r, :hidden]
            later_output, later_cell = from_output[r], from_cell[r]
            mean, scale = _statistics(cell, hidden)
            for j in range(hidden):
                value[j] = (cell[j] - mean) * scale
                squashed, o = tanh(cell_gain[j] * value[j] + cell_bias[j]), o_gate[j]
                d_output = gradient[j] + later_output[j]
                d_squashed = d_output * o * (ONE - squashed * squashed)
                o_gate[j] = d_output * squashed * o * (ONE - o)
                of_cell_bias[j] += d_squashed
                of_cell_gain[j] += d_squashed * value[j]
                d_value[j] = d_squashed * cell_gain[j]
            _through(d_value, value, scale, hidden)
            for j in range(hidden):
                i, f, g = i_gate[j], f_gate[j], g_gate[j]
                d_cell = later_cell[j] + d_value[j]
                i_gate[j] = d_cell * g * i * (ONE - i)
                f_gate[j] = d_cell * last[j] * f * (ONE - f)
                g_gate[j] = d_cell * i * (ONE - g * g)
                later_cell[j] = d_cell * f
            for j in range(size):
                of_gain[j] += row[j] * of_row[j]
                d_value[j] = row[j] * gain[j]
            _through(d_value, of_row, scales[here + r, 0], size)
            of_row[:] = d_value
            pack_row(outputs[before + r :] if r < carried else zeros, hidden, previous, here + r, gates.shape[0])
        if carried > 0:
            product(normed[here:], weights, size, zeros, from_output, carried, hidden)


@inlined
def _three(gains: Any, hidden: int) -> Any:
    """Return the gains of the recurrent products, the gains of the cell and the bias of the cell."""
    return gains[: 4 * hidden], gains[4 * hidden : 5 * hidden], gains[5 * hidden : 6 * hidden]


@compiled
def _statistics(values: Any, size: int) -> Any:
    """Return the mean, and 1 / sqrt(variance + epsilon)."""
    mean = total(values, values, size, False) / np.float32(size)
    centred = np.empty(size, np.float32)
    for j in range(size):
        centred[j] = values[j] - mean
    return mean, ONE / np.sqrt(total(centred, centred, size, True) / np.float32(size) + _EPSILON)


@compiled
def _through(gradient: Any, normed: Any, scale: Any, size: int) -> None:
    """Turn the gradient of normalised values into the gradient of the values, in place."""
    mean = total(gradient, gradient, size, False) / np.float32(size)
    along = total(gradient, normed, size, True) / np.float32(size)
    for j in range(size):
        gradient[j] = scale * (gradient[j] - mean - normed[j] * along)
