"""Where the frames of a padded batch are: computed once for a batch, used by every layer.

Inside the engine everything is time-major, (T, B, ...), because a recurrence reads one time step of all utterances.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _Permute(torch.autograd.Function):
    """Rows in another order, where the order is its own inverse: the gradient takes the same road, without sums."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, order: Tensor) -> Tensor:
        ctx.save_for_backward(order)
        return rows.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (order,) = ctx.saved_tensors
        return _Permute.apply(grad, order), None  # type: ignore[no-untyped-call]


class Layout:
    """Lengths of a padded batch, with the mask and the order that follow from them.

    Args:
        lengths: (B,) int64 on the CPU, each within 0..n_frames.
        n_frames: T, frames of the padded batch.
        device: where the frames are.

    Attributes:
        valid: (T, B, 1) bool, true on frames, false on padding.
    """

    def __init__(self, lengths: Tensor, n_frames: int, device: torch.device) -> None:
        self.lengths = lengths
        self.n_frames = n_frames
        self.device = device
        time = torch.arange(n_frames)[:, None]
        self.valid = (time < lengths).to(device)[..., None]
        mirrored = torch.where(time < lengths, lengths - 1 - time, time)  # (T, B), padding stays
        self._order = (mirrored * len(lengths) + torch.arange(len(lengths))).flatten().to(device)

    def mask(self, frames: Tensor) -> Tensor:
        """(T, B, F) with exactly 0 on the padding, whatever stood there, NaN included; so is its gradient."""
        return torch.where(self.valid, frames, frames.new_zeros(()))

    def reverse(self, frames: Tensor) -> Tensor:
        """(T, B, F) with each utterance reversed within its own length; its padding stays behind it."""
        flipped: Tensor = _Permute.apply(frames.reshape(-1, frames.shape[-1]), self._order)  # type: ignore[no-untyped-call]
        return flipped.view(frames.shape)

    def reduced(self, factor: int) -> Layout:
        """The layout after every `factor` frames became one; a last incomplete group counts as one."""
        return Layout(reduced_length(self.lengths, factor), reduced_length(self.n_frames, factor), self.device)


def reduced_length(length: Any, factor: int) -> Any:
    """ceil(length / factor), for an int or an integer tensor."""
    return (length + factor - 1) // factor
