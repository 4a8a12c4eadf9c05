"""What an engine is: a network that turns frames into log posteriors, numpy in and out."""

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
    """A network as it is kept: what it is and its weights. An engine runs it.

    Attributes:
        component: the class of the network and its options.
        n_features: F, values of an input frame.
        n_labels: L, labels with blank.
        weights: by their names in the network of torch (`layers.0.forward_cell.weight_ih`), float32. What belongs to a
            network of the user's own may have other types.
        plugins: modules beside `asr` that the network or its cell may come from.
    """

    component: Component
    n_features: int
    n_labels: int
    weights: Mapping[str, NDArray[Any]]
    plugins: tuple[str, ...] = ()


class Engine(Protocol):
    """Runs a network. It does not change and may be shared by threads."""

    @property
    def name(self) -> str:
        """The name of the engine: `numpy`, `torch` or `onnx`."""

    @property
    def time_reduction(self) -> int:
        """Frames that become one posterior."""

    def posteriors(self, frames: FloatArray, lengths: IntArray) -> tuple[FloatArray, IntArray]:
        """Compute the log posteriors of a padded batch.

        Args:
            frames: (B, T, F) float32, normalised and stacked; the padding may hold anything, even NaN.
            lengths: (B,) int64, 1 <= lengths[b] <= T, in any order.

        Returns:
            (B, T', L) float32 natural logarithms, with T' = ceil(T / time_reduction), and (B,) int64 lengths. Rows
            beyond an utterance's length are finite and mean nothing.
        """


def check_batch(frames: FloatArray, lengths: IntArray, n_features: int) -> None:
    """Raise a ValueError if a batch is not what `Engine.posteriors` takes: a mistake in this package's own code."""
    if frames.ndim != 3 or frames.shape[2] != n_features or frames.dtype != np.float32:
        raise ValueError(f"frames must be (B, T, {n_features}) float32, got {frames.shape} {frames.dtype}")
    if lengths.shape != frames.shape[:1] or lengths.dtype != np.int64:
        raise ValueError(f"lengths must be ({len(frames)},) int64, got {lengths.shape} {lengths.dtype}")
    if len(lengths) == 0 or lengths.min() < 1 or lengths.max() > frames.shape[1]:
        raise ValueError(f"lengths must lie within 1..{frames.shape[1]}, got {lengths.tolist()}")


@dataclass(frozen=True)
class EngineChoice:
    """An engine that runs a network, and the reason, as a clause: "there are few utterances".

    Attributes:
        name: of the engine.
        why: for people, `--verbose` and results.
    """

    name: str
    why: str
