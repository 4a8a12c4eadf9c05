"""A layer for recognition only: its weights are packed once, and nothing is stored for a gradient."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from asr.recurrent.cells.cell import Cell
from asr.recurrent.compiled.kinds import (
    FULL_RECURRENCE,
    LSTM,
    PAIRS,
    ZONEOUT,
    Kind,
    other_weights,
    project_outputs,
    recurrent_weights,
)
from asr.recurrent.compiled.layer import Layer, Weights
from asr.recurrent.compiled.layer_lstm import LstmLoops
from asr.recurrent.compiled.matrices import columns_of, input_products, packed, paired
from asr.recurrent.layout import Layout


def can_be_prepared(kind: Kind) -> bool:
    """Return whether `Prepared` supports cells: the LSTM family with one input and one recurrent matrix."""
    return kind.family == LSTM and kind.plain_inputs and not kind.flags & (ZONEOUT | FULL_RECURRENCE)


class Prepared:
    """The directions of a layer, with a packed copy of their current weights.

    Args:
        kind: the kind of the cells, for which `can_be_prepared` returns True.
        cells: the forward cell, the backward cell, or both in this order.
        bfloat16: whether to round the factors of products (weights, frames, outputs) to bfloat16. This doubles the
            multiplications per instruction and halves the memory to read; sums, cells and outputs stay in float32.
    """

    def __init__(self, kind: Kind, cells: Sequence[Cell], bfloat16: bool) -> None:
        self.cells = cells = [copy.deepcopy(cell).requires_grad_(False) for cell in cells]
        self.bfloat16 = bfloat16
        self.biases = [cell.bias for cell in cells]
        self.weights = [Weights(recurrent_weights(cell).contiguous(), other_weights(cell, 0)) for cell in cells]
        self.inputs = self._packed([cell.weight_ih.contiguous() for cell in cells])
        self.recurrent = self._packed([one.hh for one in self.weights])
        self.loops = LstmLoops(kind.flags | (PAIRS if bfloat16 else 0))

    def _packed(self, weights: list[Tensor]) -> list[Tensor]:
        return packed([paired(one) if self.bfloat16 else one for one in weights], transposed=True)

    def __call__(self, rows: Tensor, layout: Layout) -> Tensor:
        """Turn rows (N, F) into (N, O); same result as `paths.kernels`, without a gradient."""
        rows = paired(rows) if self.bfloat16 else rows.contiguous()
        whole = input_products(rows, self.inputs, self.biases, self.bfloat16)
        gates = columns_of(whole, len(self.cells), len(self.biases[0]))
        outputs, _ = self.loops.run(Layer(layout, self.weights, gates), self.recurrent)
        with torch.autocast("cpu", enabled=False):
            return project_outputs(self.cells, outputs)
