"""The time loops of the recurrent cells in numpy, for both directions of a layer together.

A loop takes the input products of some steps and writes the outputs. In the shapes, D is the number of directions, each
in its own reading order; B the number of utterances that still run; H the number of units; G the size of a projected
frame; and O the size of an output.

All gates are computed with `tanh`, because sigm(x) = (tanh(x / 2) + 1) / 2. The weights of a sigmoid are divided by 2
in advance. The gate itself stays doubled, tanh(x / 2) + 1, and so does its product if the next weights can be divided
by 2 instead. Factors of 2 are exact in floating-point numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from asr.engines.engine import FloatArray

_HALF, _ONE, _ZERO = (np.array(value, dtype=np.float32) for value in (0.5, 1.0, 0.0))  # faster than Python numbers
_SMALL_PRODUCT = 10**6  # largest number of multiplications for which OpenBLAS does not copy the matrices first
_LEAST_COLUMNS = 32

Steps = FloatArray
"""(n, D, B, G or O): consecutive steps with the same utterances."""

Loop = Callable[[FloatArray, Steps, Steps], None]
"""A function that runs some steps of a batch. Its arguments are the outputs (D, B, O) of the last step, the input
products, which it may overwrite, and the array for the outputs. It keeps the state of the cells between calls. The
utterances that still run come first."""

Operation = Callable[[], object]


class Recurrence(Protocol):
    """Interface of the recurrent weights of a layer, from which loops are made."""

    @property
    def memory(self) -> int:
        """K, the number of state values of a unit besides its output."""

    def begin(self, n_utterances: int) -> Loop:
        """Return the loop for a batch of B utterances, starting from the initial state."""

    def go_on(self, kept: FloatArray) -> Loop:
        """Return the loop for a batch that continues from a state (K, D, B, H), which the loop updates in place."""


@dataclass(frozen=True, eq=False)
class LstmLoop:
    """The LSTM and its variants, with the gates in the order o, i, f, g; the output is doubled if it is not projected.

    Attributes:
        recurrent: (D, O, 4H), the recurrent weights.
        peepholes: (3, D, 1, H), those of o, i and f; None if there are none.
        of_gates: (3, D, 3H, H), the weights from the concatenated o, i, f of the step before to each of o, i, f; None
            if there are none.
        projection: (D, H, O), the weights of the output projection; None if there is none.
        squash_in: whether g goes through tanh before it enters the cell.
        squash_out: whether the cell goes through tanh for the output.
    """

    recurrent: FloatArray
    peepholes: FloatArray | None = None
    of_gates: FloatArray | None = None
    projection: FloatArray | None = None
    squash_in: bool = True
    squash_out: bool = True

    def begin(self, n_utterances: int) -> Loop:
        """Return the loop for a batch, starting from the initial state."""
        n_directions, hidden = len(self.recurrent), self.recurrent.shape[2] // 4
        return partial(self._run, np.zeros((5, n_directions, n_utterances, hidden), dtype=np.float32))  # o, i, f, g, c

    @property
    def memory(self) -> int:
        """K: 1 for the cell, or 5 with the gates if the next step uses them."""
        return 5 if self.of_gates is not None else 1

    def go_on(self, kept: FloatArray) -> Loop:
        """Return the loop for a batch that continues from a state (K, D, B, H)."""
        state = np.zeros((5, *kept.shape[1:]), dtype=np.float32)
        state[-self.memory :] = kept

        def loop(last: FloatArray, inputs: Steps, outputs: Steps) -> None:
            self._run(state, last, inputs, outputs)
            kept[:] = state[-self.memory :]

        return loop

    def _run(self, kept: FloatArray, last: FloatArray, inputs: Steps, outputs: Steps) -> None:
        n_running = outputs.shape[2]
        state = kept[:, :, :n_running].copy()  # contiguous: elementwise operations take half the time
        spare = np.empty_like(state[:3])
        products = np.empty(inputs.shape[1:], dtype=np.float32)
        multiply, sums = multiplication(self.recurrent, products), state[:4]
        by_gate = _by_gate(products, 4)
        keep_gates, to_output = (
            self._keep_gates(state, spare),
            [*self._update_cell(state, spare), *self._open_output_gate(state, spare)],
        )
        write_output = self._write_output(state, spare)
        for given, output in zip(_by_gate(inputs, 4), outputs, strict=True):
            for operation in keep_gates:
                operation()
            multiply(last)
            np.add(by_gate, given, sums)
            for operation in to_output:
                operation()
            write_output(output)
            last = output
        kept[:, :, :n_running] = state

    def _keep_gates(self, state: FloatArray, spare: FloatArray) -> list[Operation]:
        """Return the operation that computes the contribution of the last gates, before the sums overwrite them."""
        of_gates = self.of_gates
        if of_gates is None:
            return []
        return [lambda: np.matmul(np.concatenate(state[:3], axis=-1), of_gates, spare)]

    def _update_cell(self, state: FloatArray, spare: FloatArray) -> list[Operation]:
        """Return the operations that compute the gates and the new cell; o follows later if it has a peephole."""
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

    def _open_output_gate(self, state: FloatArray, spare: FloatArray) -> list[Operation]:
        """Return the operations that compute o if it has a peephole, and the tanh of the cell."""
        in_order: list[Operation] = []
        if self.peepholes is not None:
            in_order += [*_look(self.peepholes[0], state[4], spare[0], state[0]), *_open(state[0], state[0])]
        if self.squash_out:
            in_order.append(partial(np.tanh, _flat(state[4]), _flat(spare[2])))
        return in_order

    def _write_output(self, state: FloatArray, spare: FloatArray) -> Callable[[FloatArray], object]:
        """Return the function that writes the output of a step."""
        multiply = partial(np.multiply, state[0], spare[2] if self.squash_out else state[4])
        if self.projection is None:
            return multiply
        projection = self.projection
        return lambda output: np.matmul(multiply(spare[0]), projection, output)


@dataclass(frozen=True, eq=False)
class GruLoop:
    """The gated recurrent unit with the reset after the product, with the gates in the order r, z, n.

    Attributes:
        recurrent: (D, H, 3H), the recurrent weights.
        bias_hn: (D, 1, H), the bias of the recurrent product of n.
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
    """The gated recurrent unit with the reset before the product, with the gates in the order r, z, n.

    Attributes:
        recurrent: (D, H, 2H), the recurrent weights of r and z.
        of_new: (D, H, H), the recurrent weights of n.
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
        recurrent: (D, H, H), the recurrent weights.
        rectifies: whether the activation is max(0, .); tanh otherwise.
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

    If the product is too large for the fast kernels of OpenBLAS, it is split by columns into several products, which
    is up to twice as fast.

    Args:
        weights: (D, K, G) float32.
        into: (D, B, G) float32, the array for the product.
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
    """Return a one-dimensional view of a contiguous array."""
    flat = values.view()
    flat.shape = (-1,)  # raises an error instead of copying
    return flat


def _open(gates: FloatArray, squashed: FloatArray) -> Sequence[Operation]:
    """Return the operations for doubled sigmoids of `gates`, and for tanh of the rest of `squashed`, a larger array."""
    gates, squashed = _flat(gates), _flat(squashed)
    return partial(np.tanh, squashed, squashed), partial(np.add, gates, _ONE, gates)


def _look(peepholes: FloatArray, cell: FloatArray, spare: FloatArray, gates: FloatArray) -> Sequence[Operation]:
    """Return the operations that add the cell (D, B, H) to gates (..., D, B, H) through peepholes (..., D, 1, H)."""
    return partial(np.multiply, peepholes, cell, spare), partial(np.add, _flat(gates), _flat(spare), _flat(gates))


def _blend(last: FloatArray, keep: FloatArray, new: FloatArray, output: FloatArray) -> None:
    """Write keep / 2 * last + (1 - keep / 2) * new; the gate `keep` is doubled."""
    np.subtract(last, new, output)
    np.multiply(output, keep, output)
    np.multiply(output, _HALF, output)
    np.add(output, new, output)
