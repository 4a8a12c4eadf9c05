"""The CTC loss (Graves, Fernandez, Gomez and Schmidhuber 2006, section 4)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def ctc_loss(log_probs: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor, blank: int = 0) -> Tensor:
    """Minus the log-probability of each utterance's labelling, summed over all its paths.

    Computed in float32 (float64 if `log_probs` are). The gradient is right for scores that went through log_softmax,
    as those of `RecurrentStack` did: torch's kernel has that step built in.

    Args:
        log_probs: (B, T, L) natural logarithms, normalised over L; nothing behind an utterance's length is read.
        lengths: (B,) int64, frames of each utterance, 0 <= lengths[b] <= T.
        labels: (B, U) int64 without blanks; what stands behind an utterance's label length is not read.
        label_lengths: (B,) int64, 0 <= label_lengths[b] <= U.
        blank: index of blank in L.

    Returns:
        (B,) losses in nats; +inf for an utterance whose labels do not fit its frames (`asr.ctc.guard` names those
        before training starts). Nothing is zeroed or left out.
    """
    dtype = torch.promote_types(log_probs.dtype, torch.float32)
    by_time = log_probs.to(dtype).transpose(0, 1)  # (T, B, L)
    return F.ctc_loss(by_time, labels, lengths, label_lengths, blank=blank, reduction="none", zero_infinity=False)
