"""Elementwise functions, and sums over a row, for the time loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from asr.recurrent.compiled.instructions import LANES, compiled, inlined

ZERO = np.float32(0.0)
ONE = np.float32(1.0)
_HALF = np.float32(0.5)


@inlined
def fields(step: Any) -> Any:
    """Return the fields of a step: first row, rows, first row of the previous step, rows that continue one."""
    return step[0], step[1], step[2], step[3]


@inlined
def four(row: Any, hidden: int) -> Any:
    """Return the gates i, f, g, o of a row."""
    return row[:hidden], row[hidden : 2 * hidden], row[2 * hidden : 3 * hidden], row[3 * hidden : 4 * hidden]


@inlined
def tanh(x: Any) -> Any:
    """Return tanh with an error below 3e-7; NaN stays NaN. The rational function is that of Eigen's `ptanh_float`."""
    limit = np.float32(7.90531110763549805)  # from here on, tanh is 1 in float32
    x = limit if x > limit else (-limit if x < -limit else x)
    square = x * x
    upper = np.float32(-2.76076847742355e-16)
    upper = upper * square + np.float32(2.00018790482477e-13)
    upper = upper * square + np.float32(-8.60467152213735e-11)
    upper = upper * square + np.float32(5.12229709037114e-08)
    upper = upper * square + np.float32(1.48572235717979e-05)
    upper = upper * square + np.float32(6.37261928875436e-04)
    upper = upper * square + np.float32(4.89352455891786e-03)
    lower = np.float32(1.19825839466702e-06)
    lower = lower * square + np.float32(1.18534705686654e-04)
    lower = lower * square + np.float32(2.26843463243900e-03)
    lower = lower * square + np.float32(4.89352518554385e-03)
    return x * upper / lower


@inlined
def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x))."""
    return _HALF * tanh(_HALF * x) + _HALF


@compiled
def total(one: Any, other: Any, size: int, products: bool) -> Any:
    """Return the sum of `one`, or with `products` of one * other; it is summed in each lane, then over the lanes."""
    lanes = np.zeros(LANES, np.float32)
    whole = size // LANES * LANES
    for first in range(0, whole, LANES):
        for lane in range(LANES):
            value = one[first + lane]
            lanes[lane] += value * other[first + lane] if products else value
    result = ZERO
    for lane in range(LANES):
        result += lanes[lane]
    for j in range(whole, size):
        result += one[j] * other[j] if products else one[j]
    return result
