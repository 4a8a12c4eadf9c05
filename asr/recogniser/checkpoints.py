"""Load recognisers from the checkpoints of a run, with torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asr.decoding.choice import Wish
from asr.decoding.files import with_plain_names
from asr.engines.fitting import LONGEST, UNFIT
from asr.engines.names import AUTO
from asr.errors import CheckpointError
from asr.recogniser.assembly import assemble
from asr.recogniser.header import Header
from asr.recogniser.recogniser import Recogniser
from asr.training.checkpoint import load_checkpoint


def state_of(recogniser: Recogniser) -> dict[str, Any]:
    """Return the content of a checkpoint beside the weights of the network: plain values and tensors."""
    statistics = {name: torch.from_numpy(one.copy()) for name, one in recogniser.normaliser.state_dict().items()}
    config = replace(recogniser.config, decoder=with_plain_names(recogniser.config.decoder))
    return Header(config, recogniser.card).to_dict() | {"normaliser": statistics}


def load_recogniser(path: Path, plugins: Sequence[str] = (), engine: str = AUTO, decoder: Wish = None) -> Recogniser:
    """Load the recogniser of a checkpoint.

    Args:
        path: the checkpoint.
        plugins: modules of the user that the configuration may name.
        engine: the engine to use; `auto`: the one that suits the work.
        decoder: the decoder to use; None: the default that the checkpoint names.

    Raises:
        CheckpointError: the file is damaged, holds no recogniser, or names code outside this package and the plugins;
            or the engine cannot run it.
        ConfigError: the decoder or one of its options does not exist.
    """
    return recogniser_of(load_checkpoint(path), path, plugins, engine, decoder)


def recogniser_of(
    saved: Mapping[str, Any], path: Path, plugins: Sequence[str] = (), engine: str = AUTO, decoder: Wish = None
) -> Recogniser:
    """Make a recogniser from the content of a checkpoint.

    Args:
        saved: the content, from `asr.training.checkpoint.load_checkpoint`.
        path: the checkpoint, for messages.
        plugins: see `load_recogniser`.
        engine: see `load_recogniser`.
        decoder: see `load_recogniser`.

    Raises:
        CheckpointError, ConfigError: see `load_recogniser`.
    """
    header, weights = saved.get("bundle"), saved.get("weights")
    statistics = header.get("normaliser") or {} if isinstance(header, dict) else None
    if not isinstance(header, dict) or not isinstance(weights, dict) or not isinstance(statistics, dict):
        raise CheckpointError(f"{path} is not the checkpoint of a recogniser: it lacks `bundle` or `weights`")
    return assemble(path, header, _arrays(path, statistics), _arrays(path, weights), plugins, engine, decoder)


def _arrays(path: Path, tensors: Mapping[Any, object]) -> dict[str, NDArray[Any]]:
    """Convert tensors to arrays, floating-point ones to float32; without conversion, memory is shared."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, value in tensors.items():
        if not isinstance(value, Tensor) or not _is_whole(value):
            what = "does not hold the numbers" if isinstance(value, Tensor) else f"is a {type(value).__name__} instead"
            raise CheckpointError(f"{path}: {UNFIT}: {str(name)[:LONGEST]!r} {what} of a plain tensor")
        value = value.detach().float() if value.is_floating_point() else value.detach()
        arrays[str(name)] = np.asarray(value.numpy())
    return arrays


def _is_whole(value: Tensor) -> bool:
    """Return whether a tensor holds all its numbers in plain memory, instead of repeating a few of them."""
    plain = value.layout == torch.strided and value.device.type == "cpu" and not value.is_quantized
    return plain and value.untyped_storage().nbytes() >= value.numel() * value.element_size()
