"""The time loops of the recurrent cells, for both directions of a layer side by side.

A loop takes the input products of some steps and writes the outputs. In the shapes, D is the directions of the layer,
each in its own reading order, B the utterances that run, H the units, G the values that a frame is projected to, O
those of an output.

All gates are a `tanh`, as sigm(x) = (tanh(x / 2) + 1) / 2. The halves are in the weights: those of a sigmoid are
divided by 2; a gate is left doubled, tanh(x / 2) + 1, and so is what it yields where the next weights can be divided by
2 instead. In floating-point numbers all of that is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from asr.engines.engine import FloatArray

_HALF, _ONE, _ZERO = (np.array(value, dtype=np.float32) for value in (0.5, 1.0, 0.0))  # arrays are taken faster
_SMALL_PRODUCT = 10**6  # multiplications up to which OpenBLAS has kernels that need not copy the matrices first
_LEAST_COLUMNS = 32

Steps = FloatArray
"""(n, D, B, G or O): consecutive steps in which the same utterances run."""

Loop = Callable[[FloatArray, Steps, Steps], None]
"""Runs some steps of a batch: takes the outputs (D, B, O) of the last one and the input products, which it may
overwrite, and writes the outputs. It keeps the state of the cells in between. The utterances that go on come first."""

Operation = Callable[[], object]


class Recurrence(Protocol):
    """The recurrent weights of a layer, ready for its loop."""

    def begin(self, n_utterances: int) -> Loop:
        """Return the loop of a batch of B utterances, whose cells are in the state before the first frame."""


@dataclass(frozen=True, eq=False)
class LstmLoop:
    """The LSTM and its variants, with the gates in the order o, i, f, g; the output is doubled if it is not projected.

    Attributes:
        recurrent: (D, O, 4H).
        peepholes: (D, 3, H) of o, i, f; None: none.
        of_gates: (D, 3H, 3H), from the last o, i, f to those of the step; None: none.
        projection: (D, H, O) of the output; None: none.
        squash_in: whether g goes through tanh on its way into the cell.
        squash_out: whether the cell does on its way out.
    """

    recurrent: FloatArray
    peepholes: FloatArray | None = None
    of_gates: FloatArray | None = None
    projection: FloatArray | None = None
    squash_in: bool = True
    squash_out: bool = True

    def begin(self, n_utterances: int) -> Loop:
        """Return the loop of a batch."""
        n_directions, hidden = len(self.recurrent), self.recurrent.shape[2] // 4
        state = np.zeros((n_directions, n_utterances, 5, hidden), dtype=np.float32)  # o, i, f, g, c
        spare = np.empty((n_directions, n_utterances, 3, hidden), dtype=np.float32)
        return partial(self._run, state, spare)

    def _run(self, state: FloatArray, spare: FloatArray, last: FloatArray, inputs: Steps, outputs: Steps) -> None:
        n_running = outputs.shape[2]
        state, spare = state[:, :n_running], spare[:, :n_running]
        sums = _flat(state[:, :, :4])
        multiply = multiplication(self.recurrent, sums)
        keep_gates = self._keep_gates(state, spare)
        to_output = [*self._to_cell(state, spare), *self._from_cell(state, spare)]
        put_out = self._put_out(state, spare)
        for given, output in zip(inputs, outputs, strict=True):
            for operation in keep_gates:
                operation()
            multiply(last)
            np.add(sums, given, sums)
            for operation in to_output:
                operation()
            put_out(output)
            last = output

    def _keep_gates(self, state: FloatArray, spare: FloatArray) -> list[Operation]:
        """Put what the last gates add to the sums into `spare`, before the sums take their place."""
        if self.of_gates is None:
            return []
        return [partial(multiplication(self.of_gates, _flat(spare)), _flat(state[:, :, :3]))]

    def _to_cell(self, state: FloatArray, spare: FloatArray) -> list[Operation]:
        """Open the gates, but o where it has a peephole and has to wait, and renew the cell."""
        in_order: list[Operation] = []
        if self.of_gates is not None:
            in_order.append(partial(np.add, state[:, :, :3], spare, state[:, :, :3]))
        if self.peepholes is not None:
            in_order += _look(self.peepholes[:, None, 1:], state[:, :, 4:], spare[:, :, :2], state[:, :, 1:3])
        first = 0 if self.peepholes is None else 1
        cell, doubled = state[:, :, 4], spare[:, :, :2]  # i g and f c, both doubled
        return [
            *in_order,
            *_open(_flat(state[:, :, first:3]), _flat(state[:, :, first : 4 if self.squash_in else 3])),
            partial(np.multiply, _flat(state[:, :, 1:3]), _flat(state[:, :, 3:]), _flat(doubled)),
            partial(np.add, doubled[:, :, 0], doubled[:, :, 1], cell),
            partial(np.multiply, cell, _HALF, cell),
        ]

    def _from_cell(self, state: FloatArray, spare: FloatArray) -> list[Operation]:
        """Open o if it has waited, and squash the cell."""
        in_order: list[Operation] = []
        if self.peepholes is not None:
            o = state[:, :, :1]
            in_order += [*_look(self.peepholes[:, None, :1], state[:, :, 4:], spare[:, :, :1], o), *_open(o, o)]
        if self.squash_out:
            in_order.append(partial(np.tanh, state[:, :, 4], spare[:, :, 2]))
        return in_order

    def _put_out(self, state: FloatArray, spare: FloatArray) -> Callable[[FloatArray], object]:
        """Return the function that writes the output of a step."""
        squashed = spare[:, :, 2] if self.squash_out else state[:, :, 4]
        if self.projection is None:
            return partial(np.multiply, state[:, :, 0], squashed)
        projection, whole = self.projection, spare[:, :, 0]

        def put_out(output: FloatArray) -> None:
            np.multiply(state[:, :, 0], squashed, whole)
            np.matmul(whole, projection, output)

        return put_out


@dataclass(frozen=True, eq=False)
class GruLoop:
    """The gated recurrent unit that resets after the product, with the gates in the order r, z, n.

    Attributes:
        recurrent: (D, H, 3H).
        bias_hn: (D, 1, H).
    """

    recurrent: FloatArray
    bias_hn: FloatArray

    def begin(self, n_utterances: int) -> Loop:
        """Return the loop of a batch."""
        n_directions, hidden = self.recurrent.shape[:2]
        return partial(self._run, np.empty((n_directions, n_utterances, 3, hidden), dtype=np.float32))

    def _run(self, state: FloatArray, last: FloatArray, inputs: Steps, outputs: Steps) -> None:
        state = state[:, : outputs.shape[2]]
        sums, gates, (reset, keep, new) = _flat(state), _flat(state[:, :, :2]), (state[:, :, at] for at in range(3))
        multiply, both = multiplication(self.recurrent, sums), gates.shape[2]
        for given, output in zip(inputs, outputs, strict=True):
            multiply(last)
            np.add(gates, given[:, :, :both], gates)
            np.tanh(gates, gates)
            np.add(gates, _ONE, gates)
            np.add(new, self.bias_hn, new)
            np.multiply(new, reset, new)
            np.add(new, given[:, :, both:], new)
            np.tanh(new, new)
            _blend(last, keep, new, output)
            last = output


@dataclass(frozen=True, eq=False)
class GruBeforeLoop:
    """The gated recurrent unit that resets before the product, with the gates in the order r, z, n.

    Attributes:
        recurrent: (D, H, 2H) of r and z.
        of_new: (D, H, H) of n.
    """

    recurrent: FloatArray
    of_new: FloatArray

    def begin(self, n_utterances: int) -> Loop:
        """Return the loop of a batch."""
        n_directions, hidden = self.recurrent.shape[:2]
        return partial(self._run, np.empty((n_directions, n_utterances, 3, hidden), dtype=np.float32))

    def _run(self, state: FloatArray, last: FloatArray, inputs: Steps, outputs: Steps) -> None:
        state = state[:, : outputs.shape[2]]
        gates, (reset, keep, new) = _flat(state[:, :, :2]), (state[:, :, at] for at in range(3))
        multiply, multiply_new = multiplication(self.recurrent, gates), multiplication(self.of_new, new)
        both = gates.shape[2]
        for given, output in zip(inputs, outputs, strict=True):
            multiply(last)
            np.add(gates, given[:, :, :both], gates)
            np.tanh(gates, gates)
            np.add(gates, _ONE, gates)
            np.multiply(reset, last, reset)
            multiply_new(reset)
            np.add(new, given[:, :, both:], new)
            np.tanh(new, new)
            _blend(last, keep, new, output)
            last = output


@dataclass(frozen=True, eq=False)
class SimpleLoop:
    """The simple recurrent network.

    Attributes:
        recurrent: (D, H, H).
        rectifies: whether its activation is max(0, .); tanh otherwise.
    """

    recurrent: FloatArray
    rectifies: bool

    def begin(self, n_utterances: int) -> Loop:
        """Return the loop of a batch; it has no state beside the outputs."""
        return self._run

    def _run(self, last: FloatArray, inputs: Steps, outputs: Steps) -> None:
        sums = np.empty(outputs.shape[1:], dtype=np.float32)
        multiply = multiplication(self.recurrent, sums)
        for given, output in zip(inputs, outputs, strict=True):
            multiply(last)
            np.add(sums, given, sums)
            if self.rectifies:
                np.maximum(sums, _ZERO, output)
            else:
                np.tanh(sums, output)
            last = output


def multiplication(weights: FloatArray, into: FloatArray) -> Callable[[FloatArray], object]:
    """Return a function that multiplies (D, B, K) with weights (D, K, G) and writes the product (D, B, G).

    Several columns at once become a product of their own where the whole is too large for the fast kernels of OpenBLAS;
    it is up to twice as fast then.
    """
    _, n_utterances, width = into.shape
    n_pieces = _pieces(n_utterances * weights.shape[1] * width, width) if n_utterances > 1 else 1
    parts = [one.reshape(*one.shape[:2], n_pieces, -1).transpose(2, 0, 1, 3) for one in (weights, into)]
    if n_pieces == 1:
        parts = [one[0] for one in parts]
    return lambda left: np.matmul(left, *parts)


def _pieces(multiplications: int, width: int) -> int:
    n_pieces = 1
    while multiplications > n_pieces * _SMALL_PRODUCT and width % (2 * n_pieces) == 0:
        if width // (2 * n_pieces) < _LEAST_COLUMNS:
            break
        n_pieces *= 2
    return n_pieces


def _flat(values: FloatArray) -> FloatArray:
    """Turn a view of neighbours (D, B, n, H) into one (D, B, n * H)."""
    flat = values.view()
    flat.shape = (*values.shape[:2], -1)  # refuses to copy
    return flat


def _open(gates: FloatArray, squashed: FloatArray) -> Sequence[Operation]:
    """Open gates, doubled; what is squashed with them begins with them."""
    return partial(np.tanh, squashed, squashed), partial(np.add, gates, _ONE, gates)


def _look(peepholes: FloatArray, cell: FloatArray, spare: FloatArray, gates: FloatArray) -> Sequence[Operation]:
    """Add the cell (D, B, 1, H) to gates (D, B, n, H) through peepholes (D, 1, n, H)."""
    return partial(np.multiply, peepholes, cell, spare), partial(np.add, gates, spare, gates)


def _blend(last: FloatArray, keep: FloatArray, new: FloatArray, output: FloatArray) -> None:
    """Write the last output where `keep`, doubled, is open, and the new one where it is not."""
    np.subtract(last, new, output)
    np.multiply(output, keep, output)
    np.multiply(output, _HALF, output)
    np.add(output, new, output)
