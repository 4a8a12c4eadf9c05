"""Groups of items with similar sizes, so that batches hold little padding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def group_by_length(sizes: Sequence[float], frame_budget: int, max_utterances: int) -> list[list[int]]:
    """Group items by size.

    Args:
        sizes: the size of each item, such as its frames.
        frame_budget: the largest size of a batch, padding included; a single item may exceed it.
        max_utterances: the largest number of items in a batch.

    Returns:
        For each batch the indices of its items; each index appears once, the smallest items come first.
    """
    batches: list[list[int]] = []
    current: list[int] = []
    for index in np.argsort(np.asarray(sizes), kind="stable").tolist():
        padded = sizes[index] * (len(current) + 1)  # the newest is the longest
        if current and (padded > frame_budget or len(current) == max_utterances):
            batches.append(current)
            current = []
        current.append(index)
    return [*batches, current] if current else batches
