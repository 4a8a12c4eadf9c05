"""Measure how many words a second the matrix products of a network alone allow on this machine, with one thread.

Only products of the sizes of the network are computed: for each layer the input products of both directions, of all
frames at once, and at each step and direction the recurrent product, by a vector for one word and by a matrix for many.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

HEADING = "| products alone | input products | recurrent products | words a second at best |\n|---|---|---|---|"
_BLOCK = 0.05  # seconds that one timing lasts
_BLOCKS = 5
Product = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Sizes:
    """Sizes of the products of one layer or of the output: `rows` (T, inputs) by (inputs, outputs), `steps` times."""

    rows: int
    inputs: int
    outputs: int
    steps: int = 1

    @property
    def operations(self) -> float:
        """Return the number of multiplications and additions."""
        return 2.0 * self.rows * self.inputs * self.outputs * self.steps


@dataclass(frozen=True)
class Limit:
    """The speed for a number of words at a time, in operations a second and in words a second."""

    words: int
    input_rate: float
    recurrent_rate: float
    words_per_second: float

    def line(self, name: str) -> str:
        """Return the row for `HEADING`."""
        how_many = "one word" if self.words == 1 else f"{self.words} words at a time"
        rates = " | ".join(f"{rate / 1e9:.0f} GFLOP/s" for rate in (self.input_rate, self.recurrent_rate))
        return f"| {name}, {how_many} | {rates} | {self.words_per_second:.0f} |"


def products(weights: Mapping[str, Any], n_frames: int, words: int) -> tuple[list[Sizes], list[Sizes]]:
    """Return the input products (with the output layer) and the recurrent products of words of some frames."""
    inputs, recurrent = [], []
    for name, values in weights.items():
        if name.endswith("forward_cell.weight_ih"):
            inputs.append(Sizes(n_frames * words, values.shape[1], 2 * values.shape[0]))
        elif name.endswith("forward_cell.weight_hh"):
            recurrent.append(Sizes(words, values.shape[1], values.shape[0], steps=2 * n_frames))
        elif name == "output.weight":
            inputs.append(Sizes(n_frames * words, values.shape[1], values.shape[0]))
    return inputs, recurrent


def operations(weights: Mapping[str, Any], n_frames: int) -> float:
    """Return the number of multiplications and additions of one word."""
    return sum(one.operations for group in products(weights, n_frames, 1) for one in group)


def limits(weights: Mapping[str, Any], n_frames: int, words: int) -> Iterator[tuple[str, Limit]]:
    """Return the limit with the products of NumPy and with those of torch, by name."""
    yield "numpy", _limit(weights, n_frames, words, np.matmul, _array)
    yield "torch", _limit(weights, n_frames, words, torch.matmul, _tensor)
    if words > 1:  # torch has no product of a matrix and a vector in bfloat16 that is faster than in float32
        yield "torch in bfloat16", _limit(weights, n_frames, words, torch.matmul, _rounded)


def _limit(weights: Mapping[str, Any], n_frames: int, words: int, product: Product, make: Callable[..., Any]) -> Limit:
    groups = products(weights, n_frames, words)
    seconds = [sum(_seconds(one, product, make) for one in group) for group in groups]
    done = [sum(one.operations for one in group) for group in groups]
    return Limit(words, done[0] / seconds[0], done[1] / seconds[1], words / sum(seconds))


def _seconds(sizes: Sizes, product: Product, make: Callable[..., Any]) -> float:
    """Return the seconds of all steps; the weights are (inputs, outputs), or a matrix to multiply with a vector."""
    if sizes.rows == 1:
        one, other = make(sizes.outputs, sizes.inputs), make(sizes.inputs)
    else:
        one, other = make(sizes.rows, sizes.inputs), make(sizes.inputs, sizes.outputs)
    return sizes.steps * _each(lambda: product(one, other))


def _each(run: Callable[[], object]) -> float:
    """Return the processor seconds of one run: the median of some blocks of runs."""
    run()
    count, took = 1, 0.0
    while took < _BLOCK / 2:
        count *= 2
        took = _block(run, count)
    return statistics.median(_block(run, count) for _ in range(_BLOCKS)) / count


def _block(run: Callable[[], object], count: int) -> float:
    start = time.process_time()
    for _ in range(count):
        run()
    return time.process_time() - start


def _array(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def _tensor(*shape: int) -> torch.Tensor:
    return torch.from_numpy(_array(*shape))


def _rounded(*shape: int) -> torch.Tensor:
    return _tensor(*shape).bfloat16()
