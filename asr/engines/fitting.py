"""Check that the weights of a file fit a network, before they are used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.errors import CheckpointError

UNFIT = "the weights do not fit the configuration that comes with them"
FLOAT32 = np.dtype(np.float32)
LONGEST = 80  # characters of a name or a shape in a message


@dataclass(frozen=True)
class Expected:
    """The expected shape and type of a weight of a network.

    Attributes:
        shape: the shape.
        dtype: the type; a floating-point type stands for any floating-point type.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any] = FLOAT32

    def __str__(self) -> str:
        """Return the type and shape for a message."""
        return f"{self.dtype} {self.shape}"[:LONGEST]


def fitted(weights: Mapping[str, object], expected: Mapping[str, Expected]) -> dict[str, NDArray[Any]]:
    """Check that the weights of a file fit a network.

    Args:
        weights: the content of the file, by name.
        expected: the shape and type of each weight of the network, by name.

    Returns:
        The weights by name; floating-point ones are converted to float32.

    Raises:
        CheckpointError: a weight is missing or unknown, has another shape or type, or is not finite.
    """
    missing, unknown = expected.keys() - weights.keys(), weights.keys() - expected.keys()
    for verb, names in (("does not contain", missing), ("also contains", unknown)):
        if names:
            listed = ", ".join(repr(name)[:LONGEST] for name in sorted(map(str, names))[:3])
            raise CheckpointError(f"{UNFIT}: the file {verb} {listed}{', ...' if len(names) > 3 else ''}")
    return {name: _fitted(name, weights[name], like) for name, like in expected.items()}


def kind_of(value: object) -> str:
    """Return the type and shape of a value from a file, for a message."""
    if not isinstance(value, np.ndarray):
        return f"a {type(value).__name__}"
    return f"{value.dtype} {value.shape}"[:LONGEST]


def _fitted(name: str, value: object, like: Expected) -> NDArray[Any]:
    if not isinstance(value, np.ndarray) or value.shape != like.shape or not _same_kind(value.dtype, like.dtype):
        raise CheckpointError(f"{UNFIT}: {name[:LONGEST]!r} is {kind_of(value)}, expected {like}")
    if like.dtype.kind != "f":
        return value
    with np.errstate(over="ignore"):  # too large values become infinite, which is found next
        value = value.astype(np.float32, copy=False)
    if not np.isfinite(value).all():
        raise CheckpointError(f"the weights {name[:LONGEST]!r} are not finite; the file is damaged")
    return value


def _same_kind(dtype: np.dtype[Any], like: np.dtype[Any]) -> bool:
    return dtype.kind == "f" if like.kind == "f" else dtype == like
