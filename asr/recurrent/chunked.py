"""A bidirectional stack for streams: it reads in chunks, and of what comes later only a bounded part.

The latency-controlled bidirectional network of Zhang, Chen, Yu, Yao, Khudanpur and Glass 2016, "Highway long short-term
memory RNNs for distant speech recognition", section 3: in each layer the forward cell goes on from where the chunk
before ended, and the backward cell begins anew `right` frames behind each chunk. With a context that reaches the end of
the utterance from every chunk, all outputs are those of the stack.
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
    """One utterance after another through a stack, by pieces of any size.

    A frame is answered when its chunk and the context behind it are there: `chunk + right` frames late at most. The
    stack is used as it is; put it in evaluation first.

    Args:
        stack: what reads.
        chunk: frames that are answered together, a multiple of the stack's time reduction.
        right: frames behind a chunk that the backward cells see, a multiple of the same, 0 or more.

    Raises:
        ConfigError: no such multiples.
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
        """Hear more of the utterance.

        Args:
            frames: (n, F) float, the next ones, any number.

        Returns:
            log posteriors (m, L) of the chunks that can be answered now, in order; often none.
        """
        self._waiting = frames if self._waiting is None else torch.cat([self._waiting, frames])
        return self._read(self.chunk + self.right)

    def end(self) -> Tensor:
        """The utterance is over: log posteriors (m, L) of what is left of it; the next `push` begins another."""
        answers = self._read(1)
        self._begin()
        return answers

    def _read(self, least: int) -> Tensor:
        """Answer chunks for as long as `least` frames are waiting."""
        answers = [self.stack.output.weight.new_empty(0, self.stack.n_labels)]
        while self._waiting is not None and len(self._waiting) >= least:
            seen = self._waiting[: self.chunk + self.right]
            answers.append(self._answer(seen, min(self.chunk, len(seen))))
            self._waiting = self._waiting[self.chunk :]
        return torch.cat(answers)

    def _answer(self, frames: Tensor, n_now: int) -> Tensor:
        """Log posteriors of the first `n_now` frames; those behind them are context."""
        log_probs, _ = self.stack.through(
            frames, _alone(len(frames)), lambda number, rows, layout: self._layer(number, rows, n_now)
        )
        return log_probs[0, : self.stack.out_length(n_now)]

    def _layer(self, number: int, rows: Tensor, n_now: int) -> Tensor:
        """A layer over a chunk and its context, (n, F) to (n, O)."""
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
    """Of one utterance."""
    return Layout(torch.tensor([n_frames]), n_frames, torch.device("cpu"))
