"""The attention LSTM's time loops over the directions of a layer."""

from __future__ import annotations

import torch
from torch import Tensor

from asr.recurrent.compiled import jobs
from asr.recurrent.compiled.fields import AttentionBackward, AttentionForward
from asr.recurrent.compiled.layer import Layer, WeightGradients
from asr.recurrent.compiled.matrices import packed, products_of_transposed
from asr.recurrent.compiled.team import run


class AttentionLoops:
    """A runner of the loops of `attention`; it keeps cells, keys, summaries and weights for the gradient."""

    def __init__(self, flags: int) -> None:
        self.window = flags
        self.function = jobs.attention_loops()

    def forward(self, layer: Layer) -> tuple[Tensor, tuple[Tensor, ...]]:
        outputs, cells, keys, summaries = (layer.new_outputs() for _ in range(4))
        weights = outputs.new_empty(len(layer.weights), len(outputs), self.window)
        kept = cells, keys, summaries, weights
        run(self.function, [job for column in layer.columns for job in self._jobs(layer, column, outputs, kept, True)])
        return outputs, kept

    def backward(
        self, layer: Layer, outputs: Tensor, kept: tuple[Tensor, ...], gradients: Tensor
    ) -> list[WeightGradients]:
        hidden = layer.hidden
        later = [torch.zeros_like(outputs) for _ in range(3)]
        work: list[AttentionBackward] = []
        left = []
        for d, at in layer.columns:
            jobs_forward = self._jobs(layer, (d, at), outputs, kept, False)
            previous = layer.new_packed(hidden)
            of_scorer = outputs.new_zeros(len(jobs_forward), *jobs_forward[0].scorer.shape)
            from_outputs, from_cells, from_keys = (one[:, at:] for one in later)
            for job, of_part in zip(jobs_forward, of_scorer, strict=True):
                work.append(
                    AttentionBackward(
                        **vars(job),
                        gradients=gradients[:, at:],
                        from_outputs=from_outputs,
                        from_cells=from_cells,
                        from_keys=from_keys,
                        previous=previous,
                        of_scorer=of_part,
                    )
                )
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
            results.append(WeightGradients(weight_factors, (of_keys, of_scorer.sum(0)[0])))
        return results

    def _jobs(
        self, layer: Layer, column: tuple[int, int], outputs: Tensor, kept: tuple[Tensor, ...], transposed: bool
    ) -> list[AttentionForward]:
        """Return the jobs of one direction, one per schedule."""
        (d, at), hidden = column, layer.hidden
        one, gates = layer.weights[d], layer.gates[d]
        cells, keys, summaries = (whole[:, at:] for whole in kept[:3])
        parts = [*torch.split(one.hh, [4 * hidden, hidden]), one.others[0]]
        of_gates, of_queries, of_keys = packed(parts, transposed)
        return [
            AttentionForward(
                hidden=hidden,
                gates=gates,
                queries=gates[:, 4 * hidden :],
                outputs=outputs[:, at:],
                cells=cells,
                keys=keys,
                summaries=summaries,
                weights=kept[3][d],
                of_gates=of_gates,
                of_queries=of_queries,
                of_keys=of_keys,
                schedule=schedule,
                scorer=one.others[1][None],
            )
            for schedule in layer.layout.schedules[d]
        ]
