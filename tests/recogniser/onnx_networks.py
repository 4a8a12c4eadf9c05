"""Stacks with random weights, as torch runs them and as an exported file holds them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from asr.config import Component, build
from asr.engines.engine import Network
from asr.engines.onnx import OnnxEngine
from asr.engines.onnx_file import FORMAT, checked
from asr.recogniser.onnx_export import model_of

N_FEATURES, N_LABELS = 40, 32


def stack(*, plugins: Sequence[str] = (), scale: float = 1.0, **options: Any) -> tuple[Network, nn.Module]:
    """An untrained stack with random weights, large enough to make its posteriors very different.

    Args:
        plugins: modules that its cell or the stack may come from.
        scale: of all weights but those of the output layer.
        options: of `RecurrentStack`.
    """
    torch.manual_seed(11)
    component = Component.of({"_target_": "asr.recurrent.stack.RecurrentStack"} | options)
    model = build(component, plugins, n_features=N_FEATURES, n_labels=N_LABELS, plugins=plugins)
    with torch.no_grad():
        for name, values in model.named_parameters():
            values.normal_(std=2.0 / math.sqrt(values.shape[-1]) if values.ndim == 2 else 0.3)
            values.mul_(scale if name.startswith("layers.") else 1.0)
        model.output.weight.mul_(4.0)
    model.eval()
    weights = {name: values.detach().numpy() for name, values in model.state_dict().items()}
    return Network(component, N_FEATURES, N_LABELS, weights, tuple(plugins)), model


def content_of(network: Network, int8: bool = False, **metadata: str) -> bytes:
    """The content of a file, with no more metadata than an engine needs."""
    reduction = str(network.component.options.get("time_reduction", 1))
    return model_of(network, {"format": FORMAT, "time_reduction": reduction} | metadata, int8)


def engine_of(network: Network, int8: bool = False) -> OnnxEngine:
    """The engine that runs a network."""
    return OnnxEngine(checked(content_of(network, int8)))


def batch(lengths: Sequence[int], padding: float = math.nan) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(B, T, F) random frames with `padding` behind each utterance, and their lengths."""
    rng = np.random.default_rng(len(lengths))
    frames = rng.normal(size=(len(lengths), max(lengths), N_FEATURES)).astype(np.float32)
    for row, length in zip(frames, lengths, strict=True):
        row[length:] = padding
    return frames, np.array(lengths)


def expected(model: nn.Module, frames: NDArray[np.float32], lengths: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """What torch gives."""
    with torch.no_grad():
        log_probs, out_lengths = model(torch.from_numpy(frames), torch.from_numpy(lengths))
    return log_probs, out_lengths
