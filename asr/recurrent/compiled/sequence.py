"""An LSTM layer as one operation of autograd: both directions side by side, the gradient written by hand.

The products of all frames at once stand outside the time loop: the input product before it, the gradients of the
weights and of the inputs after it. In the loop remain the recurrent product of a step and the elementwise step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from asr.recurrent.compiled import jobs
from asr.recurrent.compiled.instructions import ROWS
from asr.recurrent.compiled.products import packed_shape
from asr.recurrent.compiled.team import Job, run
from asr.recurrent.layout import Layout

_ROWS_A_JOB = 16 * ROWS
_WEIGHT_ROWS_A_JOB = 8 * ROWS


class Weights(NamedTuple):
    """Of one direction."""

    ih: Tensor  # (4H, F), gates in the order i, f, g, o
    hh: Tensor  # (4H, H)
    bias: Tensor  # (4H,)


def lstm(rows: Tensor, layout: Layout, directions: Sequence[Weights]) -> Tensor:
    """Run a layer.

    Args:
        rows: (N, F) float32 on the CPU.
        layout: of the rows.
        directions: D of them: forward in time, then backward.

    Returns:
        (N, D * H), the directions side by side.
    """
    flat = [weight for weights in directions for weight in weights]
    outputs: Tensor = _Lstm.apply(rows, layout, *flat)  # type: ignore[no-untyped-call]
    return outputs


class _Lstm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, layout: Layout, *flat: Tensor) -> Tensor:
        rows, flat = rows.contiguous(), tuple(weight.contiguous() for weight in flat)
        directions = _directions(flat)
        gates = _new_gates(rows, directions)
        _project(rows, directions, gates)
        outputs, cells = _recur(layout, directions, gates)
        ctx.save_for_backward(rows, outputs, *flat)
        ctx.layout, ctx.gates, ctx.cells = layout, gates, cells
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradients: Tensor) -> tuple[Any, ...]:
        if ctx.gates is None:
            raise RuntimeError("the gradient of an LSTM layer can be asked for once: it overwrites the activations")
        rows, outputs, *flat = ctx.saved_tensors
        directions = _directions(flat)
        previous = _recur_back(ctx.layout, directions, ctx.gates, outputs, ctx.cells, gradients.contiguous())
        of_rows = _gradient_of_rows(directions, ctx.gates) if ctx.needs_input_grad[0] else None
        of_weights = _gradients_of_weights(rows, previous, directions, ctx.gates)
        ctx.gates = ctx.cells = None
        return of_rows, None, *(gradient for weights in of_weights for gradient in weights)


def _directions(flat: Sequence[Tensor]) -> list[Weights]:
    return [Weights(*flat[first : first + 3]) for first in range(0, len(flat), 3)]


def _new_gates(rows: Tensor, directions: Sequence[Weights]) -> list[Tensor]:
    """(N, 4H) for each direction, in one matrix whose rows lie apart by no multiple of 4 KiB.

    Rows that do would share the same few lines of the cache.
    """
    size = len(directions[0].bias)
    stride = len(directions) * size
    whole = rows.new_empty(len(rows), stride + (16 if stride % 1024 == 0 else 0))
    return [whole[:, first : first + size] for first in range(0, stride, size)]


def _project(rows: Tensor, directions: Sequence[Weights], gates: Sequence[Tensor]) -> None:
    """Input products and biases of all frames, into the gates."""
    n_inputs, size = rows.shape[1], gates[0].shape[1]
    packed = [rows.new_empty(packed_shape(n_inputs, size)) for _ in directions]
    run([(jobs.PACK_TRANSPOSED, weights.ih, into, size) for weights, into in zip(directions, packed, strict=True)])
    run(
        [
            (jobs.PRODUCT, rows[part], inputs, weights.bias, into[part], n_inputs, size)
            for part in _parts(len(rows), _ROWS_A_JOB)
            for weights, inputs, into in zip(directions, packed, gates, strict=True)
        ]
    )


def _recur(layout: Layout, directions: Sequence[Weights], gates: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """The time loop: (N, D * H) outputs and cells; the gates become activations."""
    hidden = directions[0].hh.shape[1]
    packed = [weights.hh.new_empty(packed_shape(hidden, 4 * hidden)) for weights in directions]
    run(
        [(jobs.PACK_TRANSPOSED, weights.hh, into, 4 * hidden) for weights, into in zip(directions, packed, strict=True)]
    )
    outputs, cells = (gates[0].new_empty(layout.n_rows, len(directions) * hidden) for _ in range(2))
    run(
        [
            (jobs.LSTM_FORWARD, gates[d], outputs[:, at:], cells[:, at:], packed[d], schedule, hidden)
            for d, at in _columns(directions)
            for schedule in layout.schedules[d]
        ]
    )
    return outputs, cells


def _recur_back(
    layout: Layout,
    directions: Sequence[Weights],
    gates: Sequence[Tensor],
    outputs: Tensor,
    cells: Tensor,
    gradients: Tensor,
) -> list[Tensor]:
    """The time loop backwards: the gates become gradients of the projected inputs.

    Returns:
        for each direction the outputs one step before each row, a packed (N, H) matrix.
    """
    hidden = directions[0].hh.shape[1]
    packed = [weights.hh.new_empty(packed_shape(4 * hidden, hidden)) for weights in directions]
    run([(jobs.PACK, weights.hh, into, hidden) for weights, into in zip(directions, packed, strict=True)])
    previous = [outputs.new_empty(packed_shape(layout.n_rows, hidden)) for _ in directions]
    loops: list[Job] = []
    for d, at in _columns(directions):
        states = gates[d], outputs[:, at:], cells[:, at:], packed[d]
        for schedule in layout.schedules[d]:
            loops.append((jobs.LSTM_BACKWARD, *states, schedule, gradients[:, at:], previous[d], hidden))
    run(loops)
    return previous


def _gradient_of_rows(directions: Sequence[Weights], gates: Sequence[Tensor]) -> Tensor:
    """(N, F), the sum over the directions."""
    size, n_inputs = directions[0].ih.shape
    packed = [weights.ih.new_empty(packed_shape(size, n_inputs)) for weights in directions]
    run([(jobs.PACK, weights.ih, into, n_inputs) for weights, into in zip(directions, packed, strict=True)])
    total = gates[0].new_empty(len(gates[0]), n_inputs)
    zeros = gates[0].new_zeros(n_inputs)
    parts = _parts(len(total), _ROWS_A_JOB)
    for d, weights in enumerate(packed):
        starts = [zeros if d == 0 else total[part] for part in parts]
        run(
            [
                (jobs.PRODUCT, gates[d][part], weights, start, total[part], size, n_inputs)
                for part, start in zip(parts, starts, strict=True)
            ]
        )
    return total


def _gradients_of_weights(
    rows: Tensor, previous: Sequence[Tensor], directions: Sequence[Weights], gates: Sequence[Tensor]
) -> list[Weights]:
    """Sums over all frames, each one product."""
    packed = rows.new_empty(packed_shape(*rows.shape))
    run([(jobs.PACK, rows, packed, rows.shape[1])])
    gradients = [
        Weights(torch.empty_like(weights.ih), torch.empty_like(weights.hh), gate.sum(0))
        for weights, gate in zip(directions, gates, strict=True)
    ]
    products: list[Job] = []
    for gradient, gate, last in zip(gradients, gates, previous, strict=True):
        for factor, into in ((packed, gradient.ih), (last, gradient.hh)):
            for part in _parts(len(into), _WEIGHT_ROWS_A_JOB):
                products.append((jobs.PRODUCT_OF_TRANSPOSED, gate[:, part], factor, into[part], into.shape[1]))
    run(products)
    return gradients


def _columns(directions: Sequence[Weights]) -> list[tuple[int, int]]:
    """Number and first output column of each direction."""
    return [(d, d * directions[0].hh.shape[1]) for d in range(len(directions))]


def _parts(length: int, size: int) -> list[slice]:
    return [slice(first, min(first + size, length)) for first in range(0, length, size)]
