"""Parallel streams through a long text, cut into windows: the training data of a language model with carried state."""

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
    """The next window of each stream.

    Attributes:
        ids: the names of the windows in messages.
        labels: (B, W) int64, what the model reads.
        following: (B, W) int64, the label behind each of them, which it predicts.
        cold: (B,) bool, whether the model begins the window without a past.
    """

    ids: tuple[str, ...]
    labels: Tensor
    following: Tensor
    cold: Tensor

    @property
    def size(self) -> int:
        """Labels."""
        return self.labels.numel()

    def to(self, device: str) -> Windows:
        """Return the same windows on a device."""
        return Windows(self.ids, *(one.to(device) for one in (self.labels, self.following, self.cold)))


class TextStreams:
    """A text, read as a ring by B streams of equal length; consecutive batches hold consecutive windows of all streams.

    Each pass through the text begins at a different place, so that windows differ from pass to pass. An epoch is a
    number of windows and continues where the last one stopped. The seed and the position determine everything.

    Args:
        text: (N,) label numbers.
        end: the label that ends a line.
        streams: B, how many streams.
        window: W, labels of a window.
        seed: of the run.
        epoch_labels: labels of an epoch, over all streams; None: a pass.
        cold_starts: share of the windows that are replaced: they begin without a past, with the end of a line drawn at
            random, as the texts do that a recogniser reads. The first windows of a pass have no past either.
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
        """The labels of each window of an epoch."""
        return [self._window] * (self._streams * self._windows_an_epoch)

    def batches(self, epoch: int) -> list[list[int]]:
        """Return the windows of each step: the first of all streams, the second of all streams, ..."""
        steps = range(self._windows_an_epoch)
        return [list(range(step * self._streams, (step + 1) * self._streams)) for step in steps]

    def load_batch(self, indices: Sequence[int], epoch: int) -> Windows:
        """Make the windows of one step, see `batches`."""
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
