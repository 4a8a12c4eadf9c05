"""How a bundle keeps the weights of a network: as they are, in half the bytes, or in a quarter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.engines.fitting import LONGEST, kind_of
from asr.errors import CheckpointError

TINY = np.finfo(np.float32).tiny
"""The least scale that weights are divided by: rows of zeros have a scale of 0."""


def packed(weights: Mapping[str, NDArray[Any]], store: str) -> dict[str, NDArray[Any]]:
    """Convert a network's weights to the tensors of a file.

    Args:
        weights: float32.
        store: `float32`; `float16`; or `int8`: each row of a matrix as whole numbers within +-127 and one scale, so
            that every weight is off by at most 1/254 of the largest in its row; vectors stay float32.

    Returns:
        `model.<name>` for each weight, and `scale.<name>` (rows,) float32 beside each matrix of int8.
    """
    tensors: dict[str, NDArray[Any]] = {}
    for name, value in weights.items():
        if store == "int8" and value.ndim == 2:
            value, tensors[f"scale.{name}"] = int8_rows(value)
        elif store == "float16":
            value = value.astype(np.float16)
        tensors[f"model.{name}"] = value
    return tensors


def int8_rows(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round each row to whole numbers within +-127 of its own scale.

    Args:
        weights: (..., R, C).

    Returns:
        (..., R, C) int8, and (..., R) what a 1 of each row is worth; 0 for a row of zeros.
    """
    scale = np.abs(weights).max(axis=-1) / np.float32(127)
    return np.rint(weights / np.maximum(scale, TINY)[..., None]).astype(np.int8), scale


def unpacked(tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Convert the tensors of a file to the weights of a network: scaled int8 and floating-point ones become float32.

    Raises:
        CheckpointError: scales that do not fit their matrix.
    """
    weights: dict[str, NDArray[Any]] = {}
    for key, value in tensors.items():
        owner, _, name = key.partition(".")
        if owner == "model":
            scale = tensors.get(f"scale.{name}")
            weights[name] = _float32(value) if scale is None else _scaled(name, value, scale)
    return weights


def _float32(value: NDArray[Any]) -> NDArray[Any]:
    """Return floating-point numbers as float32, others as they are."""
    with np.errstate(over="ignore"):  # what float32 cannot hold is found when the weights are fitted
        return value.astype(np.float32, copy=False) if value.dtype.kind == "f" else value


def _scaled(name: str, value: NDArray[Any], scale: NDArray[Any]) -> NDArray[np.float32]:
    if value.ndim != 2 or value.dtype != np.int8 or scale.dtype.kind != "f" or scale.shape != value.shape[:1]:
        raise CheckpointError(
            f"the scales of the weights {name[:LONGEST]!r} do not fit: {kind_of(scale)}, expected one a row of a matrix"
            f" of int8, found {kind_of(value)}; the file is damaged"
        )
    with np.errstate(over="ignore"):  # as above
        return value.astype(np.float32) * scale.astype(np.float32)[:, None]
