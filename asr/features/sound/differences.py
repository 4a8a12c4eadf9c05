"""First and second differences of frames over time."""

from __future__ import annotations

import torch
from torch import Tensor

_REACH = 2  # frames to either side


def with_differences(frames: Tensor, order: int) -> Tensor:
    """Append differences: [frames, first differences, second differences].

    The HTK regression formula, d[t] = sum_k k (c[t+k] - c[t-k]) / (2 sum_k k^2) with k = 1, 2 (HTK Book, eq. 5.16); the
    first and the last frame are repeated beyond the ends. The second differences are the differences of the first.

    Args:
        frames: (T, F), T >= 1.
        order: 0, 1 or 2.

    Returns:
        (T, F * (1 + order)).
    """
    blocks = [frames]
    for _ in range(order):
        blocks.append(_difference(blocks[-1]))
    return torch.cat(blocks, dim=1) if order else frames


def _difference(frames: Tensor) -> Tensor:
    n_frames = len(frames)
    padded = torch.cat([frames[:1].expand(_REACH, -1), frames, frames[-1:].expand(_REACH, -1)])
    total = torch.zeros_like(frames)
    for k in range(1, _REACH + 1):
        total += k * (padded[_REACH + k : _REACH + k + n_frames] - padded[_REACH - k : _REACH - k + n_frames])
    return total / (2 * sum(k * k for k in range(1, _REACH + 1)))
