"""Consistency of two views of an utterance: what the network says of one must be what it says of the other.

Z. Yao and others, "CR-CTC: Consistency regularization on CTC for improved speech recognition" (ICLR 2025, arXiv
2410.05101), equations 4 and 5.
"""

from __future__ import annotations

import torch
from torch import Tensor


def consistency_loss(first: Tensor, second: Tensor, lengths: Tensor) -> Tensor:
    """Kullback-Leibler divergence between two views, each frame's mean of both directions, summed over the frames.

    Each view is drawn towards the other one as it stands: no gradient flows into the target.

    Args:
        first, second: (B, T, L) natural logarithms, normalised over L; nothing behind an utterance's length counts.
        lengths: (B,) int64 on the CPU, frames of each utterance in both views.

    Returns:
        (B,) in nats, 0 where both views are the same.
    """
    frames = torch.arange(first.shape[1])[None, :] < lengths[:, None]
    inside = frames.to(first.device)[:, :, None]
    both = _divergence(first, second.detach()) + _divergence(second, first.detach())
    return 0.5 * torch.where(inside, both, 0.0).sum((1, 2))


def _divergence(found: Tensor, target: Tensor) -> Tensor:
    """(B, T, L) terms of KL(target || found)."""
    return target.exp() * (target - found)
