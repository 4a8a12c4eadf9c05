"""The one compiled function that torch's threads run: it takes jobs from a table until none is left.

The table is int64: [jobs taken, number of jobs, integers a job, job 0, job 1, ...]. A job is its kind and its
arguments; a matrix is three integers: address, rows, row stride.
"""

from __future__ import annotations

import hashlib
import logging
from functools import cache
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import carray, cfunc, types

from asr.recurrent.compiled import instructions, lstm, products
from asr.recurrent.compiled.instructions import inlined, instruction

PACK, PACK_TRANSPOSED, PRODUCT, PRODUCT_OF_TRANSPOSED, LSTM_FORWARD, LSTM_BACKWARD = range(6)

# What numba compiles are the bodies of functions: the names it finds there must be those of this module.
_forward, _backward = lstm.forward, lstm.backward
_pack, _pack_transposed = products.pack, products.pack_transposed
_product, _product_of_transposed = products.product, products.product_of_transposed


@cache
def function() -> Any:
    """The compiled function, void(int64 *table), with its `address`; compiled once a machine, then read from a cache.

    numba looks for changes in this file alone, so the sources of the others are made part of what it compares: a
    variable that the function encloses.
    """
    sources = [Path(str(module.__file__)).read_bytes() for module in (instructions, products, lstm)]
    version = hashlib.sha256(b"".join(sources)).hexdigest()

    def work(table: Any) -> None:
        version  # noqa: B018
        while True:
            number = _take(table)
            if number >= table[1]:
                return
            job = 3 + number * table[2]
            kind, at = table[job], job + 1
            first, second = _matrix(table, at), _matrix(table, at + 3)
            if kind == PACK:  # source, packed, columns
                _pack(first, table[at + 6], second)
            elif kind == PACK_TRANSPOSED:
                _pack_transposed(first, table[at + 6], second)
            elif kind == PRODUCT:  # a, weights, start, out, inner, columns
                start, out = _matrix(table, at + 6), _matrix(table, at + 9)
                _product(first, second, table[at + 12], start, out, out.shape[0], table[at + 13])
            elif kind == PRODUCT_OF_TRANSPOSED:  # a, b, out, columns
                out = _matrix(table, at + 6)
                _product_of_transposed(first, second, out, out.shape[0], table[at + 9])
            else:  # gates, outputs, cells, weights, schedule, hidden; backwards gradients and previous before hidden
                cells, weights, schedule = _matrix(table, at + 6), _matrix(table, at + 9), _integers(table, at + 12)
                if kind == LSTM_FORWARD:
                    _forward(first, second, cells, table[at + 15], weights, schedule)
                else:
                    gradients, previous = _matrix(table, at + 15), _matrix(table, at + 18)
                    _backward(first, second, cells, table[at + 21], weights, schedule, gradients, previous)

    logging.getLogger(__name__).info("loading the LSTM kernels; at their first use they are compiled, about 10 seconds")
    signature = types.void(types.CPointer(types.int64))
    try:
        return cfunc(signature, cache=True)(work)
    except (RuntimeError, OSError):  # no folder to cache in, or no space
        return cfunc(signature)(work)


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
