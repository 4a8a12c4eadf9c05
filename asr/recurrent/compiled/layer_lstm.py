"""The LSTM family's time loops over the directions of a layer."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from asr.recurrent.compiled import jobs
from asr.recurrent.compiled.fields import LstmBackward, LstmForward
from asr.recurrent.compiled.kinds import FULL_RECURRENCE, PEEPHOLES, ZONEOUT
from asr.recurrent.compiled.layer import Layer, WeightGradients
from asr.recurrent.compiled.matrices import packed, products_of_transposed
from asr.recurrent.compiled.team import run


class LstmLoops:
    """A runner of the loops of `lstm`; it keeps the cells for the gradient."""

    def __init__(self, flags: int) -> None:
        self.flags = flags
        self.function = jobs.lstm_loops(flags)

    def forward(self, layer: Layer) -> tuple[Tensor, tuple[Tensor, ...]]:
        return self.run(layer, packed([one.hh for one in layer.weights], transposed=True))

    def run(self, layer: Layer, weights: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run `forward` with packed recurrent weights, one matrix for each direction."""
        return self.continued(layer, weights, layer.new_outputs(), layer.new_outputs())

    def continued(
        self, layer: Layer, weights: Sequence[Tensor], outputs: Tensor, cells: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run `forward` with given arrays for the results; their last rows contain the carried state, if any."""
        run(
            self.function,
            [job for column in layer.columns for job in self._jobs(layer, column, outputs, cells, weights, True)],
        )
        return outputs, (cells,)

    def backward(
        self, layer: Layer, outputs: Tensor, kept: tuple[Tensor, ...], gradients: Tensor
    ) -> list[WeightGradients]:
        (cells,), gates = kept, layer.gates
        weights = packed([one.hh for one in layer.weights])
        work: list[LstmBackward] = []
        left = []
        for d, at in layer.columns:
            jobs_forward = self._jobs(layer, (d, at), outputs, cells, weights, False)
            previous = layer.new_packed(layer.hidden)
            previous_gates = layer.new_packed(gates[d].shape[1] if self.flags & FULL_RECURRENCE else 1)
            of_peepholes = outputs.new_zeros(len(jobs_forward), *jobs_forward[0].peepholes.shape)
            for job, of_part in zip(jobs_forward, of_peepholes, strict=True):
                work.append(
                    LstmBackward(
                        **vars(job),
                        gradients=gradients[:, at:],
                        previous=previous,
                        previous_gates=previous_gates,
                        of_peepholes=of_part,
                    )
                )
            left.append((previous, previous_gates, of_peepholes))
        run(self.function, work)
        return [
            WeightGradients([(slice(None), gate, one[0])], self._gradients(gate, *one[1:]))
            for gate, one in zip(gates, left, strict=True)
        ]

    def _jobs(
        self,
        layer: Layer,
        column: tuple[int, int],
        outputs: Tensor,
        cells: Tensor,
        weights: Sequence[Tensor],
        transposed: bool,
    ) -> list[LstmForward]:
        """Return the jobs of one direction, one per schedule, with placeholders for weights that the cell lacks."""
        (d, at), given, nothing = column, list(layer.weights[column[0]].others), layer.weights[column[0]].hh[:1]
        peepholes = given.pop(0) if self.flags & PEEPHOLES else nothing
        of_gates = packed([given.pop(0)], transposed)[0] if self.flags & FULL_RECURRENCE else nothing
        keep_cells, keep_outputs = given or (nothing, nothing)
        return [
            LstmForward(
                hidden=layer.hidden,
                gates=layer.gates[d],
                outputs=outputs[:, at:],
                cells=cells[:, at:],
                weights=weights[d],
                schedule=schedule,
                peepholes=peepholes,
                of_gates=of_gates,
                keep_cells=keep_cells,
                keep_outputs=keep_outputs,
            )
            for schedule in layer.schedules(d)
        ]

    def _gradients(self, gates: Tensor, previous_gates: Tensor, of_peepholes: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of `Weights.others`."""
        found: list[Tensor | None] = [of_peepholes.sum(0)] if self.flags & PEEPHOLES else []
        if self.flags & FULL_RECURRENCE:
            of_gates = gates.new_empty(gates.shape[1], gates.shape[1])
            products_of_transposed([(of_gates, gates, previous_gates)])
            found.append(of_gates)
        return *found, *((None, None) if self.flags & ZONEOUT else ())
