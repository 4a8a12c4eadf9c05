"""Cut a signal into overlapping windows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from asr.config import check_values, one_of
from asr.errors import DataError

EDGES = ("inside", "mirrored", "centred")


@dataclass(frozen=True)
class Framing:
    """Where the windows of a signal lie; all in samples.

    Attributes:
        window: length of a window, W.
        shift: step between windows, S.
        edges: `inside`: only windows within the signal, T = 1 + (N - W) // S (HTK, Kaldi); a shorter signal is padded
            with zeros to one window. `mirrored`: T = round(N / S), the signal is mirrored at its ends, end samples
            twice (Kaldi's snip-edges=false). `centred`: T = 1 + N // S, window t is centred on sample t * S, mirrored
            with the end samples once (librosa, torchaudio).
    """

    window: int
    shift: int
    edges: str = "inside"

    def __post_init__(self) -> None:
        check_values(vars(self), {"edges": one_of(self.edges, EDGES)})

    @property
    def first(self) -> int:
        """Sample where the first window begins; negative where it reaches before the signal."""
        return {"inside": 0, "mirrored": self.shift // 2 - self.window // 2, "centred": -(self.window // 2)}[self.edges]

    def n_frames(self, n_samples: int) -> int:
        """T for a signal of n_samples; 0 only for an empty one."""
        if n_samples <= 0:
            return 0
        if self.edges == "inside":
            return 1 + max(0, n_samples - self.window) // self.shift
        if self.edges == "mirrored":
            return max(1, (n_samples + self.shift // 2) // self.shift)
        return 1 + n_samples // self.shift

    def windows(self, signal: Tensor) -> Tensor:
        """The windows of a signal (N,) as a view (T, W).

        Raises:
            DataError: the signal is empty.
        """
        n_samples = len(signal)
        n_frames = self.n_frames(n_samples)
        if n_frames == 0:
            raise DataError("the signal is empty (0 samples): nothing to compute frames from")
        before = -self.first
        after = (n_frames - 1) * self.shift + self.first + self.window - n_samples
        if before > 0 or after > 0:
            signal = self._pad(signal, max(0, before), max(0, after))
        return signal[max(0, self.first) :].unfold(0, self.window, self.shift)[:n_frames]

    def _pad(self, signal: Tensor, before: int, after: int) -> Tensor:
        if self.edges == "inside":
            return functional.pad(signal, (before, after))
        # An index that bounces between the ends, so that any padding fits any length.
        positions = torch.arange(-before, len(signal) + after)
        last = len(signal) - 1
        if self.edges == "mirrored":
            positions = positions.remainder(2 * len(signal))
            positions = torch.minimum(positions, 2 * len(signal) - 1 - positions)
        else:
            positions = positions.remainder(max(1, 2 * last))
            positions = torch.minimum(positions, 2 * last - positions)
        return signal[positions]
