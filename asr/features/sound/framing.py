"""Cut a signal into overlapping windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from asr.config import check_values, one_of
from asr.errors import DataError

EDGES = ("inside", "mirrored", "centred")
_MOST_SAMPLES = 1 << 16  # processed at a time, so that a long block needs no more memory than short ones


@dataclass(frozen=True)
class Framing:
    """The positions of the windows of a signal, in samples.

    Attributes:
        window: length of a window, W.
        shift: step between windows, S.
        edges: `inside`: only windows within the signal, T = 1 + (N - W) // S (HTK, Kaldi); a shorter signal is padded
            with zeros to one window. `mirrored`: T = round(N / S), the signal is mirrored at its ends, end samples
            twice (Kaldi's snip-edges=false). `centred`: T = 1 + N // S, window t is centred on sample t * S, mirrored
            with the end samples once (librosa, torchaudio).

    >>> Framing(window=400, shift=160).n_frames(16000)
    98
    """

    window: int
    shift: int
    edges: str = "inside"

    def __post_init__(self) -> None:
        check_values(vars(self), {"edges": one_of(self.edges, EDGES)})

    @property
    def first(self) -> int:
        """First sample of the first window; negative if the window begins before the signal."""
        return {"inside": 0, "mirrored": self.shift // 2 - self.window // 2, "centred": -(self.window // 2)}[self.edges]

    def n_frames(self, n_samples: int) -> int:
        """Return the number of windows, T, of a signal of `n_samples`; 0 only if it is empty."""
        if n_samples <= 0:
            return 0
        if self.edges == "inside":
            return 1 + max(0, n_samples - self.window) // self.shift
        if self.edges == "mirrored":
            return max(1, (n_samples + self.shift // 2) // self.shift)
        return 1 + n_samples // self.shift

    def windows(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the windows of a signal (N,) as a read-only view (T, W).

        Raises:
            DataError: the signal is empty.
        """
        return sliding_window_view(self.padded(signal), self.window)[:: self.shift]

    def padded(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the samples (S * (T - 1) + W,) that the windows of a signal (N,) cover.

        Raises:
            DataError: the signal is empty.
        """
        n_frames = self.n_frames(len(signal))
        if n_frames == 0:
            raise DataError("the signal is empty (0 samples), so there are no frames; leave it out")
        end = self.first + (n_frames - 1) * self.shift + self.window
        signal = self._extended(signal, max(0, -self.first), max(0, end - len(signal)))
        return signal[max(0, self.first) :][: end - self.first]

    def padded_blocks(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Cut a signal that arrives in blocks into stretches; keep at most two windows and a block in memory.

        Args:
            blocks: consecutive samples (n,) each; may be empty.

        Yields:
            (S * (t - 1) + W,), t >= 1: the samples of the next t windows of the whole signal. Stretches overlap as
            windows do. A window is yielded as soon as its last sample has arrived.

        Raises:
            DataError: the signal is empty.
        """
        held = np.zeros(0, dtype=np.float32)  # samples that are still needed, with mirrored ones before the first
        begin = 0  # start of the next window in `held`
        n_samples = n_cut = 0
        started, enough = False, max(2, self.window)  # samples needed to mirror at either end
        for block in _pieces(blocks):
            held = np.concatenate([held, block])
            n_samples += len(block)
            if not started and n_samples >= enough:
                held, begin, started = self._extended(held, max(0, -self.first), 0), max(0, self.first), True
            ready = 1 + (len(held) - begin - self.window) // self.shift if started else 0
            if ready > 0:
                yield held[begin : begin + (ready - 1) * self.shift + self.window]
                n_cut, begin = n_cut + ready, begin + ready * self.shift
                dropped = max(0, min(begin, len(held)) - enough)
                held, begin = held[dropped:], begin - dropped
        if not started:
            yield self.padded(held)
        elif (more := self.n_frames(n_samples) - n_cut) > 0:
            end = begin + (more - 1) * self.shift + self.window
            yield self._extended(held, 0, end - len(held))[begin:]

    def _extended(self, signal: NDArray[np.float32], before: int, after: int) -> NDArray[np.float32]:
        """Add samples at both ends: zeros, or samples mirrored at the ends (repeatedly, if the signal is short)."""
        if before == after == 0:
            return signal
        if self.edges == "inside":
            return np.pad(signal, (before, after))
        n_samples = len(signal)
        ends = np.arange(-before, 0), np.arange(n_samples, n_samples + after)
        left, right = (signal[self._mirrored(positions, n_samples)] for positions in ends)
        return np.concatenate([left, signal, right])

    def _mirrored(self, positions: NDArray[np.int64], n_samples: int) -> NDArray[np.int64]:
        """Map positions outside the signal to their mirrored positions, 0 to n_samples - 1."""
        twice = 2 * n_samples if self.edges == "mirrored" else max(1, 2 * n_samples - 2)
        positions = positions % twice
        return np.minimum(positions, twice - int(self.edges == "mirrored") - positions)


def _pieces(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        for begin in range(0, len(block), _MOST_SAMPLES):
            yield block[begin : begin + _MOST_SAMPLES]
