"""Group items of similar sizes to batches, which needs little padding, and pad a batch to one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def group_by_length(sizes: Sequence[float], frame_budget: int, max_utterances: int) -> list[list[int]]:
    """Group items by size.

    Args:
        sizes: the size of each item, such as its frames.
        frame_budget: the largest size of a batch, padding included; a single item may exceed it.
        max_utterances: the largest number of items in a batch.

    Returns:
        For each batch the indices of its items; each index appears once, the smallest items come first.

    >>> group_by_length([5, 100, 6, 7], frame_budget=20, max_utterances=2)
    [[0, 2], [3], [1]]
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


def padded(frames: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Pad utterances with zeros to one batch.

    Args:
        frames: (T_b, F) of each utterance, at least one.

    Returns:
        (B, T, F) float32, T being the largest length, and the lengths, (B,) int64.

    >>> batch, lengths = padded([np.ones((2, 1), np.float32), np.ones((3, 1), np.float32)])
    >>> batch[..., 0].tolist(), lengths.tolist()
    ([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]], [2, 3])
    """
    lengths = np.array([len(one) for one in frames], dtype=np.int64)
    batch = np.zeros((len(frames), int(lengths.max()), frames[0].shape[1]), dtype=np.float32)
    for row, one in zip(batch, frames, strict=True):
        row[: len(one)] = one
    return batch, lengths
