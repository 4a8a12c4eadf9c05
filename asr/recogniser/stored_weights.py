"""How a bundle keeps the weights of a network: as they are, in half the bytes, or in a quarter."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from asr.errors import CheckpointError

_UNFIT = "the weights do not fit the configuration that comes with them"
_LONGEST = 80  # characters of a name or a shape in a message


def packed(weights: Mapping[str, Tensor], store: str) -> dict[str, Tensor]:
    """Convert a network's weights to the tensors of a file.

    Args:
        weights: float32.
        store: `float32`; `float16`; or `int8`: each row of a matrix as whole numbers within +-127 and one scale, so
            that every weight is off by at most 1/254 of the largest in its row; vectors stay float32.

    Returns:
        `model.<name>` for each weight, and `scale.<name>` (rows,) float32 beside each matrix of int8.
    """
    tensors: dict[str, Tensor] = {}
    for name, value in weights.items():
        if store == "int8" and value.ndim == 2:
            scale = value.abs().amax(dim=1) / 127
            tensors[f"scale.{name}"] = scale
            value = (value / scale.clamp(min=torch.finfo(torch.float32).tiny)[:, None]).round().to(torch.int8)
        elif store == "float16":
            value = value.half()
        tensors[f"model.{name}"] = value
    return tensors


def unpacked(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert the tensors of a file to the weights of a network: int8 becomes float32, other types stay.

    Raises:
        CheckpointError: scales that do not fit their matrix.
    """
    weights: dict[str, Tensor] = {}
    for key, value in tensors.items():
        owner, _, name = key.partition(".")
        if owner == "model":
            scale = tensors.get(f"scale.{name}")
            weights[name] = value if scale is None else _scaled(name, value, scale)
    return weights


def _scaled(name: str, value: Tensor, scale: Tensor) -> Tensor:
    if value.ndim != 2 or value.dtype != torch.int8 or not scale.is_floating_point() or scale.shape != value.shape[:1]:
        raise CheckpointError(
            f"the scales of the weights {name[:_LONGEST]!r} do not fit: {_kind(scale)}, expected one a row of a matrix "
            f"of int8, found {_kind(value)}; the file is damaged"
        )
    return value.float() * scale.float()[:, None]


def fitted(weights: Mapping[str, object], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Check the weights of a file against the network, before anything is computed with them.

    Args:
        weights: the content of a file, by name.
        expected: the weights of the network, by name; only their shapes and types matter, `meta` tensors will do.

    Returns:
        the weights, floating-point ones as float32.

    Raises:
        CheckpointError: a weight is missing or unknown, has another shape or type, or is not finite.
    """
    for verb, names in (("misses", expected.keys() - weights.keys()), ("also holds", weights.keys() - expected.keys())):
        if names:
            listed = ", ".join(repr(name)[:_LONGEST] for name in sorted(map(str, names))[:3])
            raise CheckpointError(f"{_UNFIT}: the file {verb} {listed}{', ...' if len(names) > 3 else ''}")
    return {name: _fitted(name, weights[name], like) for name, like in expected.items()}


def _fitted(name: str, value: object, like: Tensor) -> Tensor:
    if not isinstance(value, Tensor) or value.shape != like.shape or not _same_kind(value, like):
        raise CheckpointError(f"{_UNFIT}: {name[:_LONGEST]!r} is {_kind(value)}, expected {_kind(like)}")
    if not like.is_floating_point():
        return value
    value = value.float()
    if not bool(torch.isfinite(value).all()):
        raise CheckpointError(f"the weights {name[:_LONGEST]!r} are not finite; the file is damaged")
    return value


def _same_kind(value: Tensor, like: Tensor) -> bool:
    """Whether a tensor has the type expected and holds all its numbers, instead of repeating a few of them."""
    plain = value.layout == torch.strided and value.device.type == "cpu" and not value.is_quantized
    if not plain or value.untyped_storage().nbytes() < value.numel() * value.element_size():
        return False
    return value.is_floating_point() if like.is_floating_point() else value.dtype == like.dtype


def _kind(value: object) -> str:
    if not isinstance(value, Tensor):
        return f"a {type(value).__name__}"
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"[:_LONGEST]
