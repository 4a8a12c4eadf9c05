"""The loops of `attention` over the directions of a layer."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from asr.recurrent.compiled import jobs
from asr.recurrent.compiled.layer import Layer, Left
from asr.recurrent.compiled.matrices import packed, products_of_transposed
from asr.recurrent.compiled.team import Job, run


class AttentionLoops:
    """`attention`, over a layer; keeps the cells, the keys, the summaries and their weights."""

    def __init__(self, flags: int) -> None:
        self.window = flags
        self.function = jobs.attention_loops()

    def forward(self, layer: Layer) -> tuple[Tensor, tuple[Tensor, ...]]:
        outputs, cells, keys, summaries = (layer.new_outputs() for _ in range(4))
        weights = outputs.new_empty(len(layer.weights), len(outputs), self.window)
        kept = cells, keys, summaries, weights
        work: list[Job] = []
        for states, factors, schedules, scorer in self._given(layer, outputs, kept, transposed=True):
            work += [(jobs.FORWARD, *states, *factors, schedule, scorer, layer.hidden) for schedule in schedules]
        run(self.function, work)
        return outputs, kept

    def backward(self, layer: Layer, outputs: Tensor, kept: tuple[Tensor, ...], gradients: Tensor) -> list[Left]:
        hidden = layer.hidden
        later = [torch.zeros_like(outputs) for _ in range(3)]
        work: list[Job] = []
        left = []
        for (_, at), given in zip(layer.columns, self._given(layer, outputs, kept), strict=True):
            states, factors, schedules, scorer = given
            previous = layer.new_packed(hidden)
            of_scorer = outputs.new_zeros(len(schedules), *scorer.shape)
            for schedule, of_part in zip(schedules, of_scorer, strict=True):
                found = gradients[:, at:], *(one[:, at:] for one in later), previous, of_part
                work.append((jobs.BACKWARD, *states, *factors, schedule, scorer, *found, hidden))
            left.append((previous, of_scorer))
        run(self.function, work)
        results = []
        for (d, at), (previous, of_scorer) in zip(layer.columns, left, strict=True):
            here = slice(at, at + hidden)
            last, summary = packed([outputs[:, here], kept[2][:, here]])
            of_keys = outputs.new_empty(hidden, hidden)
            products_of_transposed([(of_keys, later[2][:, here], last)])
            of_gates, of_query = slice(0, 4 * hidden), slice(4 * hidden, 5 * hidden)
            weight_factors = [
                (of_gates, layer.gates[d][:, of_gates], summary),
                (of_query, layer.gates[d][:, of_query], previous),
            ]
            results.append(Left(weight_factors, (of_keys, of_scorer.sum(0)[0])))
        return results

    def _given(
        self, layer: Layer, outputs: Tensor, kept: tuple[Tensor, ...], transposed: bool = False
    ) -> Iterator[tuple[tuple[Tensor, ...], list[Tensor], list[Tensor], Tensor]]:
        """Of each direction: states, packed weights, schedules, scorer."""
        hidden = layer.hidden
        for d, at in layer.columns:
            one, gates = layer.weights[d], layer.gates[d]
            states = *(whole[:, at:] for whole in (outputs, *kept[:3])), kept[3][d]
            factors = packed([*torch.split(one.hh, [4 * hidden, hidden]), one.others[0]], transposed)
            yield (gates, gates[:, 4 * hidden :], *states), factors, layer.layout.schedules[d], one.others[1][None]
