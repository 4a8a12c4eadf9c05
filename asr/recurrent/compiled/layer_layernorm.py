"""The layer-normalised LSTM's time loops over the directions of a layer."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from asr.recurrent.compiled import jobs
from asr.recurrent.compiled.fields import LayerNormBackward, LayerNormForward
from asr.recurrent.compiled.layer import Layer, WeightGradients
from asr.recurrent.compiled.matrices import packed
from asr.recurrent.compiled.team import run


class LayerNormLoops:
    """A runner of the loops of `layernorm`; it keeps cells and normalised recurrent products for the gradient."""

    def __init__(self, flags: int) -> None:
        self.function = jobs.layernorm_loops()

    def forward(self, layer: Layer) -> tuple[Tensor, tuple[Tensor, ...]]:
        directions, hidden = layer.weights, layer.hidden
        outputs, cells = layer.new_outputs(), layer.new_outputs()
        normed, scales = (outputs.new_empty(len(directions), len(outputs), width) for width in (4 * hidden, 1))
        weights = packed([one.hh for one in directions], transposed=True)
        kept = cells, normed, scales
        run(self.function, [job for column in layer.columns for job in _jobs(layer, column, outputs, kept, weights)])
        return outputs, kept

    def backward(
        self, layer: Layer, outputs: Tensor, kept: tuple[Tensor, ...], gradients: Tensor
    ) -> list[WeightGradients]:
        weights = packed([one.hh for one in layer.weights])
        work: list[LayerNormBackward] = []
        left = []
        for d, at in layer.columns:
            jobs_forward = _jobs(layer, (d, at), outputs, kept, weights)
            previous = layer.new_packed(layer.hidden)
            of_gains = outputs.new_zeros(len(jobs_forward), *jobs_forward[0].gains.shape)
            for job, of_part in zip(jobs_forward, of_gains, strict=True):
                given = {"gradients": gradients[:, at:], "previous": previous, "of_gains": of_part}
                work.append(LayerNormBackward(**vars(job), **given))
            left.append((previous, of_gains))
        run(self.function, work)
        return [
            WeightGradients([(slice(None), one, last)], (parts.sum(0)[0],))
            for one, (last, parts) in zip(kept[1], left, strict=True)
        ]


def _jobs(
    layer: Layer, column: tuple[int, int], outputs: Tensor, kept: tuple[Tensor, ...], weights: Sequence[Tensor]
) -> list[LayerNormForward]:
    """Return the jobs of one direction, one per schedule."""
    (d, at), (cells, normed, scales) = column, kept
    return [
        LayerNormForward(
            hidden=layer.hidden,
            gates=layer.gates[d],
            outputs=outputs[:, at:],
            cells=cells[:, at:],
            normed=normed[d],
            scales=scales[d],
            weights=weights[d],
            schedule=schedule,
            gains=layer.weights[d].others[0][None],
        )
        for schedule in layer.layout.schedules[d]
    ]
