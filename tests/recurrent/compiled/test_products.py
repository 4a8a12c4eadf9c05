"""The compiled matrix products, against numpy in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.recurrent import compiled

if not compiled.available():
    pytest.skip("no kernels on this machine", allow_module_level=True)

from asr.recurrent.compiled import products
from asr.recurrent.compiled.instructions import multiplies_pairs
from asr.recurrent.compiled.matrices import paired

Array = npt.NDArray[np.float32]

sizes = st.integers(1, 70)
pairs = pytest.mark.skipif(not multiplies_pairs(), reason="this processor has no products in bfloat16")


def matrix(rows: int, columns: int, seed: int) -> Array:
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)


def packed(source: Array) -> Array:
    into = np.full(products.packed_shape(*source.shape), np.nan, np.float32)
    products.pack(source, source.shape[1], into)
    return into


def rounded(source: Array) -> npt.NDArray[np.float64]:
    return torch.from_numpy(source).bfloat16().double().numpy()


def as_pairs(source: Array) -> Array:
    return paired(torch.from_numpy(source)).numpy()


@settings(deadline=None, max_examples=50)
@given(rows=sizes, inner=sizes, columns=sizes, wider=st.integers(0, 3))
def test_product(rows: int, inner: int, columns: int, wider: int) -> None:
    a, b, start = matrix(rows, inner + wider, 0), matrix(inner, columns, 1), matrix(rows, columns + wider, 2)
    expected = start.astype(np.float64)
    expected[:, :columns] += a[:, :inner].astype(np.float64) @ b
    products.product(a, packed(b), inner, start, start, rows, columns)
    np.testing.assert_allclose(start, expected, atol=1e-4)  # 70 terms of about 1, each rounded to 1e-7


@pairs
@settings(deadline=None, max_examples=50)
@given(rows=st.integers(1, 30), inner=sizes, columns=st.integers(1, 300), wider=st.integers(0, 3))
def test_product_of_pairs_is_the_product_of_rounded_numbers(rows: int, inner: int, columns: int, wider: int) -> None:
    a, b, start = matrix(rows, inner, 0), matrix(columns, inner, 1), matrix(rows, columns + wider, 2)
    expected = start.astype(np.float64)
    expected[:, :columns] += rounded(a) @ rounded(b).T
    weights = packed(np.ascontiguousarray(as_pairs(b).T))
    products.product_of_pairs(as_pairs(a), weights, (inner + 1) // 2, start, start, rows, columns)
    np.testing.assert_allclose(start, expected, atol=1e-4)  # 70 terms of about 1, each rounded to 1e-7


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=70), st.booleans())
def test_a_row_is_rounded_as_torch_rounds(bits: list[int], tied: bool) -> None:
    row = np.array(bits, np.uint32)
    row = (row & 0xFFFF0000 | 0x8000 if tied else row).view(np.float32)
    into = np.full((len(row) + 1) // 2, np.nan, np.float32)
    products.pair_row(row, len(row), into)
    ours, theirs = (
        torch.from_numpy(one).view(torch.bfloat16).float().numpy() for one in (into, as_pairs(row[None])[0])
    )
    np.testing.assert_array_equal(ours.view(np.uint32)[~np.isnan(theirs)], theirs.view(np.uint32)[~np.isnan(theirs)])
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))


@settings(deadline=None, max_examples=50)
@given(rows=sizes, columns=sizes)
def test_product_with_one_row_to_start_from(rows: int, columns: int) -> None:
    a, b, bias = matrix(rows, 5, 0), matrix(5, columns, 1), matrix(1, columns, 2)
    out = np.empty((rows, columns), np.float32)
    products.product(a, packed(b), 5, bias, out, rows, columns)
    np.testing.assert_allclose(out, bias + a.astype(np.float64) @ b, atol=1e-5)


@settings(deadline=None, max_examples=50)
@given(inner=st.integers(1, 600), rows=sizes, columns=sizes)
def test_product_of_transposed(inner: int, rows: int, columns: int) -> None:
    a, b = matrix(inner, rows + 2, 0), matrix(inner, columns, 1)
    out = np.empty((rows, columns), np.float32)
    products.product_of_transposed(a, packed(b), out, rows, columns)
    np.testing.assert_allclose(out, a[:, :rows].astype(np.float64).T @ b, atol=1e-3)


@settings(deadline=None, max_examples=50)
@given(inner=sizes, columns=sizes)
def test_packing_a_transpose_is_packing_of_the_transpose(inner: int, columns: int) -> None:
    source = matrix(columns, inner, 0)
    into = np.full(products.packed_shape(inner, columns), np.nan, np.float32)
    products.pack_transposed(source, columns, into)
    np.testing.assert_array_equal(into, packed(np.ascontiguousarray(source.T)))


@pytest.mark.parametrize("product", [products.product, pytest.param(products.product_of_pairs, marks=pairs)])
@pytest.mark.parametrize("columns", [50, 300])
def test_a_row_does_not_depend_on_the_rows_beside_it(product: Callable[..., None], columns: int) -> None:
    a, weights = matrix(40, 34, 0), matrix(columns, 34, 1)
    if product is products.product_of_pairs:
        a, weights = as_pairs(a), as_pairs(weights)
    inner, b = a.shape[1], packed(np.ascontiguousarray(weights.T))
    zeros, together = np.zeros((1, columns), np.float32), np.empty((40, columns), np.float32)
    product(a, b, inner, zeros, together, 40, columns)
    for number, row in enumerate(a):
        alone = np.empty((1, columns), np.float32)
        product(row[None], b, inner, zeros, alone, 1, columns)
        np.testing.assert_array_equal(alone[0], together[number])
