"""An LSTM written as its equations, one utterance and one step at a time, in float64."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def lstm(frames: Array, weight_ih: Array, weight_hh: Array, bias: Array) -> Array:
    """One direction over one utterance: (T, F) to (T, H); gates in the order i, f, g, o."""
    hidden = weight_hh.shape[1]
    h, c = np.zeros(hidden), np.zeros(hidden)
    outputs = []
    for x in frames:
        i, f, g, o = np.split(weight_ih @ x + weight_hh @ h + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.array(outputs)


def bidirectional(frames: Array, forward: list[Array], backward: list[Array]) -> Array:
    """Both directions over one utterance: (T, F) to (T, 2H); each has weight_ih, weight_hh and bias."""
    return np.concatenate([lstm(frames, *forward), lstm(frames[::-1], *backward)[::-1]], axis=1)


def sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))
