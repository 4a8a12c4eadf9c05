"""Check the posteriors that a search receives, if it sums over paths."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NORMALISED = 0.05
"""The tolerance for the sum of the probabilities of a frame, which should be 1; bfloat16 rounds them."""


def checked_posteriors(log_probs: NDArray[np.float32], n_labels: int, first_frame: int) -> NDArray[np.float64]:
    """Return exp(log_probs) of a chunk after checking it.

    Args:
        log_probs: (T, L) natural logarithms.
        n_labels: L, the size of the inventory.
        first_frame: the number of the chunk's first frame in the utterance, for messages.

    Returns:
        (T, L) float64 posteriors.

    Raises:
        ValueError: the shape is another one, a value is NaN, or the probabilities of a frame do not sum to 1.
    """
    if log_probs.ndim != 2 or log_probs.shape[1] != n_labels:
        raise ValueError(f"log_probs must be (T, {n_labels}), the size of the inventory, got {log_probs.shape}")
    posteriors = np.exp(log_probs, dtype=np.float64)
    sums = posteriors.sum(axis=1)
    good = np.abs(sums - 1.0) <= _NORMALISED  # false for NaN
    if good.all():
        return posteriors
    at = int(good.argmin())
    if np.isnan(sums[at]):
        raise ValueError(f"log_probs hold NaN at frame {first_frame + at}")
    raise ValueError(
        f"the probabilities at frame {first_frame + at} sum to {sums[at]:.3g}; log_probs must be natural logarithms of "
        "probabilities that sum to 1"
    )
