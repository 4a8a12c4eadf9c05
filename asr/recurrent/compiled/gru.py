"""The time loops of both gated recurrent units, for one direction and some utterances.

Equations: `asr/recurrent/cells/gru.py` (RESET_AFTER) and `gru_before.py`. Rows, schedules and matrices are those of
`lstm.py`. The candidate n has its own product, so its columns are a separate matrix, `candidates`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import literally

from asr.recurrent.compiled.instructions import compiled, inlined
from asr.recurrent.compiled.kinds import RESET_AFTER
from asr.recurrent.compiled.pointwise import ONE, fields, sigmoid, tanh
from asr.recurrent.compiled.products import pack_row, product


@compiled
def forward(
    gates: Any,
    candidates: Any,
    outputs: Any,
    inner: Any,
    hidden: int,
    weights: Any,
    new_weights: Any,
    schedule: Any,
    bias: Any,
    flags: int,
) -> None:
    """Turn projected inputs into outputs.

    Args:
        gates: (rows, 2 * hidden): projected inputs of r and z in, activations out.
        candidates: (rows, hidden): the same for n.
        outputs: (rows, hidden): h, written.
        inner: (rows, hidden), written: with RESET_AFTER the factor of r, R_n h + d_n; otherwise the product r h.
        weights, new_weights: packed transposed recurrent weights: (hidden, 2 * hidden) of r and z, (hidden, hidden)
            of n.
        schedule: (steps, 4).
        bias: (1, hidden): d_n; not read without RESET_AFTER.
        flags: see `kinds`.
    """
    literally(flags)
    zeros = np.zeros(hidden, np.float32)
    for step in range(schedule.shape[0]):
        here, n_rows, before, carried = fields(schedule[step])
        if carried > 0:
            product(outputs[before:], weights, hidden, gates[here:], gates[here:], carried, 2 * hidden)
            if flags & RESET_AFTER:
                product(outputs[before:], new_weights, hidden, bias, inner[here:], carried, hidden)
        for r in range(n_rows):
            reset, update = _two(gates[here + r], hidden)
            last = outputs[before + r, :hidden] if r < carried else zeros
            within = inner[here + r, :hidden]
            if flags & RESET_AFTER and r >= carried:
                within[:] = bias[0, :hidden]
            for j in range(hidden):
                reset[j] = sigmoid(reset[j])
                update[j] = sigmoid(update[j])
                if not flags & RESET_AFTER:
                    within[j] = reset[j] * last[j]
        if carried > 0 and not flags & RESET_AFTER:
            product(inner[here:], new_weights, hidden, candidates[here:], candidates[here:], carried, hidden)
        for r in range(n_rows):
            reset, update = _two(gates[here + r], hidden)
            last = outputs[before + r, :hidden] if r < carried else zeros
            within, new, output = inner[here + r, :hidden], candidates[here + r, :hidden], outputs[here + r, :hidden]
            for j in range(hidden):
                n = tanh(new[j] + reset[j] * within[j] if flags & RESET_AFTER else new[j])
                new[j] = n
                output[j] = (ONE - update[j]) * n + update[j] * last[j]


@compiled
def backward(
    gates: Any,
    candidates: Any,
    outputs: Any,
    inner: Any,
    hidden: int,
    weights: Any,
    new_weights: Any,
    schedule: Any,
    flags: int,
    gradients: Any,
    previous: Any,
) -> None:
    """Turn gradients of the outputs into gradients of the projected inputs.

    Args:
        gates, candidates: activations in, gradients of the projected inputs out.
        outputs: result of `forward`.
        inner: result of `forward` in; with RESET_AFTER its gradient out.
        weights, new_weights: packed recurrent weights (2 * hidden, hidden) of r and z, (hidden, hidden) of n.
        schedule: the schedule of `forward`; it is read from its end.
        flags: see `forward`.
        gradients: (rows, hidden), gradients of the outputs.
        previous: packed (rows, hidden), written: the output one step before each row, 0 if there is none.
    """
    literally(flags)
    most = schedule[:, 1].max()
    zeros = np.zeros((1, hidden), np.float32)
    later, of_product = np.zeros((most, hidden), np.float32), np.zeros((most, hidden), np.float32)
    for step in range(schedule.shape[0] - 1, -1, -1):  # row r of `later` is the same utterance at all steps
        here, n_rows, before, carried = fields(schedule[step])
        for r in range(n_rows):
            reset, update = _two(gates[here + r], hidden)
            last = outputs[before + r, :hidden] if r < carried else zeros[0]
            within, new, gradient = (
                inner[here + r, :hidden],
                candidates[here + r, :hidden],
                gradients[here + r, :hidden],
            )
            d_outputs = later[r]
            for j in range(hidden):
                z, n = update[j], new[j]
                d_output = gradient[j] + d_outputs[j]
                d_new = d_output * (ONE - z) * (ONE - n * n)
                new[j] = d_new
                update[j] = d_output * (last[j] - n) * z * (ONE - z)
                d_outputs[j] = d_output * z
                if flags & RESET_AFTER:
                    opened = reset[j]
                    reset[j] = d_new * within[j] * opened * (ONE - opened)
                    within[j] = d_new * opened
            source = outputs[before + r :] if r < carried else zeros
            pack_row(source, hidden, previous, here + r, gates.shape[0])
        if flags & RESET_AFTER:
            if carried > 0:
                product(inner[here:], new_weights, hidden, later, later, carried, hidden)
        else:
            product(candidates[here:], new_weights, hidden, zeros, of_product, carried, hidden)
            for r in range(n_rows):
                reset, _ = _two(gates[here + r], hidden)
                last = outputs[before + r, :hidden] if r < carried else zeros[0]
                d_reset, d_outputs = of_product[r], later[r]
                for j in range(hidden):
                    opened = reset[j]
                    reset[j] = d_reset[j] * last[j] * opened * (ONE - opened)
                    d_outputs[j] += d_reset[j] * opened
        if carried > 0:
            product(gates[here:], weights, 2 * hidden, later, later, carried, hidden)


@inlined
def _two(row: Any, hidden: int) -> Any:
    """Return the gates r and z of a row."""
    return row[:hidden], row[hidden : 2 * hidden]
