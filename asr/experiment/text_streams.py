"""Training data of a language model whose state is carried on: parallel streams of a long text, cut into windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asr.seeds import generator


@dataclass(frozen=True)
class Windows:
    """A batch with the next window of each stream.

    Attributes:
        ids: names of the windows for messages.
        labels: (B, W) int64, the labels that the model reads.
        following: (B, W) int64, the label after each of them, which the model predicts.
        cold: (B,) bool, whether the model starts the window from its initial state.
    """

    ids: tuple[str, ...]
    labels: Tensor
    following: Tensor
    cold: Tensor

    @property
    def size(self) -> int:
        """The number of labels."""
        return self.labels.numel()

    def to(self, device: str) -> Windows:
        """Return a copy of the windows on a device."""
        return Windows(self.ids, *(one.to(device) for one in (self.labels, self.following, self.cold)))


class TextStreams:
    """A text divided into B streams of equal length; consecutive batches contain consecutive windows of all streams.

    The text is treated as a ring. Each pass through it starts at another random place, so that the windows differ. An
    epoch is a number of windows, and continues where the last epoch stopped. The batches depend only on the seed and
    the position.

    Args:
        text: (N,) label numbers.
        end: the label that ends a line.
        streams: B, the number of streams.
        window: W, the number of labels of a window.
        seed: the seed of the run.
        epoch_labels: the number of labels of an epoch over all streams; None for one pass.
        cold_starts: the share of windows that are replaced by cold starts: they start from the initial state, with the
            end of a randomly drawn line, like the texts that a recogniser reads. The first windows of a pass also
            start from the initial state.
    """

    def __init__(
        self,
        text: NDArray[np.int64],
        end: int,
        streams: int,
        window: int,
        seed: int,
        epoch_labels: int | None = None,
        cold_starts: float = 0.0,
    ) -> None:
        self._text, self._streams, self._window, self._seed = text, streams, window, seed
        self._cold_starts, self._ends = cold_starts, np.flatnonzero(text == end)
        self._stream_length = len(text) // streams
        self._windows_a_pass = max(1, self._stream_length // window)
        wanted = self._windows_a_pass if epoch_labels is None else epoch_labels // (streams * window)
        self._windows_an_epoch = max(1, wanted)

    @property
    def sizes(self) -> Sequence[int]:
        """The number of labels of each window of an epoch."""
        return [self._window] * (self._streams * self._windows_an_epoch)

    def batches(self, epoch: int) -> list[list[int]]:
        """Return the indices of the windows of each step: first the first windows of all streams, and so on."""
        steps = range(self._windows_an_epoch)
        return [list(range(step * self._streams, (step + 1) * self._streams)) for step in steps]

    def load_batch(self, indices: Sequence[int], epoch: int) -> Windows:
        """Return the windows of one step.

        Args:
            indices: one element of `batches(epoch)`.
            epoch: the number of the epoch, from 0.
        """
        step, streams = indices[0] // self._streams, np.array(indices) % self._streams
        which_pass, place = divmod(epoch * self._windows_an_epoch + step, self._windows_a_pass)
        offset = int(generator(self._seed, "text", which_pass).integers(len(self._text)))
        starts = offset + streams * self._stream_length + place * self._window  # (B,)
        rng = generator(self._seed, "cold", epoch, step)
        cold, lines = rng.random(len(streams)) < self._cold_starts, rng.choice(self._ends, len(streams))
        starts = np.where(cold, lines, starts) % len(self._text)
        found = self._text[(starts[:, None] + np.arange(self._window + 1)) % len(self._text)]  # (B, W + 1)
        labels, following = (torch.from_numpy(np.ascontiguousarray(one)) for one in (found[:, :-1], found[:, 1:]))
        ids = tuple(f"stream {number} at {start}" for number, start in zip(streams, starts, strict=True))
        return Windows(ids, labels, following, torch.from_numpy(cold | (place == 0)))
