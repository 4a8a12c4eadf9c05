"""The compiled functions that torch's threads run: each takes jobs of its sort from a table until none is left.

The table is int64: [jobs taken, number of jobs, integers a job, job 0, job 1, ...]. A job is its kind and its
arguments; a matrix is three integers: address, rows, row stride.

Not every processor has bfloat16: it stands behind `if pairs`, for numba leaves out a branch that a single enclosed name
decides.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import carray, cfunc, types

from asr.recurrent.compiled import attention, gru, instructions, kinds, layernorm, lstm, pointwise, products
from asr.recurrent.compiled.instructions import inlined, instruction
from asr.recurrent.compiled.kinds import PAIRS

PACK, PACK_TRANSPOSED, PRODUCT, PRODUCT_OF_TRANSPOSED = range(4)
FORWARD, BACKWARD = range(2)

# What numba compiles are the bodies of functions: the names it finds there must be those of this module.
_pack, _pack_transposed = products.pack, products.pack_transposed
_product, _product_of_transposed = products.product, products.product_of_transposed
_product_of_pairs = products.product_of_pairs
_lstm_forward, _lstm_backward, _new_pairs = lstm.forward, lstm.backward, lstm.new_pairs
_gru_forward, _gru_backward = gru.forward, gru.backward
_layernorm_forward, _layernorm_backward = layernorm.forward, layernorm.backward
_attention_forward, _attention_backward = attention.forward, attention.backward

SOURCES = (instructions, kinds, pointwise, products, lstm, gru, layernorm, attention)


@cache
def matrix_products(pairs: bool) -> Any:
    """PACK: source, packed, columns. PACK_TRANSPOSED: the same. PRODUCT: a, weights, start, out, inner, columns.
    PRODUCT_OF_TRANSPOSED: a, b, out, columns. With `pairs` PRODUCT alone, of pairs."""
    version = _version()

    def work(table: Any) -> None:
        version  # noqa: B018
        while True:
            job = _next(table)
            if job == 0:
                return
            kind, at = table[job], job + 1
            first, second = _matrix(table, at), _matrix(table, at + 3)
            if pairs or kind == PRODUCT:
                start, out, inner, columns = (
                    _matrix(table, at + 6),
                    _matrix(table, at + 9),
                    table[at + 12],
                    table[at + 13],
                )
                if pairs:
                    _product_of_pairs(first, second, inner, start, out, out.shape[0], columns)
                else:
                    _product(first, second, inner, start, out, out.shape[0], columns)
            elif kind == PACK:
                _pack(first, table[at + 6], second)
            elif kind == PACK_TRANSPOSED:
                _pack_transposed(first, table[at + 6], second)
            else:
                out = _matrix(table, at + 6)
                _product_of_transposed(first, second, out, out.shape[0], table[at + 9])

    return _function(work)


@cache
def lstm_loops(flags: int) -> Any:
    """FORWARD: gates, outputs, cells, weights, schedule, peepholes, of_gates, keep_cells, keep_outputs, hidden.
    BACKWARD: the same, and before hidden gradients, previous, previous_gates, of_peepholes; not of PAIRS. All as in
    `lstm`."""
    version = _version()
    pairs = bool(flags & PAIRS)

    def work(table: Any) -> None:
        version  # noqa: B018
        while True:
            job = _next(table)
            if job == 0:
                return
            at = job + 1
            gates, outputs, cells = _matrix(table, at), _matrix(table, at + 3), _matrix(table, at + 6)
            weights, schedule, peepholes = _matrix(table, at + 9), _integers(table, at + 12), _matrix(table, at + 15)
            of_gates, keep_cells, keep_outputs = (
                _matrix(table, at + 18),
                _matrix(table, at + 21),
                _matrix(table, at + 24),
            )
            if pairs or table[job] == FORWARD:
                hidden = table[at + 27]
                paired = _new_pairs(schedule, hidden) if pairs else None
                _lstm_forward(
                    gates,
                    outputs,
                    cells,
                    hidden,
                    weights,
                    schedule,
                    peepholes,
                    of_gates,
                    keep_cells,
                    keep_outputs,
                    flags,
                    paired,
                )
            else:
                gradients, previous = _matrix(table, at + 27), _matrix(table, at + 30)
                previous_gates, of_peepholes, hidden = _matrix(table, at + 33), _matrix(table, at + 36), table[at + 39]
                _lstm_backward(
                    gates,
                    outputs,
                    cells,
                    hidden,
                    weights,
                    schedule,
                    peepholes,
                    of_gates,
                    keep_cells,
                    keep_outputs,
                    flags,
                    gradients,
                    previous,
                    previous_gates,
                    of_peepholes,
                )

    return _function(work)


@cache
def gru_loops(flags: int) -> Any:
    """FORWARD: gates, candidates, outputs, inner, weights, new_weights, schedule, bias, hidden. BACKWARD: gradients and
    previous instead of bias. All as in `gru`."""
    version = _version()

    def work(table: Any) -> None:
        version  # noqa: B018
        while True:
            job = _next(table)
            if job == 0:
                return
            at = job + 1
            gates, candidates, outputs = _matrix(table, at), _matrix(table, at + 3), _matrix(table, at + 6)
            inner, weights, new_weights = _matrix(table, at + 9), _matrix(table, at + 12), _matrix(table, at + 15)
            schedule, last = _integers(table, at + 18), _matrix(table, at + 21)
            if table[job] == FORWARD:
                hidden = table[at + 24]
                _gru_forward(gates, candidates, outputs, inner, hidden, weights, new_weights, schedule, last, flags)
            else:
                previous, hidden = _matrix(table, at + 24), table[at + 27]
                _gru_backward(
                    gates, candidates, outputs, inner, hidden, weights, new_weights, schedule, flags, last, previous
                )

    return _function(work)


@cache
def layernorm_loops() -> Any:
    """FORWARD: gates, outputs, cells, normed, scales, weights, schedule, gains, hidden. BACKWARD: the same, and before
    hidden gradients, previous, of_gains. All as in `layernorm`."""
    version = _version()

    def work(table: Any) -> None:
        version  # noqa: B018
        while True:
            job = _next(table)
            if job == 0:
                return
            at = job + 1
            gates, outputs, cells = _matrix(table, at), _matrix(table, at + 3), _matrix(table, at + 6)
            normed, scales, weights = _matrix(table, at + 9), _matrix(table, at + 12), _matrix(table, at + 15)
            schedule, gains = _integers(table, at + 18), _matrix(table, at + 21)
            if table[job] == FORWARD:
                hidden = table[at + 24]
                _layernorm_forward(gates, outputs, cells, normed, scales, hidden, weights, schedule, gains)
            else:
                gradients, previous, of_gains = (
                    _matrix(table, at + 24),
                    _matrix(table, at + 27),
                    _matrix(table, at + 30),
                )
                hidden, of_loop = table[at + 33], (gradients, previous, of_gains)
                _layernorm_backward(gates, outputs, cells, normed, scales, hidden, weights, schedule, gains, *of_loop)

    return _function(work)


@cache
def attention_loops() -> Any:
    """FORWARD: gates, queries, outputs, cells, keys, summaries, weights, of_gates, of_queries, of_keys, schedule,
    scorer, hidden. BACKWARD: the same, and before hidden gradients, from_outputs, from_cells, from_keys, previous,
    of_scorer. All as in `attention`."""
    version = _version()

    def work(table: Any) -> None:
        version  # noqa: B018
        while True:
            job = _next(table)
            if job == 0:
                return
            at = job + 1
            gates, queries, outputs = _matrix(table, at), _matrix(table, at + 3), _matrix(table, at + 6)
            cells, keys, summaries = _matrix(table, at + 9), _matrix(table, at + 12), _matrix(table, at + 15)
            weights, of_gates, of_queries = _matrix(table, at + 18), _matrix(table, at + 21), _matrix(table, at + 24)
            of_keys, schedule, scorer = _matrix(table, at + 27), _integers(table, at + 30), _matrix(table, at + 33)
            states = gates, queries, outputs, cells, keys, summaries, weights
            given = of_gates, of_queries, of_keys, schedule, scorer
            if table[job] == FORWARD:
                _attention_forward(*states, table[at + 36], *given)
            else:
                gradients, from_outputs = _matrix(table, at + 36), _matrix(table, at + 39)
                from_cells, from_keys = _matrix(table, at + 42), _matrix(table, at + 45)
                previous, of_scorer, hidden = _matrix(table, at + 48), _matrix(table, at + 51), table[at + 54]
                left = gradients, from_outputs, from_cells, from_keys, previous, of_scorer
                _attention_backward(*states, hidden, *given, *left)

    return _function(work)


@cache
def _version() -> str:
    """numba looks for changes in this file alone, so the sources of the others are made part of what it compares: a
    variable that each function encloses."""
    return hashlib.sha256(b"".join(Path(str(module.__file__)).read_bytes() for module in SOURCES)).hexdigest()


def _function(work: Callable[[Any], None]) -> Any:
    """void(int64 *table) with its `address`; compiled once a machine, then read from a cache."""
    logging.getLogger(__name__).info("loading kernels; at their first use they are compiled, some seconds each")
    signature = types.void(types.CPointer(types.int64))
    try:
        return cfunc(signature, cache=True)(work)
    except (RuntimeError, OSError):  # no folder to cache in, or no space
        return cfunc(signature)(work)


@inlined
def _next(table: Any) -> Any:
    """Take a job: where it stands in the table; 0 when none is left."""
    number = _take(table)
    return 0 if number >= table[1] else 3 + number * table[2]


@inlined
def _matrix(table: Any, at: Any) -> Any:
    """The float32 matrix whose address, rows and row stride stand at `at`."""
    return carray(_floats(table[at]), (table[at + 1], table[at + 2]))


@inlined
def _integers(table: Any, at: Any) -> Any:
    """As `_matrix`, int64."""
    return carray(_longs(table[at]), (table[at + 1], table[at + 2]))


@instruction
def _take(_typing: Any, table: Any) -> Any:
    """table[0] += 1, in one step that no other thread can come between; the value before."""

    def write(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", arguments[0], ir.IntType(64)(1), "seq_cst")

    return types.int64(types.CPointer(types.int64)), write


def _pointer(element: Any, llvm_element: Any) -> Any:
    """An instruction that turns an address into a pointer."""

    def cast(_typing: Any, address: Any) -> Any:
        def write(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], llvm_element.as_pointer())

        return types.CPointer(element)(types.int64), write

    return instruction(cast)


_floats = _pointer(types.float32, ir.FloatType())
_longs = _pointer(types.int64, ir.IntType(64))
