"""Run a network with torch: supports any cell, is fast for many utterances, and runs on a CPU or GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from asr.config import Component, Faults, build
from asr.engines.engine import FloatArray, IntArray, Network
from asr.engines.fitting import Expected, fitted


class TorchEngine:
    """A network that torch runs.

    Threads may share it: the kernels start their own threads for each caller, and keep nothing between calls. In a
    forked process it computes in one thread, see `asr.recurrent.forked`.

    Args:
        model: an `nn.Module` that turns frames (B, T, F) and lengths (B,) into log posteriors (B, T', L) and lengths.
        prepared: whether `RecurrentStack.prepare` was called with success.
    """

    name = "torch"

    def __init__(self, model: Any, prepared: bool = False) -> None:
        self.model, self.prepared = model, prepared

    @classmethod
    def of(cls, network: Network, bfloat16: bool = False, prepare: bool = False) -> TorchEngine:
        """Build a network with its weights.

        Args:
            network: the network to build.
            bfloat16: whether to round the factors of products if possible, see `RecurrentStack.prepare`.
            prepare: whether to make recognition faster if possible, which first takes a second or two.

        Raises:
            ConfigError: the network does not have an option, or refuses its value.
            CheckpointError: the weights do not fit the network.
        """
        ours = not network.plugins  # a network of this package needs no memory until its weights are checked
        device = "meta" if ours else "cpu"
        faults = Faults()
        with faults.noted("model"):
            model = build_module(network.component, network.n_features, network.n_labels, network.plugins, device)
        faults.check()
        weights = fitted(network.weights, _expected(model.state_dict()))
        model.load_state_dict({name: _tensor(value) for name, value in weights.items()}, assign=ours)
        model.eval()
        return cls(model, (prepare or bfloat16) and _prepare(model, bfloat16))

    @property
    def time_reduction(self) -> int:
        """The number of input frames for each output frame."""
        return int(self.model.time_reduction)

    @torch.no_grad()
    def posteriors(self, frames: FloatArray, lengths: IntArray) -> tuple[FloatArray, IntArray]:
        """Compute the log posteriors of a batch, see `Engine.posteriors`."""
        if self.model.training:
            self.model.eval()
        device = next(self.model.parameters()).device
        log_probs, out_lengths = self.model(_tensor(frames).to(device), _tensor(lengths))
        return log_probs.cpu().numpy(), out_lengths.numpy()


def build_module(
    component: Component, n_features: int, n_labels: int, plugins: Sequence[str] = (), device: str = "cpu"
) -> Any:
    """Build a torch network: an `nn.Module` that computes log posteriors, with `time_reduction` and `out_length`.

    Args:
        component: the class of the network and its options.
        n_features: F, the size of an input frame.
        n_labels: L, the number of labels with the blank.
        plugins: the user's modules that may hold the class.
        device: the device of the weights; `meta` for shapes without memory.

    Raises:
        ConfigError: the network does not have an option, or refuses its value.
    """
    with torch.device(device):
        return build(component, plugins, n_features=n_features, n_labels=n_labels, plugins=plugins)


def _prepare(model: nn.Module, bfloat16: bool) -> bool:
    prepare = getattr(model, "prepare", None)  # a network of the user's own may not have it
    return bool(prepare is not None and prepare(bfloat16))


def _expected(state: Mapping[str, Tensor]) -> dict[str, Expected]:
    return {name: Expected(tuple(one.shape), _dtype(one)) for name, one in state.items()}


def _dtype(value: Tensor) -> np.dtype[Any]:
    return np.dtype(np.float32 if value.is_floating_point() else str(value.dtype).removeprefix("torch."))


def _tensor(value: NDArray[Any]) -> Tensor:
    """Return a tensor that shares the memory of an array; a read-only array is copied, because torch requires it."""
    return torch.from_numpy(value if value.flags.writeable else value.copy())
