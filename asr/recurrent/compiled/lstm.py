"""The time loops of the LSTM (equations in `asr/recurrent/cells/lstm.py`): one direction, some utterances.

Rows are the frames of a batch, see `asr/recurrent/layout.py`, as is a schedule. Matrices are those of
`products`: their second dimension is the row stride.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from asr.recurrent.compiled.instructions import compiled, inlined
from asr.recurrent.compiled.products import pack_row, product

_ONE = np.float32(1.0)
_HALF = np.float32(0.5)


@compiled
def forward(gates: Any, outputs: Any, cells: Any, hidden: int, weights: Any, schedule: Any) -> None:
    """From projected inputs to outputs.

    Args:
        gates: (rows, 4 * hidden): projected inputs in, activations i, f, g, o out.
        outputs: (rows, hidden): h, written.
        cells: (rows, hidden): c, written.
        weights: packed transposed recurrent weights (hidden, 4 * hidden).
        schedule: (steps, 4).
    """
    zeros = np.zeros(hidden, np.float32)
    for step in range(schedule.shape[0]):
        here, n_rows, before, carried = _fields(schedule[step])
        if carried > 0:
            product(outputs[before:], weights, hidden, gates[here:], gates[here:], carried, 4 * hidden)
        for r in range(n_rows):
            i_gate, f_gate, g_gate, o_gate = _four(gates[here + r], hidden)
            last = cells[before + r, :hidden] if r < carried else zeros
            cell, output = cells[here + r, :hidden], outputs[here + r, :hidden]
            for j in range(hidden):
                i, f, g, o = _sigmoid(i_gate[j]), _sigmoid(f_gate[j]), _tanh(g_gate[j]), _sigmoid(o_gate[j])
                c = f * last[j] + i * g
                i_gate[j], f_gate[j], g_gate[j], o_gate[j] = i, f, g, o
                cell[j] = c
                output[j] = o * _tanh(c)


@compiled
def backward(
    gates: Any, outputs: Any, cells: Any, hidden: int, weights: Any, schedule: Any, gradients: Any, previous: Any
) -> None:
    """From gradients of the outputs to gradients of the projected inputs.

    Args:
        gates: (rows, 4 * hidden): activations in, gradients of the projected inputs out.
        outputs, cells: as `forward` left them.
        weights: packed recurrent weights (4 * hidden, hidden).
        schedule: that of `forward`, walked from its end.
        gradients: (rows, hidden), of the outputs.
        previous: packed (rows, hidden), written: the output one step before each row, 0 where there is none.
    """
    most = schedule[:, 1].max()
    zeros = np.zeros((1, hidden), np.float32)
    from_output, from_cell = np.zeros((most, hidden), np.float32), np.zeros((most, hidden), np.float32)
    for step in range(schedule.shape[0] - 1, -1, -1):  # row r of from_output, from_cell: one utterance all the way
        here, n_rows, before, carried = _fields(schedule[step])
        for r in range(n_rows):
            i_gate, f_gate, g_gate, o_gate = _four(gates[here + r], hidden)
            last = cells[before + r, :hidden] if r < carried else zeros[0]
            cell, gradient = cells[here + r, :hidden], gradients[here + r, :hidden]
            later_output, later_cell = from_output[r], from_cell[r]
            for j in range(hidden):
                i, f, g, o = i_gate[j], f_gate[j], g_gate[j], o_gate[j]
                squashed = _tanh(cell[j])
                d_output = gradient[j] + later_output[j]
                d_cell = later_cell[j] + d_output * o * (_ONE - squashed * squashed)
                i_gate[j] = d_cell * g * i * (_ONE - i)
                f_gate[j] = d_cell * last[j] * f * (_ONE - f)
                g_gate[j] = d_cell * i * (_ONE - g * g)
                o_gate[j] = d_output * squashed * o * (_ONE - o)
                later_cell[j] = d_cell * f
            source = outputs[before + r :] if r < carried else zeros
            pack_row(source, hidden, previous, here + r, gates.shape[0])
        if carried > 0:
            product(gates[here:], weights, 4 * hidden, zeros, from_output, carried, hidden)


@inlined
def _fields(step: Any) -> Any:
    """First row, rows, first row of the step before, rows that have one."""
    return step[0], step[1], step[2], step[3]


@inlined
def _four(row: Any, hidden: int) -> Any:
    """The gates i, f, g, o of a row."""
    return row[:hidden], row[hidden : 2 * hidden], row[2 * hidden : 3 * hidden], row[3 * hidden : 4 * hidden]


@inlined
def _tanh(x: Any) -> Any:
    """tanh within 3e-7; NaN stays NaN. A quotient of polynomials, coefficients of Eigen's `ptanh_float`."""
    limit = np.float32(7.90531110763549805)  # beyond, tanh is 1 in float32
    x = limit if x > limit else (-limit if x < -limit else x)
    square = x * x
    upper = np.float32(-2.76076847742355e-16)
    upper = upper * square + np.float32(2.00018790482477e-13)
    upper = upper * square + np.float32(-8.60467152213735e-11)
    upper = upper * square + np.float32(5.12229709037114e-08)
    upper = upper * square + np.float32(1.48572235717979e-05)
    upper = upper * square + np.float32(6.37261928875436e-04)
    upper = upper * square + np.float32(4.89352455891786e-03)
    lower = np.float32(1.19825839466702e-06)
    lower = lower * square + np.float32(1.18534705686654e-04)
    lower = lower * square + np.float32(2.26843463243900e-03)
    lower = lower * square + np.float32(4.89352518554385e-03)
    return x * upper / lower


@inlined
def _sigmoid(x: Any) -> Any:
    return _HALF * _tanh(_HALF * x) + _HALF
