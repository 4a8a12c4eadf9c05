"""The CTC loss (Graves, Fernandez, Gomez and Schmidhuber 2006, section 4)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def ctc_loss(log_probs: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor, blank: int = 0) -> Tensor:
    """Return the negative log probability of each utterance's labelling, which sums over all its paths.

    It is computed in float32, or in float64 if `log_probs` are. The gradient is only correct if `log_probs` come from
    log_softmax, as those of `RecurrentStack` do: torch's kernel assumes this step.

    Args:
        log_probs: (B, T, L) natural logarithms, normalised over L; frames beyond an utterance's length are not read.
        lengths: (B,) int64, the number of frames of each utterance, 0 <= lengths[b] <= T.
        labels: (B, U) int64 without blanks; values beyond an utterance's label length are not read.
        label_lengths: (B,) int64, 0 <= label_lengths[b] <= U.
        blank: the index of the blank in L.

    Returns:
        (B,) losses in nats; +inf for an utterance with fewer frames than its labels need (`asr.ctc.guard` reports
        these before training). No loss is set to zero or left out.

    >>> log_probs = torch.tensor([[[0.5, 0.5], [0.5, 0.5]]]).log()  # paths of the label 1: -1, 1- and 11
    >>> loss = ctc_loss(log_probs, torch.tensor([2]), torch.tensor([[1]]), torch.tensor([1]))
    >>> round(float(torch.exp(-loss)), 4)
    0.75
    """
    dtype = torch.promote_types(log_probs.dtype, torch.float32)
    by_time = log_probs.to(dtype).transpose(0, 1)  # (T, B, L)
    return F.ctc_loss(by_time, labels, lengths, label_lengths, blank=blank, reduction="none", zero_infinity=False)
