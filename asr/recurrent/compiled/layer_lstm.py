"""The loops of `lstm` over the directions of a layer."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from asr.recurrent.compiled import jobs
from asr.recurrent.compiled.kinds import FULL_RECURRENCE, PEEPHOLES, ZONEOUT
from asr.recurrent.compiled.layer import Layer, Left, Weights
from asr.recurrent.compiled.matrices import packed, products_of_transposed
from asr.recurrent.compiled.team import Job, run


class LstmLoops:
    """`lstm`, over a layer; keeps the cells."""

    def __init__(self, flags: int) -> None:
        self.flags = flags
        self.function = jobs.lstm_loops(flags)

    def forward(self, layer: Layer) -> tuple[Tensor, tuple[Tensor, ...]]:
        return self.run(layer, packed([one.hh for one in layer.weights], transposed=True))

    def run(self, layer: Layer, weights: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """As `forward`, with the recurrent weights of each direction as the loop wants them."""
        gates, directions, hidden = layer.gates, layer.weights, layer.hidden
        outputs, cells = layer.new_outputs(), layer.new_outputs()
        work: list[Job] = []
        for d, at in layer.columns:
            others = self._others(directions[d], transposed=True)
            states = gates[d], outputs[:, at:], cells[:, at:], weights[d]
            work += [(jobs.FORWARD, *states, schedule, *others, hidden) for schedule in layer.layout.schedules[d]]
        run(self.function, work)
        return outputs, (cells,)

    def backward(self, layer: Layer, outputs: Tensor, kept: tuple[Tensor, ...], gradients: Tensor) -> list[Left]:
        (cells,), gates, directions, hidden = kept, layer.gates, layer.weights, layer.hidden
        weights = packed([one.hh for one in directions])
        work: list[Job] = []
        left = []
        for d, at in layer.columns:
            others = self._others(directions[d])
            previous = layer.new_packed(hidden)
            previous_gates = layer.new_packed(gates[d].shape[1] if self.flags & FULL_RECURRENCE else 1)
            of_peepholes = outputs.new_zeros(len(layer.layout.schedules[d]), *others[0].shape)
            states = gates[d], outputs[:, at:], cells[:, at:], weights[d]
            for schedule, of_part in zip(layer.layout.schedules[d], of_peepholes, strict=True):
                given = gradients[:, at:], previous, previous_gates, of_part
                work.append((jobs.BACKWARD, *states, schedule, *others, *given, hidden))
            left.append((previous, previous_gates, of_peepholes))
        run(self.function, work)
        return [
            Left([(slice(None), gate, one[0])], self._gradients(gate, *one[1:]))
            for gate, one in zip(gates, left, strict=True)
        ]

    def _others(self, weights: Weights, transposed: bool = False) -> tuple[Tensor, ...]:
        """Peepholes, packed recurrent weights of the gates, kept shares; anything in place of what there is not."""
        given, nothing = list(weights.others), weights.hh[:1]
        peepholes = given.pop(0) if self.flags & PEEPHOLES else nothing
        of_gates = packed([given.pop(0)], transposed)[0] if self.flags & FULL_RECURRENCE else nothing
        return peepholes, of_gates, *(given or (nothing, nothing))

    def _gradients(self, gates: Tensor, previous_gates: Tensor, of_peepholes: Tensor) -> tuple[Tensor | None, ...]:
        """Of `Weights.others`."""
        found: list[Tensor | None] = [of_peepholes.sum(0)] if self.flags & PEEPHOLES else []
        if self.flags & FULL_RECURRENCE:
            of_gates = gates.new_empty(gates.shape[1], gates.shape[1])
            products_of_transposed([(of_gates, gates, previous_gates)])
            found.append(of_gates)
        return *found, *((None, None) if self.flags & ZONEOUT else ())
