"""Matrix products, tile by tile, with little overhead and close to the peak speed of a core.

A row of a result does not depend, bit for bit, on the other rows, their number, or the number of threads.

Matrices are float32 arrays with their row stride as the second dimension: a part of a wider matrix has its own address
and rows, and the stride of the whole. A *packed* matrix (K, M) is cut into blocks of WIDTH columns, with the shape
(ceil(M / WIDTH) * K, WIDTH), so that a tile reads it sequentially; columns beyond M are computed and discarded.

An element of *pairs* consists of two adjacent elements along the inner dimension in bfloat16, which halves the number
of elements to read and multiply.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from asr.recurrent.compiled.instructions import (
    LANES,
    PANELS,
    ROWS,
    WIDTH,
    address,
    compiled,
    inlined,
    move,
    multiply_row,
    multiply_row_of_pairs,
    multiply_tile,
    multiply_tile_of_pairs,
    multiply_tile_of_transposed,
    transpose,
)

CHUNK = 256  # inner steps of `product_of_transposed` whose operands stay in the cache


def packed_shape(inner: int, columns: int) -> tuple[int, int]:
    """Return the shape of a packed (inner, columns) matrix."""
    return -(-columns // WIDTH) * inner, WIDTH


@compiled
def pack(source: Any, columns: int, packed: Any) -> None:
    """Pack `source` (K, columns)."""
    for k in range(source.shape[0]):
        pack_row(source[k:], columns, packed, k, source.shape[0])


@compiled
def pack_row(source: Any, columns: int, packed: Any, k: int, inner: int) -> None:
    """Write row `k` of a packed (inner, columns) matrix from the first row of `source`."""
    whole = columns // WIDTH * WIDTH
    for c in range(0, whole, WIDTH):
        move(address(source, c), address(packed, (c // WIDTH * inner + k) * WIDTH))
    for c in range(whole, columns):
        packed[whole // WIDTH * inner + k, c - whole] = source[0, c]


@compiled
def pack_transposed(source: Any, columns: int, packed: Any) -> None:
    """Pack the transpose of `source` (columns, K)."""
    inner = source.shape[1]
    for column in range(0, columns, LANES):
        block, offset = column // WIDTH * inner, column % WIDTH
        whole = inner // LANES * LANES if columns - column >= LANES else 0
        for k in range(0, whole, LANES):
            transpose(address(source, column * inner + k), inner, address(packed, (block + k) * WIDTH + offset))
        for c in range(min(LANES, columns - column)):
            for k in range(whole, inner):
                packed[block + k, offset + c] = source[column + c, k]


@compiled
def product(a: Any, weights: Any, inner: int, start: Any, out: Any, rows: int, columns: int) -> None:
    """Compute out = start + a @ weights.

    Args:
        a: (rows, inner).
        weights: packed (inner, columns).
        start: (rows, columns), or one row for all; may be `out`.
        out: (rows, columns).
    """
    _product(multiply_tile, multiply_row, a, weights, inner, start, out, rows, columns)


@compiled
def product_of_pairs(a: Any, weights: Any, inner: int, start: Any, out: Any, rows: int, columns: int) -> None:
    """Compute `product` of pairs: a (rows, inner), weights packed (inner, columns)."""
    _product(multiply_tile_of_pairs, multiply_row_of_pairs, a, weights, inner, start, out, rows, columns)


@compiled
def pair_row(source: Any, columns: int, paired: Any) -> None:
    """Write the first `columns` of a row as pairs, rounded to bfloat16; an odd last element is paired with 0."""
    bits, into = source.view(np.uint32), paired.view(np.uint32)
    for j in range(columns // 2):
        into[j] = _rounded(bits[2 * j]) >> 16 | _rounded(bits[2 * j + 1])
    if columns % 2:
        into[columns // 2] = _rounded(bits[columns - 1]) >> 16


@inlined
def _rounded(bits: Any) -> Any:
    """Round the bits of a float32 to bfloat16 in the upper 16 bits: ties to even, NaN stays NaN."""
    is_nan = bits & 0x7FFFFFFF > 0x7F800000
    return bits & 0xFFFF0000 | 0x400000 if is_nan else bits + 0x7FFF + (bits >> 16 & 1) & 0xFFFF0000


@compiled
def _product(
    tile: Any, row: Any, a: Any, weights: Any, inner: int, start: Any, out: Any, rows: int, columns: int
) -> None:
    several, first = PANELS * WIDTH, 0
    if rows == 1:
        first = columns // several * several
        panel = inner * WIDTH
        for column in range(0, first, several):
            b_tile = address(weights, column // WIDTH * panel)
            come, go = address(start, column), address(out, column)
            row(address(a, 0), a.shape[1], b_tile, panel, inner, come, 0, go, 0, 1)
    factors = (a, 0, a.shape[1], a.shape[1]), (weights, 0, inner)
    _multiply(tile, *factors, inner, start, out, rows, first, columns)


@compiled
def product_of_transposed(a: Any, b: Any, out: Any, rows: int, columns: int) -> None:
    """Compute out = a.T @ b.

    Args:
        a: (K, rows).
        b: packed (K, columns).
        out: (rows, columns).
    """
    inner, stride = a.shape
    zeros = np.zeros((1, columns), np.float32)
    for k in range(0, inner, CHUNK):
        start = zeros if k == 0 else out
        steps = min(CHUNK, inner - k)
        factors = (a, k * stride, 1, stride), (b, k, inner)
        _multiply(multiply_tile_of_transposed, *factors, steps, start, out, rows, 0, columns)


@compiled
def _multiply(tile: Any, a: Any, b: Any, inner: int, start: Any, out: Any, rows: int, first: int, columns: int) -> None:
    """Compute a product tile by tile, from column `first` on.

    Args:
        tile: the instruction for one tile.
        a: (matrix, first element, distance from row to row, stride of the tile).
        b: (packed matrix, first inner step, number of inner steps of the whole matrix).
        inner, start, out, rows, columns: see `product`.
        first: the first column to compute.
    """
    a_matrix, a_first, a_step, a_stride = a
    b_matrix, b_first, b_inner = b
    start_stride = start.shape[1] if start.shape[0] > 1 else 0
    out_stride = out.shape[1]
    edge = np.empty((ROWS, WIDTH), np.float32)  # buffer for a tile that extends beyond the last column
    n_tiles = (rows + ROWS - 1) // ROWS
    b_panel = b_inner * WIDTH
    for column in range(first, columns, WIDTH):
        b_tile = address(b_matrix, (column // WIDTH * b_inner + b_first) * WIDTH)
        width = min(WIDTH, columns - column)
        row = 0
        for number in range(n_tiles):
            n_rows = (rows - row + n_tiles - number - 1) // (n_tiles - number)  # rows spread evenly over the tiles
            a_tile = address(a_matrix, a_first + row * a_step)
            come, come_stride = address(start, row * start_stride + column), start_stride
            go, go_stride = address(out, row * out_stride + column), out_stride
            if width < WIDTH:
                _copy(come, come_stride, address(edge, 0), WIDTH, n_rows, width)
                come, come_stride, go, go_stride = address(edge, 0), WIDTH, address(edge, 0), WIDTH
            tile(a_tile, a_stride, b_tile, b_panel, inner, come, come_stride, go, go_stride, n_rows)
            if width < WIDTH:
                _copy(go, WIDTH, address(out, row * out_stride + column), out_stride, n_rows, width)
            row += n_rows


@compiled
def _copy(source: Any, source_stride: int, target: Any, target_stride: int, rows: int, columns: int) -> None:
    """Copy rows of `columns` elements from one address to another."""
    for r in range(rows):
        for c in range(columns):
            target[r * target_stride + c] = source[r * source_stride + c]
