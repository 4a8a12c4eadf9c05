"""Matrix products of torch tensors with the kernels of `products`, on several threads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from asr.recurrent.compiled import jobs
from asr.recurrent.compiled.fields import Pack, PackTransposed, Product, ProductOfTransposed
from asr.recurrent.compiled.instructions import ROWS
from asr.recurrent.compiled.products import packed_shape
from asr.recurrent.compiled.team import run

_ROWS_A_JOB = 16 * ROWS
_WEIGHT_ROWS_A_JOB = 8 * ROWS


def packed(matrices: Sequence[Tensor], transposed: bool = False) -> list[Tensor]:
    """Pack matrices (K, M) for use as the second factor of a product; with `transposed` they are given as (M, K)."""
    shapes = [matrix.shape[::-1] if transposed else matrix.shape for matrix in matrices]
    into = [matrix.new_empty(packed_shape(*shape)) for matrix, shape in zip(matrices, shapes, strict=True)]
    sort = PackTransposed if transposed else Pack
    work = [sort(matrix, one, shape[1]) for matrix, one, shape in zip(matrices, into, shapes, strict=True)]
    run(jobs.matrix_products(False), work)
    return into


def paired(matrix: Tensor) -> Tensor:
    """Turn (N, K) into pairs (N, ceil(K / 2)) of adjacent elements in bfloat16; pair an odd last element with 0."""
    return functional.pad(matrix.contiguous(), (0, matrix.shape[1] % 2)).bfloat16().view(torch.float32)


def products(factors: Sequence[tuple[Tensor, Tensor, Tensor, Tensor]], pairs: bool = False) -> None:
    """Compute into = start + a @ b for each (a, b, start, into).

    a is (N, K), b packed (K, M), start (N, M) or one row for all. With `pairs`, a and b come from `paired`.
    """
    work = [
        Product(a[part], b, start[part] if len(start) > 1 else start, into[part], a.shape[1], into.shape[1])
        for part in _parts(len(factors[0][0]), _ROWS_A_JOB)
        for a, b, start, into in factors
    ]
    run(jobs.matrix_products(pairs), work)


def input_products(rows: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor], pairs: bool = False) -> Tensor:
    """Compute rows @ weight + bias for all directions.

    Args:
        rows: (N, F).
        weights: the packed and transposed weights (G, F) of each direction.
        biases: the bias (G,) of each direction.
        pairs: whether rows and weights come from `paired`.

    Returns:
        (N, D * G) or a little more, see `stride`; `columns_of` returns the columns of each direction.
    """
    size = len(biases[0])
    whole = rows.new_empty(len(rows), stride(len(weights) * size))
    of_directions = zip(weights, biases, columns_of(whole, len(weights), size), strict=True)
    products([(rows, weight, bias[None], into) for weight, bias, into in of_directions], pairs)
    return whole


def products_of_transposed(factors: Sequence[tuple[Tensor, Tensor, Tensor]]) -> None:
    """Compute into = a.T @ b for each (into, a, b), which sums over all frames; b is packed."""
    work = [
        ProductOfTransposed(a[:, part], b, into[part], into.shape[1])
        for into, a, b in factors
        for part in _parts(len(into), _WEIGHT_ROWS_A_JOB)
    ]
    run(jobs.matrix_products(False), work)


def stride(width: int) -> int:
    """Return the row stride for a matrix; it avoids multiples of 4 KiB, for which all rows share a few cache lines."""
    return width + 16 if width % 1024 == 0 else width


def columns_of(whole: Tensor, n_directions: int, size: int) -> list[Tensor]:
    """Return the columns of each direction."""
    return [whole[:, first : first + size] for first in range(0, n_directions * size, size)]


def _parts(length: int, size: int) -> list[slice]:
    """Cut a length into parts of `size`; the last may be shorter."""
    return [slice(first, min(first + size, length)) for first in range(0, length, size)]
