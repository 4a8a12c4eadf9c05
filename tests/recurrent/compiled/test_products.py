"""The compiled matrix products, against numpy in float64."""

from __future__ import annotations

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
from asr.recurrent.compiled.matrices import halved

Array = npt.NDArray[np.float32]

sizes = st.integers(1, 70)


def matrix(rows: int, columns: int, seed: int) -> Array:
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)


def packed(source: Array) -> Array:
    into = np.full(products.packed_shape(*source.shape), np.nan, np.float32)
    products.pack(source, source.shape[1], into)
    return into


@settings(deadline=None, max_examples=50)
@given(rows=sizes, inner=sizes, columns=sizes, wider=st.integers(0, 3))
def test_product(rows: int, inner: int, columns: int, wider: int) -> None:
    a, b, start = matrix(rows, inner + wider, 0), matrix(inner, columns, 1), matrix(rows, columns + wider, 2)
    expected = start.astype(np.float64)
    expected[:, :columns] += a[:, :inner].astype(np.float64) @ b
    products.product(a, packed(b), inner, start, start, rows, columns)
    np.testing.assert_allclose(start, expected, atol=1e-4)  # 70 terms of about 1, each rounded to 1e-7


@settings(deadline=None, max_examples=50)
@given(rows=st.integers(1, 30), inner=sizes, columns=st.integers(1, 300), wider=st.integers(0, 3))
def test_product_of_halves_is_the_product_with_rounded_weights(rows: int, inner: int, columns: int, wider: int) -> None:
    a, b, start = matrix(rows, inner + wider, 0), matrix(inner, columns, 1), matrix(rows, columns + wider, 2)
    rounded = torch.from_numpy(b).bfloat16().float().numpy()
    expected = start.copy()
    products.product(a, packed(rounded), inner, expected, expected, rows, columns)
    halves = halved(torch.from_numpy(packed(b))).numpy()
    products.product_of_halves(a, halves, inner, start, start, rows, columns)
    np.testing.assert_array_equal(start, expected)


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


def test_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    a, weights = matrix(40, 33, 0), packed(matrix(33, 50, 1))
    zeros, together = np.zeros((1, 50), np.float32), np.empty((40, 50), np.float32)
    products.product(a, weights, 33, zeros, together, 40, 50)
    for number, row in enumerate(a):
        alone = np.empty((1, 50), np.float32)
        products.product(row[None], weights, 33, zeros, alone, 1, 50)
        np.testing.assert_array_equal(alone[0], together[number])
