"""The ways to run a layer, fastest first; all give what `loop` gives, up to rounding.

Choosing one is `choose`, over the one table `PATHS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from asr.recurrent.cells.cell import Cell
from asr.recurrent.cells.lstm import LstmCell
from asr.recurrent.layout import Layout

Run = Callable[[Sequence[Cell], Tensor, Layout], Tensor]


def loop(cells: Sequence[Cell], frames: Tensor, layout: Layout) -> Tensor:
    """Step by step under autograd: any cell, any device, any float type; slow.

    Args:
        cells: one for the forward and one for the backward direction.
        frames: (T, B, F), finite everywhere.
        layout: where the frames are.

    Returns:
        (T, B, 2H); the padding holds anything finite.
    """
    forward_cell, backward_cell = cells
    forward = _steps(forward_cell, frames)
    backward = layout.reverse(_steps(backward_cell, layout.reverse(frames)))
    return torch.cat([forward, backward], dim=-1)


def _steps(cell: Cell, frames: Tensor) -> Tensor:
    """One cell from the first frame to the last: (T, B, F) to (T, B, H)."""
    projected = cell.project(frames)
    state = cell.initial_state(projected[0])
    outputs = []
    for at_time in projected:
        output, state = cell.point(at_time, cell.recur(state), state)
        outputs.append(output)
    return torch.stack(outputs)


def vendor(cells: Sequence[Cell], frames: Tensor, layout: Layout) -> Tensor:
    """`torch.lstm` once a direction: oneDNN or cuDNN where they are; arguments and result as of `loop`."""
    forward_cell, backward_cell = cells
    forward = _vendor_lstm(forward_cell, frames)
    backward = layout.reverse(_vendor_lstm(backward_cell, layout.reverse(frames)))
    return torch.cat([forward, backward], dim=-1)


def _vendor_lstm(cell: Cell, frames: Tensor) -> Tensor:
    zeros = frames.new_zeros(1, frames.shape[1], cell.hidden)
    weights = [cell.weight_ih, cell.weight_hh, cell.bias, torch.zeros_like(cell.bias)]
    # has_biases, num_layers, dropout, train, bidirectional, batch_first
    outputs: Tensor = torch.lstm(frames, [zeros, zeros], weights, True, 1, 0.0, cell.training, False, False)[0]
    return outputs


PATHS: tuple[tuple[str, Run, Callable[[Sequence[Cell], Tensor], bool]], ...] = (
    ("vendor", vendor, lambda cells, frames: all(type(cell) is LstmCell for cell in cells)),
    ("loop", loop, lambda cells, frames: True),
)


def choose(cells: Sequence[Cell], frames: Tensor) -> Run:
    """The first path of `PATHS` that can run these cells on these frames."""
    return next(run for _, run, able in PATHS if able(cells, frames))
