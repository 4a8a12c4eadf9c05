"""The compiled functions that threads run: each takes jobs of its kind from a table until none is left.

The table is int64: [jobs taken, number of jobs, integers per job, job 0, job 1, ...]. `fields` declares the layout of a
job.

Not every processor supports bfloat16, so its code is guarded by `if pairs`: numba does not compile a branch that is
excluded by a constant of the enclosing function.
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

from asr.recurrent.compiled import attention, fields, gru, instructions, kinds, layernorm, lstm, pointwise, products
from asr.recurrent.compiled.fields import (
    AttentionBackward,
    GruBackward,
    GruForward,
    LayerNormBackward,
    LstmBackward,
    LstmForward,
    Pack,
    PackTransposed,
    Product,
    ProductOfTransposed,
    places,
)
from asr.recurrent.compiled.instructions import inlined, instruction
from asr.recurrent.compiled.kinds import PAIRS

# numba compiles function bodies and looks up their names in this module.
_pack, _pack_transposed = products.pack, products.pack_transposed
_product, _product_of_transposed = products.product, products.product_of_transposed
_product_of_pairs = products.product_of_pairs
_lstm_forward, _lstm_backward, _new_pairs = lstm.forward, lstm.backward, lstm.new_pairs
_gru_forward, _gru_backward = gru.forward, gru.backward
_layernorm_forward, _layernorm_backward = layernorm.forward, layernorm.backward
_attention_forward, _attention_backward = attention.forward, attention.backward

# Positions of the fields; a backward job has the fields of the forward job, followed by more fields.
_PACK, _PRODUCT, _OF_TRANSPOSED = places(Pack), places(Product), places(ProductOfTransposed)
_LSTM, _LAYERNORM, _ATTENTION = places(LstmBackward), places(LayerNormBackward), places(AttentionBackward)
_GRU_FORWARD, _GRU_BACKWARD = places(GruForward), places(GruBackward)
_IS_PACK, _IS_PACK_TRANSPOSED, _IS_PRODUCT = Pack.kind, PackTransposed.kind, Product.kind
_FORWARD = LstmForward.kind  # the same for all forward jobs

SOURCES = (fields, instructions, kinds, pointwise, products, lstm, gru, layernorm, attention)


@cache
def matrix_products(pairs: bool) -> Any:
    """Return the function for the four jobs of matrix products; with `pairs`, for `Product` of pairs only."""
    version = _version()

    def work(table: Any) -> None:
        version  # noqa: B018
        while True:
            job = _next(table)
            if job == 0:
                return
            if pairs or table[job] == _IS_PRODUCT:
                a, weights = _matrix(table, job + _PRODUCT.a), _matrix(table, job + _PRODUCT.weights)
                start, out = _matrix(table, job + _PRODUCT.start), _matrix(table, job + _PRODUCT.out)
                inner, columns = table[job + _PRODUCT.inner], table[job + _PRODUCT.columns]
                if pairs:
                    _product_of_pairs(a, weights, inner, start, out, out.shape[0], columns)
                else:
                    _product(a, weights, inner, start, out, out.shape[0], columns)
            elif table[job] == _IS_PACK or table[job] == _IS_PACK_TRANSPOSED:
                source, packed = _matrix(table, job + _PACK.source), _matrix(table, job + _PACK.packed)
                if table[job] == _IS_PACK:
                    _pack(source, table[job + _PACK.columns], packed)
                else:
                    _pack_transposed(source, table[job + _PACK.columns], packed)
            else:
                a, b = _matrix(table, job + _OF_TRANSPOSED.a), _matrix(table, job + _OF_TRANSPOSED.b)
                out = _matrix(table, job + _OF_TRANSPOSED.out)
                _product_of_transposed(a, b, out, out.shape[0], table[job + _OF_TRANSPOSED.columns])

    return _function(work)


@cache
def lstm_loops(flags: int) -> Any:
    """Return the function for `LstmForward` and `LstmBackward`; with PAIRS, for `LstmForward` only."""
    version = _version()
    pairs = bool(flags & PAIRS)

    def work(table: Any) -> None:
        version  # noqa: B018
        while True:
            job = _next(table)
            if job == 0:
                return
            hidden = table[job + _LSTM.hidden]
            gates = _matrix(table, job + _LSTM.gates)
            outputs = _matrix(table, job + _LSTM.outputs)
            cells = _matrix(table, job + _LSTM.cells)
            weights = _matrix(table, job + _LSTM.weights)
            schedule = _integers(table, job + _LSTM.schedule)
            peepholes = _matrix(table, job + _LSTM.peepholes)
            of_gates = _matrix(table, job + _LSTM.of_gates)
            keep_cells = _matrix(table, job + _LSTM.keep_cells)
            keep_outputs = _matrix(table, job + _LSTM.keep_outputs)
            if pairs or table[job] == _FORWARD:
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
                gradients = _matrix(table, job + _LSTM.gradients)
                previous = _matrix(table, job + _LSTM.previous)
                previous_gates = _matrix(table, job + _LSTM.previous_gates)
                of_peepholes = _matrix(table, job + _LSTM.of_peepholes)
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
    """Return the function for `GruForward` and `GruBackward`."""
    version = _version()

    def work(table: Any) -> None:
        version  # noqa: B018
        while True:
            job = _next(table)
            if job == 0:
                return
            hidden = table[job + _GRU_FORWARD.hidden]
            gates = _matrix(table, job + _GRU_FORWARD.gates)
            candidates = _matrix(table, job + _GRU_FORWARD.candidates)
            outputs = _matrix(table, job + _GRU_FORWARD.outputs)
            inner = _matrix(table, job + _GRU_FORWARD.inner)
            weights = _matrix(table, job + _GRU_FORWARD.weights)
            new_weights = _matrix(table, job + _GRU_FORWARD.new_weights)
            schedule = _integers(table, job + _GRU_FORWARD.schedule)
            if table[job] == _FORWARD:
                bias = _matrix(table, job + _GRU_FORWARD.bias)
                _gru_forward(gates, candidates, outputs, inner, hidden, weights, new_weights, schedule, bias, flags)
            else:
                gradients = _matrix(table, job + _GRU_BACKWARD.gradients)
                previous = _matrix(table, job + _GRU_BACKWARD.previous)
                _gru_backward(
                    gates,
                    candidates,
                    outputs,
                    inner,
                    hidden,
                    weights,
                    new_weights,
                    schedule,
                    flags,
                    gradients,
                    previous,
                )

    return _function(work)


@cache
def layernorm_loops() -> Any:
    """Return the function for `LayerNormForward` and `LayerNormBackward`."""
    version = _version()

    def work(table: Any) -> None:
        version  # noqa: B018
        while True:
            job = _next(table)
            if job == 0:
                return
            hidden = table[job + _LAYERNORM.hidden]
            gates = _matrix(table, job + _LAYERNORM.gates)
            outputs = _matrix(table, job + _LAYERNORM.outputs)
            cells = _matrix(table, job + _LAYERNORM.cells)
            normed = _matrix(table, job + _LAYERNORM.normed)
            scales = _matrix(table, job + _LAYERNORM.scales)
            weights = _matrix(table, job + _LAYERNORM.weights)
            schedule = _integers(table, job + _LAYERNORM.schedule)
            gains = _matrix(table, job + _LAYERNORM.gains)
            if table[job] == _FORWARD:
                _layernorm_forward(gates, outputs, cells, normed, scales, hidden, weights, schedule, gains)
            else:
                gradients = _matrix(table, job + _LAYERNORM.gradients)
                previous = _matrix(table, job + _LAYERNORM.previous)
                of_gains = _matrix(table, job + _LAYERNORM.of_gains)
                _layernorm_backward(
                    gates,
                    outputs,
                    cells,
                    normed,
                    scales,
                    hidden,
                    weights,
                    schedule,
                    gains,
                    gradients,
                    previous,
                    of_gains,
                )

    return _function(work)


@cache
def attention_loops() -> Any:
    """Return the function for `AttentionForward` and `AttentionBackward`."""
    version = _version()

    def work(table: Any) -> None:
        version  # noqa: B018
        while True:
            job = _next(table)
            if job == 0:
                return
            hidden = table[job + _ATTENTION.hidden]
            gates = _matrix(table, job + _ATTENTION.gates)
            queries = _matrix(table, job + _ATTENTION.queries)
            outputs = _matrix(table, job + _ATTENTION.outputs)
            cells = _matrix(table, job + _ATTENTION.cells)
            keys = _matrix(table, job + _ATTENTION.keys)
            summaries = _matrix(table, job + _ATTENTION.summaries)
            weights = _matrix(table, job + _ATTENTION.weights)
            of_gates = _matrix(table, job + _ATTENTION.of_gates)
            of_queries = _matrix(table, job + _ATTENTION.of_queries)
            of_keys = _matrix(table, job + _ATTENTION.of_keys)
            schedule = _integers(table, job + _ATTENTION.schedule)
            scorer = _matrix(table, job + _ATTENTION.scorer)
            if table[job] == _FORWARD:
                _attention_forward(
                    gates,
                    queries,
                    outputs,
                    cells,
                    keys,
                    summaries,
                    weights,
                    hidden,
                    of_gates,
                    of_queries,
                    of_keys,
                    schedule,
                    scorer,
                )
            else:
                gradients = _matrix(table, job + _ATTENTION.gradients)
                from_outputs = _matrix(table, job + _ATTENTION.from_outputs)
                from_cells = _matrix(table, job + _ATTENTION.from_cells)
                from_keys = _matrix(table, job + _ATTENTION.from_keys)
                previous = _matrix(table, job + _ATTENTION.previous)
                of_scorer = _matrix(table, job + _ATTENTION.of_scorer)
                _attention_backward(
                    gates,
                    queries,
                    outputs,
                    cells,
                    keys,
                    summaries,
                    weights,
                    hidden,
                    of_gates,
                    of_queries,
                    of_keys,
                    schedule,
                    scorer,
                    gradients,
                    from_outputs,
                    from_cells,
                    from_keys,
                    previous,
                    of_scorer,
                )

    return _function(work)


@cache
def _version() -> str:
    """Return a hash of the kernels' source files.

    numba's cache notices changes in this file only. The hash is an enclosed variable of each function, so that a change
    in another file also invalidates the cache.
    """
    return hashlib.sha256(b"".join(Path(str(module.__file__)).read_bytes() for module in SOURCES)).hexdigest()


def _function(work: Callable[[Any], None]) -> Any:
    """Compile a function void(int64 *table), or read it from the cache; the result has an `address`."""
    logging.getLogger(__name__).info(
        "loading kernels; they are compiled at the first use on a machine, which takes some seconds for each kernel"
    )
    signature = types.void(types.CPointer(types.int64))
    try:
        return cfunc(signature, cache=True)(work)
    except (RuntimeError, OSError):  # no folder to cache in, or no space
        return cfunc(signature)(work)


@inlined
def _next(table: Any) -> Any:
    """Take a job and return its position in the table; 0 if none is left."""
    number = _take(table)
    return 0 if number >= table[1] else 3 + number * table[2]


@inlined
def _matrix(table: Any, at: Any) -> Any:
    """Return the float32 matrix whose address, rows and row stride are at `at`."""
    return carray(_floats(table[at]), (table[at + 1], table[at + 2]))


@inlined
def _integers(table: Any, at: Any) -> Any:
    """Return the int64 matrix whose address, rows and row stride are at `at`."""
    return carray(_longs(table[at]), (table[at + 1], table[at + 2]))


@instruction
def _take(_typing: Any, table: Any) -> Any:
    """Compute table[0] += 1 atomically and return the value before."""

    def write(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", arguments[0], ir.IntType(64)(1), "seq_cst")

    return types.int64(types.CPointer(types.int64)), write


def _pointer(element: Any, llvm_element: Any) -> Any:
    """Return an instruction that turns an address into a pointer."""

    def cast(_typing: Any, address: Any) -> Any:
        def write(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], llvm_element.as_pointer())

        return types.CPointer(element)(types.int64), write

    return instruction(cast)


_floats = _pointer(types.float32, ir.FloatType())
_longs = _pointer(types.int64, ir.IntType(64))
