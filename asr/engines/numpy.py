"""Run a network with numpy: suits one utterance or a few, because nothing else has to be loaded.

The input products of many steps of a layer are computed as one matrix product. The time loop computes both directions
together (`asr.engines.loops`), for the utterances that still run (`asr.engines.rows`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.blas import one_thread
from asr.engines.engine import FloatArray, IntArray, Network, check_batch
from asr.engines.layers import LayerWeights, layers_of, why_not
from asr.engines.loop_weights import LoopWeights, loop_weights_of
from asr.engines.rows import Rows
from asr.errors import ConfigError

_MOST_ROWS = 256  # rows whose input products are in memory at once


class NumpyEngine:
    """A network that numpy runs; threads may share it.

    An utterance has the same result in a batch as alone, up to rounding: log posteriors differ by less than
    `BATCH_TOLERANCE`, also from those of other engines.

    Args:
        network: a stack of recurrent layers with a cell of `asr.engines.layers.CELLS`.

    Raises:
        ConfigError: the network or its cell is not supported, or refuses an option.
        CheckpointError: the weights do not fit the network.
    """

    name = "numpy"

    def __init__(self, network: Network) -> None:
        reason = why_not(network)
        if reason:
            raise ConfigError(f"the engine numpy does not support this model: {reason}; use the engine torch")
        stack = layers_of(network)
        self.time_reduction = stack.time_reduction
        self._n_features = network.n_features
        self._layers = [_Layer(layer, loop_weights_of(layer.cells)) for layer in stack.layers]
        self._output_weight = np.ascontiguousarray(stack.output_weight.T)
        self._output_bias = stack.output_bias

    def posteriors(self, frames: FloatArray, lengths: IntArray) -> tuple[FloatArray, IntArray]:
        """Compute the log posteriors of a batch, see `Engine.posteriors`."""
        check_batch(frames, lengths, self._n_features)
        order = Rows(lengths, frames.shape[1])
        with (
            one_thread(),
            np.errstate(all="ignore"),
        ):  # non-finite frames give non-finite posteriors, which the caller checks
            rows = order.pack(frames)
            for layer in self._layers:
                rows, order = layer.run(rows, order)
            scores = rows @ self._output_weight
            scores += self._output_bias
            log_probs = order.unpack(_log_softmax(scores), _log_softmax(self._output_bias[None].copy())[0])
        return log_probs, order.lengths


@dataclass(frozen=True, eq=False)
class _Layer:
    """One layer, with its weights in the form for its loop."""

    described: LayerWeights
    weights: LoopWeights

    def run(self, rows: FloatArray, order: Rows) -> tuple[FloatArray, Rows]:
        """Turn rows (N, F) into rows (N', O); also return their order."""
        outputs = self._outputs(rows, order)
        if self.described.skip:
            outputs += rows
        factor = self.described.time_reduction
        return order.joined(outputs, factor) if factor > 1 else (outputs, order)

    def _outputs(self, rows: FloatArray, order: Rows) -> FloatArray:
        cells, size = self.described.cells, self.described.cells[0].output_size
        outputs = np.empty((len(rows), len(cells), size), dtype=np.float32)
        loop = self.weights.recurrence.begin(order.n_utterances)
        last = np.zeros((len(cells), order.n_utterances, size), dtype=np.float32)
        for first, end in order.blocks(_MOST_ROWS):
            start, stop = order.starts[first], order.starts[end]
            read = [order.mirrored[start:stop] if cell.backward else slice(start, stop) for cell in cells]
            inputs = self.weights.products([rows[one] for one in read])
            for begin, until, n_running in order.runs(first, end):
                given = _steps(inputs[:, begin - start : until - start], n_running)
                found = np.empty((len(given), len(cells), n_running, size), dtype=np.float32)
                loop(last[:, :n_running], given, found)
                last = found[-1]
                for at, cell in enumerate(cells):
                    place = order.mirrored[begin:until] if cell.backward else slice(begin, until)
                    outputs[place, at] = found[:, at].reshape(-1, size)
        if self.weights.scale != 1:
            outputs *= self.weights.scale
        return outputs.reshape(len(rows), -1)


def _steps(rows: FloatArray, n_running: int) -> FloatArray:
    """Turn rows (D, n * B, G) of B utterances into steps (n, D, B, G), without a copy."""
    return rows.reshape(len(rows), -1, n_running, rows.shape[2]).transpose(1, 0, 2, 3)


def _log_softmax(scores: FloatArray) -> FloatArray:
    """Convert scores (N, L) to log posteriors in place, and return them."""
    scores -= scores.max(axis=-1, keepdims=True)
    scores -= np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    return scores
