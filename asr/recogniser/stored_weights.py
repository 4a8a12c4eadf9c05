"""How a bundle keeps the weights of a network: as they are, in half the bytes, or in a quarter."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from asr.errors import CheckpointError


def packed(weights: Mapping[str, Tensor], store: str) -> dict[str, Tensor]:
    """The tensors of a file for a network's weights.

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
    """The weights of a network, float32, from the tensors of a file.

    Raises:
        CheckpointError: scales that do not fit their matrix, weights that are not finite.
    """
    weights: dict[str, Tensor] = {}
    for key, value in tensors.items():
        owner, _, name = key.partition(".")
        if owner == "model":
            weights[name] = value.float()
            scale = tensors.get(f"scale.{name}")
            if scale is not None:
                if scale.shape != value.shape[:1]:
                    raise CheckpointError(f"the scales of the weights {name} do not fit: {tuple(scale.shape)}")
                weights[name] = weights[name] * scale.float()[:, None]
            if not bool(torch.isfinite(weights[name]).all()):
                raise CheckpointError(f"the weights {name} are not finite; the file is damaged")
    return weights
