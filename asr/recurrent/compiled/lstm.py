"""The time loops of the LSTM family, for one direction and some utterances.

Equations: `lstm.py`, `lstm_peephole.py`, `lstm_zoneout.py`, `odyssey.py`, `ligru.py` and `simple.py` in
`asr/recurrent/cells`. The flags of `kinds` select the cell; they are compile-time constants, so that parts that a cell
lacks cost nothing. `asr/recurrent/layout.py` explains rows and schedules. The second dimension of a matrix is its row
stride, see `products`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import literally

from asr.recurrent.compiled.instructions import compiled, inlined
from asr.recurrent.compiled.kinds import (
    FORGET_FOLLOWS,
    FORGETS,
    FULL_RECURRENCE,
    INPUT_FOLLOWS,
    LINEAR_IN,
    LINEAR_OUT,
    NO_FORGET,
    NO_INPUT,
    NO_OUTPUT,
    PEEPHOLES,
    RECTIFIED_IN,
    ZONEOUT,
)
from asr.recurrent.compiled.pointwise import ONE, ZERO, fields, sigmoid, tanh
from asr.recurrent.compiled.products import pack_row, pair_row, product, product_of_pairs

_NO_I = NO_INPUT | INPUT_FOLLOWS  # no weights of i
_NO_F = NO_FORGET | FORGET_FOLLOWS | FORGETS


@compiled
def forward(
    gates: Any,
    outputs: Any,
    cells: Any,
    hidden: int,
    weights: Any,
    schedule: Any,
    peepholes: Any,
    of_gates: Any,
    keep_cells: Any,
    keep_outputs: Any,
    flags: int,
    paired: Any,
) -> None:
    """Turn projected inputs into outputs.

    Args:
        gates: (rows, G): projected inputs in, activations out; the columns are those of i, f, g, o that the cell has.
        outputs: (rows, hidden): h, written.
        cells: (rows, hidden): c, written.
        weights: packed transposed recurrent weights (hidden, G), with PAIRS of pairs.
        schedule: (steps, 4).
        peepholes: (3 or less, hidden): those of i, f, o that the cell has; not read without PEEPHOLES.
        of_gates: packed (G, G), weights of the last activations; not read without FULL_RECURRENCE.
        keep_cells, keep_outputs: (rows, hidden), the share of the last value to keep; not read without ZONEOUT.
        flags: see `kinds`.
        paired: with PAIRS the result of `new_pairs`, a buffer for the last output of each utterance; otherwise None.
    """
    literally(flags)
    zeros = np.zeros(hidden, np.float32)
    columns = _columns(hidden, flags)
    size = columns[4]
    p_i, p_f, p_o = _peepholes(peepholes, hidden, flags)
    for step in range(schedule.shape[0]):
        here, n_rows, before, carried = fields(schedule[step])
        if carried > 0:
            if paired is None:
                product(outputs[before:], weights, hidden, gates[here:], gates[here:], carried, size)
            else:
                product_of_pairs(paired, weights, paired.shape[1], gates[here:], gates[here:], carried, size)
            if flags & FULL_RECURRENCE:
                product(gates[before:], of_gates, size, gates[here:], gates[here:], carried, size)
        for r in range(n_rows):
            i_gate, f_gate, g_gate, o_gate = _four(gates[here + r], columns, hidden)
            last = cells[before + r, :hidden] if r < carried else zeros
            cell, output = cells[here + r, :hidden], outputs[here + r, :hidden]
            if flags & ZONEOUT:
                last_output = outputs[before + r, :hidden] if r < carried else zeros
                keep_cell, keep_output = keep_cells[here + r], keep_outputs[here + r]
            for j in range(hidden):
                i, f, g, o = ONE, ONE, g_gate[j], ONE
                if not flags & _NO_I:
                    i = sigmoid(i_gate[j] + p_i[j] * last[j] if flags & PEEPHOLES else i_gate[j])
                    i_gate[j] = i
                if not flags & _NO_F:
                    f = sigmoid(f_gate[j] + p_f[j] * last[j] if flags & PEEPHOLES else f_gate[j])
                    f_gate[j] = f
                i, f = _others(i, f, flags)
                if flags & RECTIFIED_IN:
                    g = ZERO if g < ZERO else g
                elif not flags & LINEAR_IN:
                    g = tanh(g)
                g_gate[j] = g
                c = f * last[j] + i * g
                cell[j] = c
                if not flags & NO_OUTPUT:
                    o = sigmoid(o_gate[j] + p_o[j] * c if flags & PEEPHOLES else o_gate[j])
                    o_gate[j] = o
                output[j] = o * (c if flags & LINEAR_OUT else tanh(c))
                if flags & ZONEOUT:
                    cell[j] += keep_cell[j] * (last[j] - c)
                    output[j] += keep_output[j] * (last_output[j] - output[j])
            if paired is not None:
                pair_row(output, hidden, paired[r])


@compiled
def new_pairs(schedule: Any, hidden: int) -> Any:
    """Return an uninitialised buffer with a row of pairs for each utterance of a schedule."""
    return np.empty((schedule[:, 1].max(), (hidden + 1) // 2), np.float32)


@compiled
def backward(
    gates: Any,
    outputs: Any,
    cells: Any,
    hidden: int,
    weights: Any,
    schedule: Any,
    peepholes: Any,
    of_gates: Any,
    keep_cells: Any,
    keep_outputs: Any,
    flags: int,
    gradients: Any,
    previous: Any,
    previous_gates: Any,
    of_peepholes: Any,
) -> None:
    """Turn gradients of the outputs into gradients of the projected inputs.

    Args:
        gates: (rows, G): activations in, gradients of the projected inputs out.
        outputs, cells: results of `forward`.
        weights, of_gates: packed recurrent weights (G, hidden), (G, G).
        schedule: the schedule of `forward`; it is read from its end.
        peepholes, keep_cells, keep_outputs, flags: see `forward`.
        gradients: (rows, hidden), gradients of the outputs.
        previous: packed (rows, hidden), written: the output one step before each row, 0 if there is none.
        previous_gates: packed (rows, G), written with FULL_RECURRENCE: the activations one step before.
        of_peepholes: like `peepholes`; their gradient is added.
    """
    literally(flags)
    most = schedule[:, 1].max()
    zeros = np.zeros((1, hidden), np.float32)
    columns = _columns(hidden, flags)
    size = columns[4]
    p_i, p_f, p_o = _peepholes(peepholes, hidden, flags)
    of_p_i, of_p_f, of_p_o = _peepholes(of_peepholes, hidden, flags)
    from_output, from_cell = np.zeros((most, hidden), np.float32), np.zeros((most, hidden), np.float32)
    from_gates = np.zeros((most if flags & FULL_RECURRENCE else 1, size), np.float32)
    no_gates = np.zeros((1, size), np.float32)
    for step in range(schedule.shape[0] - 1, -1, -1):  # row r of from_output, from_cell is the same utterance always
        here, n_rows, before, carried = fields(schedule[step])
        for r in range(n_rows):
            i_gate, f_gate, g_gate, o_gate = _four(gates[here + r], columns, hidden)
            last = cells[before + r, :hidden] if r < carried else zeros[0]
            cell, gradient = cells[here + r, :hidden], gradients[here + r, :hidden]
            later_output, later_cell = from_output[r], from_cell[r]
            if flags & FULL_RECURRENCE:
                later_i, later_f, _, later_o = _four(from_gates[r], columns, hidden)
            if flags & ZONEOUT:
                keep_cell, keep_output = keep_cells[here + r], keep_outputs[here + r]
            for j in range(hidden):
                i = ONE if flags & _NO_I else i_gate[j]
                f = ONE if flags & _NO_F else f_gate[j]
                i, f = _others(i, f, flags)
                g = g_gate[j]
                o = ONE if flags & NO_OUTPUT else o_gate[j]
                c = f * last[j] + i * g if flags & ZONEOUT else cell[j]
                squashed = c if flags & LINEAR_OUT else tanh(c)
                d_output, d_cell, d_kept = gradient[j] + later_output[j], later_cell[j], ZERO
                if flags & ZONEOUT:
                    later_output[j] = keep_output[j] * d_output
                    d_kept = keep_cell[j] * d_cell
                    d_output, d_cell = d_output - later_output[j], d_cell - d_kept
                d_cell += d_output * o * (ONE if flags & LINEAR_OUT else ONE - squashed * squashed)
                if not flags & NO_OUTPUT:
                    d_o = d_output * squashed
                    if flags & FULL_RECURRENCE:
                        d_o += later_o[j]
                    d_o *= o * (ONE - o)
                    o_gate[j] = d_o
                    if flags & PEEPHOLES:
                        d_cell += p_o[j] * d_o
                        of_p_o[j] += d_o * c
                d_last = d_kept + d_cell * f
                if not flags & _NO_I:
                    d_i = d_cell * (g - last[j] if flags & FORGET_FOLLOWS else g)
                    if flags & FULL_RECURRENCE:
                        d_i += later_i[j]
                    d_i *= i * (ONE - i)
                    i_gate[j] = d_i
                    if flags & PEEPHOLES:
                        d_last += p_i[j] * d_i
                        of_p_i[j] += d_i * last[j]
                if not flags & _NO_F:
                    d_f = d_cell * (last[j] - g if flags & INPUT_FOLLOWS else last[j])
                    if flags & FULL_RECURRENCE:
                        d_f += later_f[j]
                    d_f *= f * (ONE - f)
                    f_gate[j] = d_f
                    if flags & PEEPHOLES:
                        d_last += p_f[j] * d_f
                        of_p_f[j] += d_f * last[j]
                d_g = d_cell * i
                if flags & RECTIFIED_IN:
                    d_g = d_g if g > ZERO else ZERO
                elif not flags & LINEAR_IN:
                    d_g *= ONE - g * g
                g_gate[j] = d_g
                later_cell[j] = d_last
            source = outputs[before + r :] if r < carried else zeros
            pack_row(source, hidden, previous, here + r, gates.shape[0])
            if flags & FULL_RECURRENCE:
                pack_row(
                    gates[before + r :] if r < carried else no_gates, size, previous_gates, here + r, gates.shape[0]
                )
        if carried > 0:
            start = from_output if flags & ZONEOUT else zeros
            product(gates[here:], weights, size, start, from_output, carried, hidden)
            if flags & FULL_RECURRENCE:
                product(gates[here:], of_gates, size, no_gates, from_gates, carried, size)


@inlined
def _columns(hidden: int, flags: int) -> Any:
    """Return the first column of i, f, g and o, and G; a missing gate gets the column of the next gate."""
    f = 0 if flags & _NO_I else hidden
    g = f if flags & _NO_F else f + hidden
    o = g + hidden
    return 0, f, g, o, o if flags & NO_OUTPUT else o + hidden


@inlined
def _four(row: Any, columns: Any, hidden: int) -> Any:
    """Return the gates i, f, g, o of a row."""
    i, f, g, o, _ = columns
    return row[i : i + hidden], row[f : f + hidden], row[g : g + hidden], row[o : o + hidden]


@inlined
def _others(i: Any, f: Any, flags: int) -> Any:
    """Return the gates i and f, after coupling one to the other or fixing it at a constant."""
    if flags & FORGET_FOLLOWS:
        f = ONE - i
    if flags & FORGETS:
        f = ZERO
    if flags & INPUT_FOLLOWS:
        i = ONE - f
    return i, f


@inlined
def _peepholes(peepholes: Any, hidden: int, flags: int) -> Any:
    """Return the peephole weights of i, f and o; a placeholder for a gate without peepholes."""
    f = 0 if flags & _NO_I else 1
    o = f if flags & _NO_F else f + 1
    last = peepholes.shape[0] - 1
    return peepholes[0, :hidden], peepholes[min(f, last), :hidden], peepholes[min(o, last), :hidden]
