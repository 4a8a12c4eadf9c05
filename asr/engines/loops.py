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

    @property
    def memory(self) -> int:
        """K, the number of values that a unit keeps beside its output."""

    def begin(self, n_utterances: int) -> Loop:
        """Return the loop of a batch of B utterances, whose cells are in the state before the first frame."""

    def go_on(self, kept: FloatArray) -> Loop:
        """Return the loop of a batch that goes on from what its units have kept, (K, D, B, H), and writes there."""


@dataclass(frozen=True, eq=False)
class LstmLoop:
    """The LSTM and its variants, with the gates in the order o, i, f, g; the output is doubled if it is not projected.

    Attributes:
        recurrent: (D, O, 4H).
        peepholes: (3, D, 1, H) of o, i, f; None: none.
        of_gates: (3, D, 3H, H), from the last o, i, f side by side to each of those of the step; None: none.
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
        return partial(self._run, np.zeros((5, n_directions, n_utterances, hidden), dtype=np.float32))  # o, i, f, g, c

    @property
    def memory(self) -> int:
        """K: the cell, behind the gates where they reach the next step."""
        return 5 if self.of_gates is not None else 1

    def go_on(self, kept: FloatArray) -> Loop:
        """Return the loop of a batch that goes on from (K, D, B, H)."""
        state = np.zeros((5, *kept.shape[1:]), dtype=np.float32)
        state[-self.memory :] = kept

        def loop(last: FloatArray, inputs: Steps, outputs: Steps) -> None:
            self._run(state, last, inputs, outputs)
            kept[:] = state[-self.memory :]

        return loop

    def _run(self, kept: FloatArray, last: FloatArray, inputs: Steps, outputs: Steps) -> None:
        n_running = outputs.shape[2]
        state = kept[:, :, :n_running].copy()  # in one piece of memory: elementwise operations take half the time
        spare = np.empty_like(state[:3])
        products = np.empty(inputs.shape[1:], dtype=np.float32)
        multiply, sums = multiplication(self.recurrent, products), state[:4]
        by_gate = _by_gate(products, 4)
        keep_gates, to_output = (
            self._keep_gates(state, spare),
            [*self._to_cell(state, spare), *self._look_out(state, spare)],
        )
        put_out = self._put_out(state, spare)
        for given, output in zip(_by_gate(inputs, 4), outputs, strict=True):
            for operation in keep_gates:
                operation()
            multiply(last)
            np.add(by_gate, given, sums)
            for operation in to_output:
                operation()
            put_out(output)
            last = output
        kept[:, :, :n_running] = state

    def _keep_gates(self, state: FloatArray, spare: FloatArray) -> list[Operation]:
        """Put what the last gates add to the sums into `spare`, before the sums take their place."""
        of_gates = self.of_gates
        if of_gates is None:
            return []
        return [lambda: np.matmul(np.concatenate(state[:3], axis=-1), of_gates, spare)]

    def _to_cell(self, state: FloatArray, spare: FloatArray) -> list[Operation]:
        """Open the gates, but o where it has a peephole and has to wait, and renew the cell."""
        in_order: list[Operation] = []
        if self.of_gates is not None:
            in_order.append(partial(np.add, state[:3], spare, state[:3]))
        if self.peepholes is not None:
            in_order += _look(self.peepholes[1:], state[4], spare[:2], state[1:3])
        first, end, cell = 0 if self.peepholes is None else 1, 4 if self.squash_in else 3, _flat(state[4])
        return [
            *in_order,
            *_open(state[first:3], state[first:end]),
            partial(np.multiply, _flat(state[1:3]), _flat(state[3:]), _flat(spare[:2])),  # i g and f c, both doubled
            partial(np.add, _flat(spare[0]), _flat(spare[1]), cell),
            partial(np.multiply, cell, _HALF, cell),
        ]

    def _look_out(self, state: FloatArray, spare: FloatArray) -> list[Operation]:
        """Open o if it has waited for the cell, and squash the cell."""
        in_order: list[Operation] = []
        if self.peepholes is not None:
            in_order += [*_look(self.peepholes[0], state[4], spare[0], state[0]), *_open(state[0], state[0])]
        if self.squash_out:
            in_order.append(partial(np.tanh, _flat(state[4]), _flat(spare[2])))
        return in_order

    def _put_out(self, state: FloatArray, spare: FloatArray) -> Callable[[FloatArray], object]:
        """Return the function that writes the output of a step."""
        multiply = partial(np.multiply, state[0], spare[2] if self.squash_out else state[4])
        if self.projection is None:
            return multiply
        projection = self.projection
        return lambda output: np.matmul(multiply(spare[0]), projection, output)


@dataclass(frozen=True, eq=False)
class GruLoop:
    """The gated recurrent unit that resets after the product, with the gates in the order r, z, n.

    Attributes:
        recurrent: (D, H, 3H).
        bias_hn: (D, 1, H).
    """

    recurrent: FloatArray
    bias_hn: FloatArray

    memory = 0

    def begin(self, n_utterances: int) -> Loop:
        """Return the loop of a batch; it has no state beside the outputs."""
        return self._run

    def go_on(self, kept: FloatArray) -> Loop:
        """Return this loop: its state is its outputs only."""
        return self._run

    def _run(self, last: FloatArray, inputs: Steps, outputs: Steps) -> None:
        products = np.empty(inputs.shape[1:], dtype=np.float32)
        multiply, by_gate = multiplication(self.recurrent, products), _by_gate(products, 3)
        gates, new = np.empty((2, *outputs.shape[1:]), dtype=np.float32), np.empty_like(outputs[0])
        for given, output in zip(_by_gate(inputs, 3), outputs, strict=True):
            multiply(last)
            np.add(by_gate[:2], given[:2], gates)
            np.tanh(gates, gates)
            np.add(gates, _ONE, gates)
            np.add(by_gate[2], self.bias_hn, new)
            np.multiply(new, gates[0], new)
            np.add(new, given[2], new)
            np.tanh(new, new)
            _blend(last, gates[1], new, output)
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

    memory = 0

    def begin(self, n_utterances: int) -> Loop:
        """Return the loop of a batch; it has no state beside the outputs."""
        return self._run

    def go_on(self, kept: FloatArray) -> Loop:
        """Return this loop: its state is its outputs only."""
        return self._run

    def _run(self, last: FloatArray, inputs: Steps, outputs: Steps) -> None:
        products = np.empty((*outputs.shape[1:3], self.recurrent.shape[2]), dtype=np.float32)
        gates, new = np.empty((2, *outputs.shape[1:]), dtype=np.float32), np.empty_like(outputs[0])
        multiply, of_gates = multiplication(self.recurrent, products), _by_gate(products, 2)
        multiply_new = multiplication(self.of_new, new)
        for given, output in zip(_by_gate(inputs, 3), outputs, strict=True):
            multiply(last)
            np.add(of_gates, given[:2], gates)
            np.tanh(gates, gates)
            np.add(gates, _ONE, gates)
            np.multiply(gates[0], last, gates[0])
            multiply_new(gates[0])
            np.add(new, given[2], new)
            np.tanh(new, new)
            _blend(last, gates[1], new, output)
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

    memory = 0

    def begin(self, n_utterances: int) -> Loop:
        """Return the loop of a batch; it has no state beside the outputs."""
        return self._run

    def go_on(self, kept: FloatArray) -> Loop:
        """Return this loop: its state is its outputs only."""
        return self._run

    def _run(self, last: FloatArray, inputs: Steps, outputs: Steps) -> None:
        sums = np.empty_like(outputs[0])
        multiply = multiplication(self.recurrent, sums)
        for given, output in zip(inputs, outputs, strict=True):
            multiply(last)
            np.add(sums, given, sums)
            if self.rectifies:
                np.maximum(sums, _ZERO, out=output)
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


def _by_gate(values: FloatArray, n_gates: int) -> FloatArray:
    """Turn (..., D, B, n * H) into a view (..., n, D, B, H)."""
    split = values.reshape(*values.shape[:-1], n_gates, -1)
    return np.moveaxis(split, -2, -4)


def _flat(values: FloatArray) -> FloatArray:
    """Turn an array in one piece of memory into a view (n,)."""
    flat = values.view()
    flat.shape = (-1,)  # refuses to copy
    return flat


def _open(gates: FloatArray, squashed: FloatArray) -> Sequence[Operation]:
    """Open gates, doubled; what is squashed with them begins with them."""
    gates, squashed = _flat(gates), _flat(squashed)
    return partial(np.tanh, squashed, squashed), partial(np.add, gates, _ONE, gates)


def _look(peepholes: FloatArray, cell: FloatArray, spare: FloatArray, gates: FloatArray) -> Sequence[Operation]:
    """Add the cell (D, B, H) to gates (..., D, B, H) through peepholes (..., D, 1, H)."""
    return partial(np.multiply, peepholes, cell, spare), partial(np.add, _flat(gates), _flat(spare), _flat(gates))


def _blend(last: FloatArray, keep: FloatArray, new: FloatArray, output: FloatArray) -> None:
    """Write the last output where `keep`, doubled, is open, and the new one where it is not."""
    np.subtract(last, new, output)
    np.multiply(output, keep, output)
    np.multiply(output, _HALF, output)
    np.add(output, new, output)
