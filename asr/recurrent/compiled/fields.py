"""The fields of each job, declared once for the code that writes jobs and the code that reads them.

A job is passed to compiled code as 64-bit integers: its kind, then its fields in order. A matrix takes three integers
(address, rows, row stride), a number takes one. `team` writes them, and `jobs` reads them at the `places` of the job's
class. The functions that are named in the docstrings below explain the fields.
"""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from torch import Tensor

_NUMBERS = {"Tensor": 3, "int": 1}  # number of 64-bit integers for a field of this type


@dataclass(frozen=True)
class Job:
    """A job; `kind` distinguishes the jobs of one compiled function."""

    kind: ClassVar[int]


@dataclass(frozen=True)
class Pack(Job):
    """Arguments of `products.pack`."""

    kind: ClassVar[int] = 0
    source: Tensor
    packed: Tensor
    columns: int


@dataclass(frozen=True)
class PackTransposed(Pack):
    """Arguments of `products.pack_transposed`."""

    kind: ClassVar[int] = 1


@dataclass(frozen=True)
class Product(Job):
    """Arguments of `products.product` and `products.product_of_pairs`."""

    kind: ClassVar[int] = 2
    a: Tensor
    weights: Tensor
    start: Tensor
    out: Tensor
    inner: int
    columns: int


@dataclass(frozen=True)
class ProductOfTransposed(Job):
    """Arguments of `products.product_of_transposed`."""

    kind: ClassVar[int] = 3
    a: Tensor
    b: Tensor
    out: Tensor
    columns: int


@dataclass(frozen=True)
class LstmForward(Job):
    """Arguments of `lstm.forward`."""

    kind: ClassVar[int] = 0
    hidden: int
    gates: Tensor
    outputs: Tensor
    cells: Tensor
    weights: Tensor
    schedule: Tensor
    peepholes: Tensor
    of_gates: Tensor
    keep_cells: Tensor
    keep_outputs: Tensor


@dataclass(frozen=True)
class LstmBackward(LstmForward):
    """Arguments of `lstm.backward`."""

    kind: ClassVar[int] = 1
    gradients: Tensor
    previous: Tensor
    previous_gates: Tensor
    of_peepholes: Tensor


@dataclass(frozen=True)
class _Gru(Job):
    hidden: int
    gates: Tensor
    candidates: Tensor
    outputs: Tensor
    inner: Tensor
    weights: Tensor
    new_weights: Tensor
    schedule: Tensor


@dataclass(frozen=True)
class GruForward(_Gru):
    """Arguments of `gru.forward`."""

    kind: ClassVar[int] = 0
    bias: Tensor


@dataclass(frozen=True)
class GruBackward(_Gru):
    """Arguments of `gru.backward`."""

    kind: ClassVar[int] = 1
    gradients: Tensor
    previous: Tensor


@dataclass(frozen=True)
class LayerNormForward(Job):
    """Arguments of `layernorm.forward`."""

    kind: ClassVar[int] = 0
    hidden: int
    gates: Tensor
    outputs: Tensor
    cells: Tensor
    normed: Tensor
    scales: Tensor
    weights: Tensor
    schedule: Tensor
    gains: Tensor


@dataclass(frozen=True)
class LayerNormBackward(LayerNormForward):
    """Arguments of `layernorm.backward`."""

    kind: ClassVar[int] = 1
    gradients: Tensor
    previous: Tensor
    of_gains: Tensor


@dataclass(frozen=True)
class AttentionForward(Job):
    """Arguments of `attention.forward`."""

    kind: ClassVar[int] = 0
    hidden: int
    gates: Tensor
    queries: Tensor
    outputs: Tensor
    cells: Tensor
    keys: Tensor
    summaries: Tensor
    weights: Tensor
    of_gates: Tensor
    of_queries: Tensor
    of_keys: Tensor
    schedule: Tensor
    scorer: Tensor


@dataclass(frozen=True)
class AttentionBackward(AttentionForward):
    """Arguments of `attention.backward`."""

    kind: ClassVar[int] = 1
    gradients: Tensor
    from_outputs: Tensor
    from_cells: Tensor
    from_keys: Tensor
    previous: Tensor
    of_scorer: Tensor


def places(job: type[Job]) -> Any:
    """Return the position of each field of a job, counted in integers from its kind.

    >>> places(Pack)
    Places(source=1, packed=4, columns=7)
    """
    found, place = {}, 1
    for field in fields(job):
        found[field.name] = place
        place += _NUMBERS[str(field.type)]
    return namedtuple("Places", found)(**found)
