"""The gated recurrent units' time loops over the directions of a layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from asr.recurrent.compiled import jobs
from asr.recurrent.compiled.fields import GruBackward, GruForward
from asr.recurrent.compiled.layer import Layer, WeightGradients, Weights
from asr.recurrent.compiled.matrices import packed
from asr.recurrent.compiled.team import run


class GruLoops:
    """A runner of the loops of `gru`; it keeps `inner` for the gradient."""

    def __init__(self, flags: int) -> None:
        self.function = jobs.gru_loops(flags)

    def forward(self, layer: Layer) -> tuple[Tensor, tuple[Tensor, ...]]:
        gates, directions, hidden = layer.gates, layer.weights, layer.hidden
        weights, new_weights = _packed_weights(directions, transposed=True)
        outputs, inner = layer.new_outputs(), layer.new_outputs()
        zeros = outputs.new_zeros(1, hidden)
        work = []
        for d, at in layer.columns:
            bias = directions[d].others[0][None] if directions[d].others else zeros
            work += [
                GruForward(
                    hidden=hidden,
                    gates=gates[d],
                    candidates=gates[d][:, 2 * hidden :],
                    outputs=outputs[:, at:],
                    inner=inner[:, at:],
                    weights=weights[d],
                    new_weights=new_weights[d],
                    schedule=schedule,
                    bias=bias,
                )
                for schedule in layer.layout.schedules[d]
            ]
        run(self.function, work)
        return outputs, (inner,)

    def backward(
        self, layer: Layer, outputs: Tensor, kept: tuple[Tensor, ...], gradients: Tensor
    ) -> list[WeightGradients]:
        (inner,), gates, directions, hidden = kept, layer.gates, layer.weights, layer.hidden
        weights, new_weights = _packed_weights(directions)
        previous = [layer.new_packed(hidden) for _ in directions]
        work = [
            GruBackward(
                hidden=hidden,
                gates=gates[d],
                candidates=gates[d][:, 2 * hidden :],
                outputs=outputs[:, at:],
                inner=inner[:, at:],
                weights=weights[d],
                new_weights=new_weights[d],
                schedule=schedule,
                gradients=gradients[:, at:],
                previous=previous[d],
            )
            for d, at in layer.columns
            for schedule in layer.layout.schedules[d]
        ]
        run(self.function, work)
        left = []
        of_gates, of_new = slice(0, 2 * hidden), slice(2 * hidden, 3 * hidden)
        for d, at in layer.columns:
            within = inner[:, at : at + hidden]
            of_others: tuple[Tensor, ...] = ()
            if directions[d].others:  # the reset comes after the product, whose gradient is `within`
                candidate, of_others = (of_new, within, previous[d]), (within.sum(0),)
            else:  # `within` is the input of the product
                candidate = of_new, gates[d][:, of_new], packed([within])[0]
            left.append(WeightGradients([(of_gates, gates[d][:, of_gates], previous[d]), candidate], of_others))
        return left


def _packed_weights(directions: Sequence[Weights], transposed: bool = False) -> tuple[list[Tensor], list[Tensor]]:
    """Pack the recurrent weights of r and z of each direction, and separately those of n."""
    hidden = directions[0].hh.shape[1]
    whole = packed([part for one in directions for part in torch.split(one.hh, [2 * hidden, hidden])], transposed)
    return whole[::2], whole[1::2]
