"""The loops of `layernorm` over the directions of a layer."""

from __future__ import annotations

from torch import Tensor

from asr.recurrent.compiled import jobs
from asr.recurrent.compiled.layer import Layer, Left
from asr.recurrent.compiled.matrices import packed
from asr.recurrent.compiled.team import Job, run


class LayerNormLoops:
    """`layernorm`, over a layer; keeps the cells, and the recurrent products after their normalisation."""

    def __init__(self, flags: int) -> None:
        self.function = jobs.layernorm_loops()

    def forward(self, layer: Layer) -> tuple[Tensor, tuple[Tensor, ...]]:
        gates, directions, hidden = layer.gates, layer.weights, layer.hidden
        outputs, cells = layer.new_outputs(), layer.new_outputs()
        normed, scales = (outputs.new_empty(len(directions), len(outputs), width) for width in (4 * hidden, 1))
        weights = packed([one.hh for one in directions], transposed=True)
        work: list[Job] = []
        for d, at in layer.columns:
            states = gates[d], outputs[:, at:], cells[:, at:], normed[d], scales[d], weights[d]
            gains = directions[d].others[0][None]
            work += [(jobs.FORWARD, *states, schedule, gains, hidden) for schedule in layer.layout.schedules[d]]
        run(self.function, work)
        return outputs, (cells, normed, scales)

    def backward(self, layer: Layer, outputs: Tensor, kept: tuple[Tensor, ...], gradients: Tensor) -> list[Left]:
        (cells, normed, scales), gates, directions, hidden = kept, layer.gates, layer.weights, layer.hidden
        weights = packed([one.hh for one in directions])
        work: list[Job] = []
        left = []
        for d, at in layer.columns:
            gains = directions[d].others[0][None]
            previous = layer.new_packed(hidden)
            of_gains = outputs.new_zeros(len(layer.layout.schedules[d]), *gains.shape)
            states = gates[d], outputs[:, at:], cells[:, at:], normed[d], scales[d], weights[d]
            for schedule, of_part in zip(layer.layout.schedules[d], of_gains, strict=True):
                given = gains, gradients[:, at:], previous, of_part
                work.append((jobs.BACKWARD, *states, schedule, *given, hidden))
            left.append((previous, of_gains))
        run(self.function, work)
        return [
            Left([(slice(None), one, last)], (parts.sum(0)[0],))
            for one, (last, parts) in zip(normed, left, strict=True)
        ]
