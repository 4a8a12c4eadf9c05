"""A recurrent layer with both directions as one autograd operation with a hand-written gradient.

Products over all frames are computed outside the time loop: the input product before it, the gradients of weights and
inputs after it. Only the recurrent products and the elementwise operations of a step are in the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from asr.recurrent.cells.cell import Cell, State
from asr.recurrent.compiled.kinds import (
    ATTENTION,
    GRU,
    LAYERNORM,
    LSTM,
    Kind,
    other_weights,
    project_outputs,
    recurrent_weights,
)
from asr.recurrent.compiled.layer import Layer, Loops, Weights
from asr.recurrent.compiled.layer_attention import AttentionLoops
from asr.recurrent.compiled.layer_gru import GruLoops
from asr.recurrent.compiled.layer_layernorm import LayerNormLoops
from asr.recurrent.compiled.layer_lstm import LstmLoops
from asr.recurrent.compiled.matrices import (
    columns_of,
    input_products,
    packed,
    products,
    products_of_transposed,
    stride,
)
from asr.recurrent.layout import Layout

_FAMILIES: dict[str, Callable[[int], Loops]] = {
    LSTM: LstmLoops,
    GRU: GruLoops,
    LAYERNORM: LayerNormLoops,
    ATTENTION: AttentionLoops,
}


def layer(rows: Tensor, layout: Layout, kind: Kind, cells: Sequence[Cell]) -> Tensor:
    """Run a layer.

    Args:
        rows: (N, F) float32 on the CPU.
        layout: the layout of the rows.
        kind: the kind of the cells.
        cells: the cells of the D directions, the forward one first.

    Returns:
        (N, O), the outputs of the directions concatenated.
    """
    flat = [one for cell in cells for one in (recurrent_weights(cell), *other_weights(cell, len(rows)))]
    outputs: Tensor = _Recurrence.apply(_projected(rows, kind, cells), layout, kind, len(cells), *flat)  # type: ignore[no-untyped-call]
    return project_outputs(cells, outputs)


def continued(rows: Tensor, layout: Layout, kind: Kind, cell: Cell, state: State) -> tuple[Tensor, State]:
    """Run a forward cell of the LSTM family from a given state, without gradients for that state.

    Args:
        rows: (N, F) float32 on the CPU.
        layout: the layout of the rows; all utterances have the same length.
        kind: the kind of the cell.
        cell: the cell, for which `kinds.can_continue` returns True.
        state: the outputs and the cells (B, H) before the first step.

    Returns:
        (N, H), and the state after the last step, detached.
    """
    flat = (recurrent_weights(cell), *other_weights(cell, len(rows)))
    found = _Continued.apply(_projected(rows, kind, [cell]), layout, kind, *state, *flat)  # type: ignore[no-untyped-call]
    outputs, *last = found
    return outputs, tuple(last)


def _projected(rows: Tensor, kind: Kind, cells: Sequence[Cell]) -> Tensor:
    """Return the input products plus biases of all frames, (N, D * G), with unused columns if `stride` adds some."""
    if kind.plain_inputs:
        return _Projection.apply(rows, *(one for cell in cells for one in (cell.weight_ih, cell.bias)))  # type: ignore[no-untyped-call, no-any-return]
    of_cells = [cell.project(rows) for cell in cells]
    width = sum(one.shape[1] for one in of_cells)
    return torch.cat([*of_cells, rows.new_zeros(len(rows), stride(width) - width)], dim=1)


class _Projection(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, *flat: Tensor) -> Tensor:
        rows, flat = rows.contiguous(), tuple(weight.contiguous() for weight in flat)
        ctx.save_for_backward(rows, *flat)
        weights, biases = flat[::2], flat[1::2]
        return input_products(rows, packed(weights, transposed=True), biases)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradients: Tensor) -> tuple[Tensor | None, ...]:
        rows, *flat = ctx.saved_tensors
        weights = flat[::2]
        of_parts = columns_of(gradients.contiguous(), len(weights), len(flat[1]))
        of_rows = _gradient_of_rows(weights, of_parts) if ctx.needs_input_grad[0] else None
        (inputs,) = packed([rows])
        of_weights = [torch.empty_like(weight) for weight in weights]
        products_of_transposed([(one, part, inputs) for one, part in zip(of_weights, of_parts, strict=True)])
        of_biases = [part.sum(0) for part in of_parts]
        return of_rows, *(one for pair in zip(of_weights, of_biases, strict=True) for one in pair)


class _Recurrence(torch.autograd.Function):
    """The time loops. They overwrite the first argument: projected inputs become activations, then gradients."""

    @staticmethod
    def forward(ctx: Any, whole: Tensor, layout: Layout, kind: Kind, n_directions: int, *flat: Tensor) -> Tensor:
        flat = tuple(weight.contiguous() for weight in flat)
        outputs, kept = _FAMILIES[kind.family](kind.flags).forward(_layer(layout, n_directions, whole, flat))
        ctx.save_for_backward(outputs, *flat)
        ctx.layout, ctx.kind, ctx.n_directions = layout, kind, n_directions
        ctx.whole, ctx.kept = whole.detach(), kept
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradients: Tensor) -> tuple[Any, ...]:
        outputs, *flat = ctx.saved_tensors
        whole, of_flat = _backward(ctx, ctx.n_directions, outputs, flat, gradients)
        return whole, None, None, None, *of_flat


class _Continued(torch.autograd.Function):
    """The time loop of one forward direction from a given state, which is in rows after those of the batch."""

    @staticmethod
    def forward(
        ctx: Any, whole: Tensor, layout: Layout, kind: Kind, output: Tensor, cell: Tensor, *flat: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        flat = tuple(weight.contiguous() for weight in flat)
        layer = _layer(layout, 1, whole, flat, carried=True)
        outputs, cells = layer.new_outputs(), layer.new_outputs()
        outputs[layout.n_rows :], cells[layout.n_rows :] = output, cell
        weights = packed([one.hh for one in layer.weights], transposed=True)
        LstmLoops(kind.flags).continued(layer, weights, outputs, cells)
        ctx.save_for_backward(*flat)
        ctx.layout, ctx.kind, ctx.outputs = layout, kind, outputs
        ctx.whole, ctx.kept = whole.detach(), (cells,)
        last = slice(layout.n_rows - layout.batch_size, layout.n_rows)
        state = outputs[last].clone(), cells[last].clone()
        ctx.mark_non_differentiable(*state)
        return outputs[: layout.n_rows], *state

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradients: Tensor, *of_state: Tensor) -> tuple[Any, ...]:
        whole, of_flat = _backward(ctx, 1, ctx.outputs, ctx.saved_tensors, gradients, carried=True)
        ctx.outputs = None
        return whole, None, None, None, None, *of_flat


def _backward(
    ctx: Any, n_directions: int, outputs: Tensor, flat: Sequence[Tensor], gradients: Tensor, carried: bool = False
) -> tuple[Tensor, list[Tensor | None]]:
    """Return the gradients of the projected inputs and of the weights."""
    if ctx.whole is None:
        raise RuntimeError(
            "the gradient of a recurrent layer can be computed only once, because it overwrites the activations; "
            "run the layer again"
        )
    whole, layer = ctx.whole, _layer(ctx.layout, n_directions, ctx.whole, flat, carried)
    left = _FAMILIES[ctx.kind.family](ctx.kind.flags).backward(layer, outputs, ctx.kept, gradients.contiguous())
    of_hh = [torch.empty_like(one.hh) for one in layer.weights]
    products_of_transposed(
        [(into[which], a, b) for into, one in zip(of_hh, left, strict=True) for which, a, b in one.factors]
    )
    ctx.whole = ctx.kept = None
    return whole, [one for into, rest in zip(of_hh, left, strict=True) for one in (into, *rest.others)]


def _layer(layout: Layout, n_directions: int, whole: Tensor, flat: Sequence[Tensor], carried: bool = False) -> Layer:
    size = len(flat) // n_directions
    weights = [Weights(flat[at], tuple(flat[at + 1 : at + size])) for at in range(0, len(flat), size)]
    return Layer(layout, weights, columns_of(whole, n_directions, len(flat[0])), carried)


def _gradient_of_rows(weights: Sequence[Tensor], gates: Sequence[Tensor]) -> Tensor:
    """Return the gradient of the rows, (N, F), summed over the directions."""
    total = gates[0].new_empty(len(gates[0]), weights[0].shape[1])
    start = total.new_zeros(1, total.shape[1])
    for gate, weight in zip(gates, packed(weights), strict=True):
        products([(gate, weight, start, total)])
        start = total
    return total
