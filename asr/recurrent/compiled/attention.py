"""The time loops of the LSTM that attends to its own last outputs, for one direction and some utterances.

Equations: `asr/recurrent/cells/attention_lstm.py`. Rows, schedules and matrices are those of `lstm.py`; the schedule
gives the row of an utterance at an earlier step. The columns of the gates i, f, g, o and the query a are adjacent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from asr.recurrent.compiled.instructions import compiled, inlined
from asr.recurrent.compiled.pointwise import ONE, ZERO, fields, four, sigmoid, tanh, total
from asr.recurrent.compiled.products import pack_row, product


@compiled
def forward(
    gates: Any,
    queries: Any,
    outputs: Any,
    cells: Any,
    keys: Any,
    summaries: Any,
    weights: Any,
    hidden: int,
    of_gates: Any,
    of_queries: Any,
    of_keys: Any,
    schedule: Any,
    scorer: Any,
) -> None:
    """Turn projected inputs into outputs.

    Args:
        gates: (rows, 4 * hidden): projected inputs of i, f, g, o in, activations out.
        queries: (rows, hidden): the projected input of a in, with its recurrent product out.
        outputs, cells, keys, summaries: (rows, hidden): h, c, K h and s, written.
        weights: (rows, window), written: w of the steps before, the last one first; 0 for missing steps.
        of_gates, of_queries, of_keys: packed and transposed: R of the gates (hidden, 4 * hidden), R_a and K (hidden,
            hidden).
        schedule: (steps, 4).
        scorer: (1, hidden): v.
    """
    zeros = np.zeros((1, hidden), np.float32)
    for step in range(schedule.shape[0]):
        here, n_rows, before, carried = fields(schedule[step])
        if carried > 0:
            product(summaries[before:], of_queries, hidden, queries[here:], queries[here:], carried, hidden)
        for r in range(n_rows):
            _attend(
                step, r, queries[here + r, :hidden], outputs, cells, keys, summaries, weights, hidden, schedule, scorer
            )
        product(summaries[here:], of_gates, hidden, gates[here:], gates[here:], n_rows, 4 * hidden)
        for r in range(n_rows):
            i_gate, f_gate, g_gate, o_gate = four(gates[here + r], hidden)
            cell, output = cells[here + r, :hidden], outputs[here + r, :hidden]
            for j in range(hidden):
                i, f, g, o = sigmoid(i_gate[j]), sigmoid(f_gate[j]), tanh(g_gate[j]), sigmoid(o_gate[j])
                i_gate[j], f_gate[j], g_gate[j], o_gate[j] = i, f, g, o
                cell[j] = f * cell[j] + i * g  # `_attend` has left d there
                output[j] = o * tanh(cell[j])
        product(outputs[here:], of_keys, hidden, zeros, keys[here:], n_rows, hidden)


@compiled
def _attend(
    step: int,
    r: int,
    query: Any,
    outputs: Any,
    cells: Any,
    keys: Any,
    summaries: Any,
    weights: Any,
    hidden: int,
    schedule: Any,
    scorer: Any,
) -> None:
    """Write the summary and weights of an utterance, and the weighted mean of its earlier cells into `cells`."""
    row = schedule[step, 0] + r
    window = weights.shape[1]
    score, summary, cell = weights[row], summaries[row, :hidden], cells[row, :hidden]
    summary[:] = ZERO
    cell[:] = ZERO
    score[:] = ZERO
    zeros = np.zeros(hidden, np.float32)
    n_steps = _steps_before(step, r, window, schedule)
    n_scores = min(n_steps + 1, window)  # the step before the first has h = c = 0
    highest = np.float32(-np.inf)
    squashed = np.empty(hidden, np.float32)
    for back in range(n_scores):
        key = keys[schedule[step - 1 - back, 0] + r, :hidden] if back < n_steps else zeros
        for j in range(hidden):
            squashed[j] = tanh(key[j] + query[j])
        score[back] = total(squashed, scorer[0, :hidden], hidden, True)
        highest = max(highest, score[back])
    whole = ZERO
    for back in range(n_scores):
        score[back] = np.exp(score[back] - highest)
        whole += score[back]
    for back in range(n_scores):
        score[back] /= whole
    for back in range(n_steps):
        earlier, share = schedule[step - 1 - back, 0] + r, score[back]
        last, last_cell = outputs[earlier], cells[earlier]
        for j in range(hidden):
            summary[j] += share * last[j]
            cell[j] += share * last_cell[j]


@compiled
def backward(
    gates: Any,
    queries: Any,
    outputs: Any,
    cells: Any,
    keys: Any,
    summaries: Any,
    weights: Any,
    hidden: int,
    of_gates: Any,
    of_queries: Any,
    of_keys: Any,
    schedule: Any,
    scorer: Any,
    gradients: Any,
    from_outputs: Any,
    from_cells: Any,
    from_keys: Any,
    previous: Any,
    of_scorer: Any,
) -> None:
    """Turn gradients of the outputs into gradients of the projected inputs.

    Args:
        gates, queries: results of `forward` in, gradients of the projected inputs out.
        outputs, cells, keys, summaries, weights: results of `forward`.
        of_gates, of_queries, of_keys: packed R of the gates (4 * hidden, hidden), R_a and K (hidden, hidden).
        schedule: the schedule of `forward`; it is read from its end.
        scorer: see `forward`.
        gradients: (rows, hidden), gradients of the outputs.
        from_outputs, from_cells, from_keys: (rows, hidden), 0 in; the gradients of the keys out in the last one.
        previous: packed (rows, hidden), written: the summary one step before each row, 0 if there is none.
        of_scorer: like `scorer`; its gradient is added.
    """
    most = schedule[:, 1].max()
    zeros, memory = np.zeros((1, hidden), np.float32), np.empty(hidden, np.float32)
    from_summary = np.zeros((most, hidden), np.float32)
    for step in range(schedule.shape[0] - 1, -1, -1):  # row r of from_summary is the same utterance at all steps
        here, n_rows, before, carried = fields(schedule[step])
        product(from_keys[here:], of_keys, hidden, from_outputs[here:], from_outputs[here:], n_rows, hidden)
        for r in range(n_rows):
            i_gate, f_gate, g_gate, o_gate = four(gates[here + r], hidden)
            cell, gradient = cells[here + r, :hidden], gradients[here + r, :hidden]
            later_output, later_cell = from_outputs[here + r, :hidden], from_cells[here + r, :hidden]
            _mean(memory, cells, weights[here + r], step, r, hidden, schedule)
            for j in range(hidden):
                i, f, g, o = i_gate[j], f_gate[j], g_gate[j], o_gate[j]
                squashed = tanh(cell[j])
                d_output = gradient[j] + later_output[j]
                d_cell = later_cell[j] + d_output * o * (ONE - squashed * squashed)
                i_gate[j] = d_cell * g * i * (ONE - i)
                f_gate[j] = d_cell * memory[j] * f * (ONE - f)
                g_gate[j] = d_cell * i * (ONE - g * g)
                o_gate[j] = d_output * squashed * o * (ONE - o)
                later_cell[j] = d_cell * f  # now the gradient of d
        product(gates[here:], of_gates, 4 * hidden, from_summary, from_summary, n_rows, hidden)
        for r in range(n_rows):
            _attend_back(
                step, r, queries[here + r, :hidden], outputs, cells, keys, weights, hidden, schedule, scorer,
                from_summary[r], from_outputs, from_cells, from_keys, of_scorer,
            )  # fmt: skip
            pack_row(summaries[before + r :] if r < carried else zeros, hidden, previous, here + r, gates.shape[0])
        if carried > 0:
            product(queries[here:], of_queries, hidden, zeros, from_summary, carried, hidden)


@compiled
def _attend_back(
    step: int,
    r: int,
    query: Any,
    outputs: Any,
    cells: Any,
    keys: Any,
    weights: Any,
    hidden: int,
    schedule: Any,
    scorer: Any,
    from_summary: Any,
    from_outputs: Any,
    from_cells: Any,
    from_keys: Any,
    of_scorer: Any,
) -> None:
    """Turn the gradients of s and d (in the utterance's row of `from_cells`) into those of their inputs.

    The gradient of the query overwrites `query`; those of earlier outputs, cells and keys are added to the `from_...`.
    """
    row = schedule[step, 0] + r
    window, from_memory = weights.shape[1], from_cells[row, :hidden]
    n_steps = _steps_before(step, r, window, schedule)
    n_scores = min(n_steps + 1, window)
    of_shares, along = np.zeros(window, np.float32), ZERO
    for back in range(n_steps):
        earlier, share = schedule[step - 1 - back, 0] + r, weights[row, back]
        of_shares[back] = total(outputs[earlier], from_summary, hidden, True) + total(
            cells[earlier], from_memory, hidden, True
        )
        along += share * of_shares[back]
        later_output, later_cell = from_outputs[earlier], from_cells[earlier]
        for j in range(hidden):
            later_output[j] += share * from_summary[j]
            later_cell[j] += share * from_memory[j]
    of_query, zeros, nowhere = np.zeros(hidden, np.float32), np.zeros(hidden, np.float32), np.zeros(hidden, np.float32)
    for back in range(n_scores):
        earlier = schedule[step - 1 - back, 0] + r if back < n_steps else 0
        key = keys[earlier, :hidden] if back < n_steps else zeros
        later_key = from_keys[earlier, :hidden] if back < n_steps else nowhere
        of_score = weights[row, back] * (of_shares[back] - along)
        for j in range(hidden):
            squashed = tanh(key[j] + query[j])
            of_scorer[0, j] += of_score * squashed
            d_sum = of_score * scorer[0, j] * (ONE - squashed * squashed)
            of_query[j] += d_sum
            later_key[j] += d_sum
    query[:] = of_query


@compiled
def _mean(into: Any, cells: Any, shares: Any, step: int, r: int, hidden: int, schedule: Any) -> None:
    """Write d, the weighted mean of the earlier cells."""
    into[:] = ZERO
    for back in range(_steps_before(step, r, shares.shape[0], schedule)):
        cell, share = cells[schedule[step - 1 - back, 0] + r], shares[back]
        for j in range(hidden):
            into[j] += share * cell[j]


@inlined
def _steps_before(step: int, r: int, window: int, schedule: Any) -> Any:
    """Return the number of earlier steps of the utterance within the window."""
    count = 0
    while count < window and count < step and r < schedule[step - 1 - count, 1]:
        count += 1
    return count
