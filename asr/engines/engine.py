"""The interface of an engine, which runs a network on numpy arrays, and the description of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from asr.config import Component

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Network:
    """A network as it is stored: its class, options and weights. An engine runs it.

    Attributes:
        component: the class of the network and its options.
        n_features: F, the size of an input frame.
        n_labels: L, the number of labels with the blank.
        weights: float32 arrays by their names in torch, such as `layers.0.forward_cell.weight_ih`. The weights of a
            network of the user's own may have other types.
        plugins: the user's modules that may hold the class of the network or its cell.
    """

    component: Component
    n_features: int
    n_labels: int
    weights: Mapping[str, NDArray[Any]]
    plugins: tuple[str, ...] = ()


class Engine(Protocol):
    """Interface of an engine, which runs a network. Threads may share an engine."""

    @property
    def name(self) -> str:
        """The name of the engine: `numpy`, `torch` or `onnx`."""

    @property
    def time_reduction(self) -> int:
        """The number of input frames for each output frame."""

    def posteriors(self, frames: FloatArray, lengths: IntArray) -> tuple[FloatArray, IntArray]:
        """Compute the log posteriors of a padded batch.

        Args:
            frames: (B, T, F) float32, normalised and stacked; the padding may contain anything, even NaN.
            lengths: (B,) int64, 1 <= lengths[b] <= T, in any order.

        Returns:
            (B, T', L) float32 natural logarithms, with T' = ceil(T / time_reduction), and (B,) int64 lengths. Ignore
            rows beyond an utterance's length; they are finite.
        """


def check_batch(frames: FloatArray, lengths: IntArray, n_features: int) -> None:
    """Raise a ValueError if a batch does not have the shapes, types and lengths for `Engine.posteriors`."""
    if frames.ndim != 3 or frames.shape[2] != n_features or frames.dtype != np.float32:
        raise ValueError(f"frames must be (B, T, {n_features}) float32, got {frames.shape} {frames.dtype}")
    if lengths.shape != frames.shape[:1] or lengths.dtype != np.int64:
        raise ValueError(f"lengths must be ({len(frames)},) int64, got {lengths.shape} {lengths.dtype}")
    if len(lengths) == 0 or lengths.min() < 1 or lengths.max() > frames.shape[1]:
        raise ValueError(f"lengths must lie within 1..{frames.shape[1]}, got {lengths.tolist()}")


@dataclass(frozen=True)
class EngineChoice:
    """The engine that was chosen, and the reason.

    Attributes:
        name: the name of the engine.
        why: the reason as a clause, for `--verbose` and result files: "there are few utterances".
    """

    name: str
    why: str
