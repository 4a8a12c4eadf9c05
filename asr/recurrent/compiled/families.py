"""The time loops of each family of cells on torch's tensors: what they are given, and what they leave undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from asr.recurrent.compiled import jobs
from asr.recurrent.compiled.kinds import FULL_RECURRENCE, GRU, LAYERNORM, LSTM, PEEPHOLES, ZONEOUT, Kind
from asr.recurrent.compiled.matrices import packed, products_of_transposed
from asr.recurrent.compiled.products import packed_shape
from asr.recurrent.compiled.team import Job, run
from asr.recurrent.layout import Layout


class Weights(NamedTuple):
    """Of one direction."""

    hh: Tensor  # (G, H)
    others: tuple[Tensor, ...] = ()  # as `kinds.other_weights` has them


class Left(NamedTuple):
    """What a loop that ran backwards leaves of a direction."""

    factors: list[tuple[slice, Tensor, Tensor]]  # rows of `hh`; their gradient is a.T @ b: a (N, rows), b packed (N, H)
    others: tuple[Tensor | None, ...] = ()  # gradients of `Weights.others`


@dataclass(frozen=True)
class Layer:
    """What a loop is given: D directions over the rows of a batch."""

    layout: Layout
    weights: list[Weights]
    gates: list[Tensor]  # (N, G) of each direction: projected inputs, activations, gradients of the first

    @property
    def hidden(self) -> int:
        """H."""
        return self.weights[0].hh.shape[1]

    @property
    def columns(self) -> list[tuple[int, int]]:
        """Number and first output column of each direction."""
        return [(d, d * self.hidden) for d in range(len(self.weights))]

    def new_outputs(self) -> Tensor:
        """(N, D * H), not filled."""
        return self.gates[0].new_empty(self.layout.n_rows, len(self.weights) * self.hidden)

    def new_packed(self, columns: int) -> Tensor:
        """A packed matrix (N, columns), not filled."""
        return self.gates[0].new_empty(packed_shape(self.layout.n_rows, columns))


class Loops(Protocol):
    """Both directions side by side: each has its own columns of the outputs."""

    def forward(self, layer: Layer) -> tuple[Tensor, tuple[Tensor, ...]]:
        """From projected inputs, which become activations, to outputs (N, D * H) and what `backward` sees again."""

    def backward(self, layer: Layer, outputs: Tensor, kept: tuple[Tensor, ...], gradients: Tensor) -> list[Left]:
        """From gradients of the outputs: the activations become gradients of the projected inputs."""


def loops(kind: Kind) -> Loops:
    """Those of a cell."""
    families: dict[str, Callable[[int], Loops]] = {LSTM: LstmLoops, GRU: GruLoops, LAYERNORM: LayerNormLoops}
    return families[kind.family](kind.flags)


class LstmLoops:
    """`lstm`, over a layer; keeps the cells."""

    def __init__(self, flags: int) -> None:
        self.flags = flags
        self.function = jobs.lstm_loops(flags)

    def forward(self, layer: Layer) -> tuple[Tensor, tuple[Tensor, ...]]:
        gates, directions, hidden = layer.gates, layer.weights, layer.hidden
        outputs, cells = layer.new_outputs(), layer.new_outputs()
        weights = packed([one.hh for one in directions], transposed=True)
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


class GruLoops:
    """`gru`, over a layer; keeps what stands within the candidates."""

    def __init__(self, flags: int) -> None:
        self.function = jobs.gru_loops(flags)

    def forward(self, layer: Layer) -> tuple[Tensor, tuple[Tensor, ...]]:
        gates, directions, hidden = layer.gates, layer.weights, layer.hidden
        weights, new_weights = _packed_apart(directions, transposed=True)
        outputs, inner = layer.new_outputs(), layer.new_outputs()
        zeros = outputs.new_zeros(1, hidden)
        work: list[Job] = []
        for d, at in layer.columns:
            states = gates[d], gates[d][:, 2 * hidden :], outputs[:, at:], inner[:, at:], weights[d], new_weights[d]
            bias = directions[d].others[0][None] if directions[d].others else zeros
            work += [(jobs.FORWARD, *states, schedule, bias, hidden) for schedule in layer.layout.schedules[d]]
        run(self.function, work)
        return outputs, (inner,)

    def backward(self, layer: Layer, outputs: Tensor, kept: tuple[Tensor, ...], gradients: Tensor) -> list[Left]:
        (inner,), gates, directions, hidden = kept, layer.gates, layer.weights, layer.hidden
        weights, new_weights = _packed_apart(directions)
        previous = [layer.new_packed(hidden) for _ in directions]
        work: list[Job] = []
        for d, at in layer.columns:
            states = gates[d], gates[d][:, 2 * hidden :], outputs[:, at:], inner[:, at:], weights[d], new_weights[d]
            for schedule in layer.layout.schedules[d]:
                work.append((jobs.BACKWARD, *states, schedule, gradients[:, at:], previous[d], hidden))
        run(self.function, work)
        left = []
        of_gates, of_new = slice(0, 2 * hidden), slice(2 * hidden, 3 * hidden)
        for d, at in layer.columns:
            within = inner[:, at : at + hidden]
            of_others: tuple[Tensor, ...] = ()
            if directions[d].others:  # the reset stands after the product, whose gradient is `within`
                candidate, of_others = (of_new, within, previous[d]), (within.sum(0),)
            else:  # `within` is what is multiplied
                candidate = of_new, gates[d][:, of_new], packed([within])[0]
            left.append(Left([(of_gates, gates[d][:, of_gates], previous[d]), candidate], of_others))
        return left


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


def _packed_apart(directions: Sequence[Weights], transposed: bool = False) -> tuple[list[Tensor], list[Tensor]]:
    """The recurrent weights of r and z, and those of n."""
    hidden = directions[0].hh.shape[1]
    whole = packed([part for one in directions for part in torch.split(one.hh, [2 * hidden, hidden])], transposed)
    return whole[::2], whole[1::2]
