"""Consistency loss: make the network give the same posteriors for two masked views of an utterance.

Z. Yao and others, "CR-CTC: Consistency regularization on CTC for improved speech recognition" (ICLR 2025, arXiv
2410.05101), equations 4 and 5.
"""

from __future__ import annotations

import torch
from torch import Tensor


def consistency_loss(first: Tensor, second: Tensor, lengths: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence between two views, as the mean of both directions, summed over frames.

    No gradient flows into the target of each direction.

    Args:
        first, second: (B, T, L) finite natural logarithms, normalised over L. Frames beyond an utterance's length do
            not count, but must be finite too, because NaN there would make gradients NaN.
        lengths: (B,) int64 on the CPU, the number of frames of each utterance in both views.

    Returns:
        (B,) in nats; 0 if both views are the same.
    """
    frames = torch.arange(first.shape[1])[None, :] < lengths[:, None]
    inside = frames.to(first.device)[:, :, None]
    both = _divergence(first, second.detach()) + _divergence(second, first.detach())
    return 0.5 * torch.where(inside, both, 0.0).sum((1, 2))


def _divergence(found: Tensor, target: Tensor) -> Tensor:
    """Return the terms of KL(target || found), (B, T, L)."""
    return target.exp() * (target - found)
