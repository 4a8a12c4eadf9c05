"""A bidirectional stack for streams, which reads in chunks and looks a bounded number of frames ahead.

The latency-controlled bidirectional network of Zhang, Chen, Yu, Yao, Khudanpur and Glass 2016, "Highway long short-term
memory RNNs for distant speech recognition", section 3: in each layer the forward cell continues from the state at the
end of the previous chunk, and the backward cell starts from its initial state `right` frames after each chunk. If
`right` always reaches the end of the utterance, all outputs equal those of the stack.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from asr.errors import ConfigError
from asr.recurrent import paths
from asr.recurrent.cells.cell import State
from asr.recurrent.layer import RecurrentLayer
from asr.recurrent.layout import Layout
from asr.recurrent.stack import RecurrentStack


class ChunkedStack:
    """A runner of a stack over utterances that arrive in pieces of any size, one utterance after another.

    The log posteriors of a frame are returned once its chunk and the context after it have arrived: at most
    `chunk + right` frames later. Call `stack.eval()` first.

    Args:
        stack: the network.
        chunk: frames that are computed together, a multiple of the stack's time reduction.
        right: frames after a chunk that the backward cells see, 0 or a multiple of the stack's time reduction.

    Raises:
        ConfigError: `chunk` is below 1, `right` is below 0, or one of them is not such a multiple.
    """

    def __init__(self, stack: RecurrentStack, chunk: int, right: int) -> None:
        factor = stack.time_reduction
        if chunk < 1 or right < 0 or chunk % factor or right % factor:
            raise ConfigError(
                f"chunk={chunk} must be 1 or more and right={right} 0 or more, "
                f"multiples of model.time_reduction={factor}"
            )
        self.stack = stack
        self.chunk = chunk
        self.right = right
        self._begin()

    def _begin(self) -> None:
        self._waiting: Tensor | None = None
        self._states: list[State | None] = [None] * len(self.stack.layers)

    def push(self, frames: Tensor) -> Tensor:
        """Add the next frames of the utterance.

        Args:
            frames: (n, F) float, n >= 0.

        Returns:
            Log posteriors (m, L) of the chunks that are now complete, in order; m is often 0.
        """
        self._waiting = frames if self._waiting is None else torch.cat([self._waiting, frames])
        return self._read(self.chunk + self.right)

    def end(self) -> Tensor:
        """End the utterance; return the log posteriors (m, L) of its remaining frames. `push` then starts another."""
        outputs = self._read(1)
        self._begin()
        return outputs

    def _read(self, least: int) -> Tensor:
        """Compute chunks while at least `least` frames are waiting."""
        outputs = [self.stack.output.weight.new_empty(0, self.stack.n_labels)]
        while self._waiting is not None and len(self._waiting) >= least:
            seen = self._waiting[: self.chunk + self.right]
            outputs.append(self._compute(seen, min(self.chunk, len(seen))))
            self._waiting = self._waiting[self.chunk :]
        return torch.cat(outputs)

    def _compute(self, frames: Tensor, n_now: int) -> Tensor:
        """Return the log posteriors of the first `n_now` frames; the frames after them are context."""
        log_probs, _ = self.stack.through(
            frames, _alone(len(frames)), lambda number, rows, layout: self._layer(number, rows, n_now)
        )
        return log_probs[0, : self.stack.out_length(n_now)]

    def _layer(self, number: int, rows: Tensor, n_now: int) -> Tensor:
        """Run a layer over a chunk and its context, (n, F) to (n, O)."""
        layer = cast(RecurrentLayer, self.stack.layers[number - 1])
        n_now = self.stack.out_length(n_now) if number > self.stack.time_reduction_after else n_now
        found = []
        if layer.forward_cell is not None:
            now, state = paths.stream(layer.forward_cell, rows[:n_now], _alone(n_now), self._states[number - 1])
            self._states[number - 1] = state
            n_later = len(rows) - n_now
            later = [paths.stream(layer.forward_cell, rows[n_now:], _alone(n_later), state)[0]] if n_later else []
            found.append(torch.cat([now, *later]))
        if layer.backward_cell is not None:
            found.append(RecurrentLayer(None, layer.backward_cell)(rows, _alone(len(rows))))
        return torch.cat(found, dim=1)


def _alone(n_frames: int) -> Layout:
    """Return the layout of one utterance."""
    return Layout(torch.tensor([n_frames]), n_frames, torch.device("cpu"))
