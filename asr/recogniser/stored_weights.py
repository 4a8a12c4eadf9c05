"""Convert the weights of a network to the number formats of a bundle (float32, float16 or int8) and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.engines.fitting import LONGEST, kind_of
from asr.errors import CheckpointError

TINY = np.finfo(np.float32).tiny
"""The least divisor of weights, because a row of zeros has the scale 0."""


def packed(weights: Mapping[str, NDArray[Any]], store: str) -> dict[str, NDArray[Any]]:
    """Convert the weights of a network to the tensors of a file.

    Args:
        weights: the weights by name, float32.
        store: `float32`, `float16` or `int8`. With int8, each row of a matrix becomes whole numbers within +-127 and a
            scale, so that every weight is off by at most 1/254 of the largest in its row; vectors stay float32.

    Returns:
        `model.<name>` for each weight, and `scale.<name>`, (rows,) float32, for each matrix of int8.

    >>> tensors = packed({"output.weight": np.array([[1.0, -0.5]], dtype=np.float32)}, "int8")
    >>> sorted(tensors), tensors["model.output.weight"].tolist()
    (['model.output.weight', 'scale.output.weight'], [[127, -64]])
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
    """Round each row to whole numbers within +-127, with a scale for each row.

    Args:
        weights: (..., R, C) float32.

    Returns:
        (..., R, C) int8, and (..., R) the scale by which each row is multiplied; 0 for a row of zeros.
    """
    scale = np.abs(weights).max(axis=-1) / np.float32(127)
    return np.rint(weights / np.maximum(scale, TINY)[..., None]).astype(np.int8), scale


def unpacked(tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Convert the tensors of a file to the weights of a network, in float32.

    Tensors that are neither floating-point nor int8 with a scale are not converted.

    Raises:
        CheckpointError: a scale does not fit its matrix.
    """
    weights: dict[str, NDArray[Any]] = {}
    for key, value in tensors.items():
        owner, _, name = key.partition(".")
        if owner == "model":
            scale = tensors.get(f"scale.{name}")
            weights[name] = _float32(value) if scale is None else _scaled(name, value, scale)
    return weights


def _float32(value: NDArray[Any]) -> NDArray[Any]:
    """Return floating-point numbers as float32, others unchanged."""
    with np.errstate(over="ignore"):  # infinite weights raise an error later
        return value.astype(np.float32, copy=False) if value.dtype.kind == "f" else value


def _scaled(name: str, value: NDArray[Any], scale: NDArray[Any]) -> NDArray[np.float32]:
    if value.ndim != 2 or value.dtype != np.int8 or scale.dtype.kind != "f" or scale.shape != value.shape[:1]:
        raise CheckpointError(
            f"the scales of the weights {name[:LONGEST]!r} are {kind_of(scale)}, the weights {kind_of(value)}; expected"
            " a matrix of int8 and one scale per row: the file is damaged"
        )
    with np.errstate(over="ignore"):  # infinite weights raise an error later
        return value.astype(np.float32) * scale.astype(np.float32)[:, None]
