"""The ways to run a layer, fastest first; all give what `loop` gives, up to rounding.

Choosing one is `choose`, over the one table `PATHS`. What a choice may depend on is the call alone, never what ran
before it: a training that is resumed takes the paths that it would have taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from asr.recurrent import compiled
from asr.recurrent.cells.cell import Cell
from asr.recurrent.cells.lstm import LstmCell
from asr.recurrent.layout import Layout

Run = Callable[[Sequence[Cell], Tensor, Layout], Tensor]
Able = Callable[[Sequence[Cell], Tensor, Layout], bool]


def loop(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> Tensor:
    """Step by step under autograd: any cell, any device, any float type; slow.

    Args:
        cells: the forward and the backward direction.
        rows: (N, F) frames.
        layout: of the rows.

    Returns:
        (N, 2H), the directions side by side.
    """
    return _by_steps(_loop_steps, cells, rows, layout)


def vendor(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> Tensor:
    """`torch.lstm`: cuDNN on a GPU, oneDNN on a CPU in float32; arguments and result as of `loop`."""
    if layout.is_full:  # all of one length: torch's own backward direction is exact
        return layout.from_steps(_torch_lstm(cells, layout.to_steps(rows, False)), False)
    return _by_steps(lambda cell, steps: _torch_lstm([cell], steps), cells, rows, layout)


def kernels(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> Tensor:
    """`asr.recurrent.compiled`; arguments and result as of `loop`.

    Each row of the result is the same to the last bit whatever the batch it is in and the number of threads.
    """
    from asr.recurrent.compiled import sequence  # a second, and numba: only where it is used

    return sequence.lstm(rows, layout, [sequence.Weights(cell.weight_ih, cell.weight_hh, cell.bias) for cell in cells])


def _by_steps(run: Callable[[Cell, Tensor], Tensor], cells: Sequence[Cell], rows: Tensor, layout: Layout) -> Tensor:
    """Each direction over dense steps (S, B, F), with the padding last in both."""
    outputs = [
        layout.from_steps(run(cell, layout.to_steps(rows, backward)), backward)
        for cell, backward in zip(cells, (False, True), strict=True)
    ]
    return torch.cat(outputs, dim=-1)


def _loop_steps(cell: Cell, steps: Tensor) -> Tensor:
    """One cell from the first step to the last: (S, B, F) to (S, B, H)."""
    projected = cell.project(steps)
    state = cell.initial_state(projected[0])
    outputs = []
    for at_time in projected:
        output, state = cell.point(at_time, cell.recur(state), state)
        outputs.append(output)
    return torch.stack(outputs)


def _torch_lstm(cells: Sequence[Cell], steps: Tensor) -> Tensor:
    """(S, B, F) to (S, B, H a cell); a second cell reads from the last step to the first."""
    zeros = steps.new_zeros(len(cells), steps.shape[1], cells[0].hidden)
    weights = [w for cell in cells for w in (cell.weight_ih, cell.weight_hh, cell.bias, torch.zeros_like(cell.bias))]
    training = torch.is_grad_enabled()
    # has_biases, num_layers, dropout, train, bidirectional, batch_first
    outputs: Tensor = torch.lstm(steps, [zeros, zeros], weights, True, 1, 0.0, training, len(cells) == 2, False)[0]
    return outputs


def _are_lstms(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> bool:
    return all(type(cell) is LstmCell for cell in cells)


def _suit_kernels(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> bool:
    """LSTMs in float32 on a CPU; not one utterance that is only recognised: loading the kernels would take longer."""
    worth_loading = torch.is_grad_enabled() or layout.batch_size > 1
    if not worth_loading or not _are_lstms(cells, rows, layout):
        return False
    tensors = (rows, *(cell.weight_ih for cell in cells))
    return all(t.device.type == "cpu" and t.dtype == torch.float32 for t in tensors) and compiled.available()


PATHS: tuple[tuple[Run, Able], ...] = (
    (kernels, _suit_kernels),
    (vendor, _are_lstms),
    (loop, lambda cells, rows, layout: True),
)


def choose(cells: Sequence[Cell], rows: Tensor, layout: Layout) -> Run:
    """The first path of `PATHS` that can run these cells on these rows."""
    return next(run for run, able in PATHS if able(cells, rows, layout))
