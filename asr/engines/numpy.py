"""Run a network with numpy: one utterance or a few, without loading anything else."""

from __future__ import annotations

import numpy as np

from asr.engines.engine import FloatArray, IntArray, Network
from asr.errors import ConfigError


class NumpyEngine:
    """A network that numpy runs; threads may share it.

    Args:
        network: a stack of LSTM layers.

    Raises:
        ConfigError: a network or cell that this engine does not have.
    """

    name = "numpy"

    def __init__(self, network: Network) -> None:
        options = network.component.options
        cell = options.get("cell")
        if not network.component.target.endswith(".RecurrentStack") or (cell and not cell.target.endswith(".LstmCell")):
            raise ConfigError("the engine numpy has no such network")
        self._weights = network.weights
        self._layers = int(options.get("layers", 3))
        self._skips = bool(options.get("skips", False))
        self.time_reduction = int(options.get("time_reduction", 1))
        self._reduced_after = int(options.get("time_reduction_after", 1))

    def posteriors(self, frames: FloatArray, lengths: IntArray) -> tuple[FloatArray, IntArray]:
        """Compute the log posteriors of a batch, see `Engine.posteriors`."""
        out_lengths = -(-lengths // self.time_reduction)
        found = [self._alone(one[:length]) for one, length in zip(frames, lengths, strict=True)]
        n_frames = -(-frames.shape[1] // self.time_reduction)
        log_probs = np.tile(_log_softmax(self._weights["output.bias"]), (len(found), n_frames, 1))
        for one, scores in zip(log_probs, found, strict=True):
            one[: len(scores)] = scores
        return log_probs, out_lengths

    def _alone(self, rows: FloatArray) -> FloatArray:
        for number in range(1, self._layers + 1):
            outputs = []
            for name, step in (("forward", 1), ("backward", -1)):
                prefix = f"layers.{number - 1}.{name}_cell."
                if prefix + "bias" in self._weights:
                    weights = (self._weights[prefix + one] for one in ("weight_ih", "weight_hh", "bias"))
                    outputs.append(_lstm(rows[::step], *weights)[::step])
            joined = np.concatenate(outputs, axis=1)
            rows = joined + rows if self._skips and number > 1 and joined.shape == rows.shape else joined
            if number == self._reduced_after and self.time_reduction > 1:
                missing = -len(rows) % self.time_reduction
                rows = np.pad(rows, ((0, missing), (0, 0))).reshape(-1, self.time_reduction * rows.shape[1])
        return _log_softmax(rows @ self._weights["output.weight"].T + self._weights["output.bias"])


def _lstm(rows: FloatArray, weight_ih: FloatArray, weight_hh: FloatArray, bias: FloatArray) -> FloatArray:
    hidden = weight_hh.shape[1]
    output = cell = np.zeros(hidden, dtype=np.float32)
    outputs = np.empty((len(rows), hidden), dtype=np.float32)
    for at, sums in enumerate(rows @ weight_ih.T + bias):
        i, f, g, o = np.split(sums + weight_hh @ output, 4)
        cell = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(g)
        outputs[at] = output = _sigmoid(o) * np.tanh(cell)
    return outputs


def _sigmoid(values: FloatArray) -> FloatArray:
    result: FloatArray = np.float32(0.5) * np.tanh(np.float32(0.5) * values) + np.float32(0.5)
    return result


def _log_softmax(scores: FloatArray) -> FloatArray:
    shifted = scores - scores.max(axis=-1, keepdims=True)
    result: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result
