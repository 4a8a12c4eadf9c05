"""The time loops of each family of cells on torch's tensors: what they are given, and what they leave undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from asr.recurrent.compiled import jobs
from asr.recurrent.compiled.instructions import ROWS
from asr.recurrent.compiled.kinds import FULL_RECURRENCE, GRU, LAYERNORM, LSTM, PEEPHOLES, ZONEOUT, Kind
from asr.recurrent.compiled.products import packed_shape
from asr.recurrent.compiled.team import Job, run
from asr.recurrent.layout import Layout

_WEIGHT_ROWS_A_JOB = 8 * ROWS


class Weights(NamedTuple):
    """Of one direction."""

    hh: Tensor  # (G, H)
    others: tuple[Tensor, ...] = ()  # as `kinds.other_weights` has them


class Left(NamedTuple):
    """What a loop that ran backwards leaves of a direction."""

    factors: list[tuple[slice, Tensor, Tensor]]  # rows of `hh`; their gradient is a.T @ b: a (N, rows), b packed (N, H)
    others: tuple[Tensor | None, ...] = ()  # gradients of `Weights.others`


class Loops(Protocol):
    """Both directions side by side: each has its own columns of the outputs."""

    def forward(
        self, layout: Layout, directions: Sequence[Weights], gates: Sequence[Tensor]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """From projected inputs (N, G) of each direction, which become activations, to outputs (N, D * H) and what
        `backward` wants to see again."""

    def backward(
        self,
        layout: Layout,
        directions: Sequence[Weights],
        gates: Sequence[Tensor],
        outputs: Tensor,
        kept: tuple[Tensor, ...],
        gradients: Tensor,
    ) -> list[Left]:
        """From gradients of the outputs: the activations become gradients of the projected inputs."""


def loops(kind: Kind) -> Loops:
    """Those of a cell."""
    families: dict[str, Callable[[int], Loops]] = {LSTM: LstmLoops, GRU: GruLoops, LAYERNORM: LayerNormLoops}
    return families[kind.family](kind.flags)


def packed(matrices: Sequence[Tensor], transposed: bool = False) -> list[Tensor]:
    """Each (K, M) as `products` wants the second factor; `transposed`: its transpose (M, K)."""
    shapes = [matrix.shape[::-1] if transposed else matrix.shape for matrix in matrices]
    into = [matrix.new_empty(packed_shape(*shape)) for matrix, shape in zip(matrices, shapes, strict=True)]
    kind = jobs.PACK_TRANSPOSED if transposed else jobs.PACK
    run(
        jobs.matrix_products(),
        [(kind, matrix, one, shape[1]) for matrix, one, shape in zip(matrices, into, shapes, strict=True)],
    )
    return into


def products_of_transposed(factors: Sequence[tuple[Tensor, Tensor, Tensor]]) -> None:
    """into = a.T @ b of each (into, a, b): sums over all frames; b is packed."""
    work: list[Job] = []
    for into, a, b in factors:
        for part in parts(len(into), _WEIGHT_ROWS_A_JOB):
            work.append((jobs.PRODUCT_OF_TRANSPOSED, a[:, part], b, into[part], into.shape[1]))
    run(jobs.matrix_products(), work)


def parts(length: int, size: int) -> list[slice]:
    """Of `size` or less, the last one shorter."""
    return [slice(first, min(first + size, length)) for first in range(0, length, size)]


class LstmLoops:
    """`lstm`, over a layer; keeps the cells."""

    def __init__(self, flags: int) -> None:
        self.flags = flags
        self.function = jobs.lstm_loops(flags)

    def forward(
        self, layout: Layout, directions: Sequence[Weights], gates: Sequence[Tensor]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        hidden = directions[0].hh.shape[1]
        outputs, cells = (gates[0].new_empty(layout.n_rows, len(directions) * hidden) for _ in range(2))
        weights = packed([one.hh for one in directions], transposed=True)
        work: list[Job] = []
        for d, at in columns(directions):
            others = self._others(directions[d], transposed=True)
            states = gates[d], outputs[:, at:], cells[:, at:], weights[d]
            work += [(jobs.FORWARD, *states, schedule, *others, hidden) for schedule in layout.schedules[d]]
        run(self.function, work)
        return outputs, (cells,)

    def backward(
        self,
        layout: Layout,
        directions: Sequence[Weights],
        gates: Sequence[Tensor],
        outputs: Tensor,
        kept: tuple[Tensor, ...],
        gradients: Tensor,
    ) -> list[Left]:
        (cells,), (size, hidden) = kept, directions[0].hh.shape
        weights = packed([one.hh for one in directions])
        work: list[Job] = []
        left = []
        for d, at in columns(directions):
            others = self._others(directions[d])
            previous = outputs.new_empty(packed_shape(layout.n_rows, hidden))
            previous_gates = outputs.new_empty(packed_shape(layout.n_rows, size) if self.flags & FULL_RECURRENCE else 1)
            of_peepholes = outputs.new_zeros(len(layout.schedules[d]), *others[0].shape)
            states = gates[d], outputs[:, at:], cells[:, at:], weights[d]
            for schedule, of_part in zip(layout.schedules[d], of_peepholes, strict=True):
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

    def forward(
        self, layout: Layout, directions: Sequence[Weights], gates: Sequence[Tensor]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        hidden = directions[0].hh.shape[1]
        weights, new_weights = _packed_apart(directions, transposed=True)
        outputs, inner = (gates[0].new_empty(layout.n_rows, len(directions) * hidden) for _ in range(2))
        zeros = outputs.new_zeros(1, hidden)
        work: list[Job] = []
        for d, at in columns(directions):
            states = gates[d], gates[d][:, 2 * hidden :], outputs[:, at:], inner[:, at:], weights[d], new_weights[d]
            bias = directions[d].others[0][None] if directions[d].others else zeros
            work += [(jobs.FORWARD, *states, schedule, bias, hidden) for schedule in layout.schedules[d]]
        run(self.function, work)
        return outputs, (inner,)

    def backward(
        self,
        layout: Layout,
        directions: Sequence[Weights],
        gates: Sequence[Tensor],
        outputs: Tensor,
        kept: tuple[Tensor, ...],
        gradients: Tensor,
    ) -> list[Left]:
        (inner,), hidden = kept, directions[0].hh.shape[1]
        weights, new_weights = _packed_apart(directions)
        previous = [outputs.new_empty(packed_shape(layout.n_rows, hidden)) for _ in directions]
        work: list[Job] = []
        for d, at in columns(directions):
            states = gates[d], gates[d][:, 2 * hidden :], outputs[:, at:], inner[:, at:], weights[d], new_weights[d]
            for schedule in layout.schedules[d]:
                work.append((jobs.BACKWARD, *states, schedule, gradients[:, at:], previous[d], hidden))
        run(self.function, work)
        left = []
        of_gates, of_new = slice(0, 2 * hidden), slice(2 * hidden, 3 * hidden)
        for d, at in columns(directions):
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

    def forward(
        self, layout: Layout, directions: Sequence[Weights], gates: Sequence[Tensor]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        size, hidden = directions[0].hh.shape
        outputs, cells = (gates[0].new_empty(layout.n_rows, len(directions) * hidden) for _ in range(2))
        normed, scales = (outputs.new_empty(len(directions), layout.n_rows, width) for width in (size, 1))
        weights = packed([one.hh for one in directions], transposed=True)
        work: list[Job] = []
        for d, at in columns(directions):
            states = gates[d], outputs[:, at:], cells[:, at:], normed[d], scales[d], weights[d]
            gains = directions[d].others[0][None]
            work += [(jobs.FORWARD, *states, schedule, gains, hidden) for schedule in layout.schedules[d]]
        run(self.function, work)
        return outputs, (cells, normed, scales)

    def backward(
        self,
        layout: Layout,
        directions: Sequence[Weights],
        gates: Sequence[Tensor],
        outputs: Tensor,
        kept: tuple[Tensor, ...],
        gradients: Tensor,
    ) -> list[Left]:
        (cells, normed, scales), hidden = kept, directions[0].hh.shape[1]
        weights = packed([one.hh for one in directions])
        work: list[Job] = []
        left = []
        for d, at in columns(directions):
            gains = directions[d].others[0][None]
            previous = outputs.new_empty(packed_shape(layout.n_rows, hidden))
            of_gains = outputs.new_zeros(len(layout.schedules[d]), *gains.shape)
            states = gates[d], outputs[:, at:], cells[:, at:], normed[d], scales[d], weights[d]
            for schedule, of_part in zip(layout.schedules[d], of_gains, strict=True):
                given = gains, gradients[:, at:], previous, of_part
                work.append((jobs.BACKWARD, *states, schedule, *given, hidden))
            left.append((previous, of_gains))
        run(self.function, work)
        return [
            Left([(slice(None), one, last)], (parts.sum(0)[0],))
            for one, (last, parts) in zip(normed, left, strict=True)
        ]


def columns(directions: Sequence[Weights]) -> list[tuple[int, int]]:
    """Number and first output column of each direction."""
    return [(d, d * directions[0].hh.shape[1]) for d in range(len(directions))]


def _packed_apart(directions: Sequence[Weights], transposed: bool = False) -> tuple[list[Tensor], list[Tensor]]:
    """The recurrent weights of r and z, and those of n."""
    hidden = directions[0].hh.shape[1]
    whole = packed([part for one in directions for part in torch.split(one.hh, [2 * hidden, hidden])], transposed)
    return whole[::2], whole[1::2]
