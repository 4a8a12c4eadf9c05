"""Append first and second differences over time to frames (deltas)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

REACH = 2  # frames to either side


def with_differences(frames: NDArray[np.float32], order: int) -> NDArray[np.float32]:
    """Append differences: [frames, first differences, second differences].

    The HTK regression formula, d[t] = sum_k k (c[t+k] - c[t-k]) / (2 sum_k k^2) with k = 1, 2 (HTK Book, eq. 5.16); the
    first and the last frame are repeated beyond the ends. The second differences are the differences of the first.

    Args:
        frames: (T, F), T >= 1.
        order: 0, 1 or 2.

    Returns:
        (T, F * (1 + order)).

    >>> with_differences(np.arange(5, dtype=np.float32)[:, None], order=1)[2].tolist()
    [2.0, 1.0]
    """
    if order == 0:
        return frames
    blocks = [frames]
    for _ in range(order):
        blocks.append(_difference(blocks[-1]))
    return np.concatenate(blocks, axis=1)


def differences_of_blocks(blocks: Iterable[NDArray[np.float32]], order: int) -> Iterator[NDArray[np.float32]]:
    """Append differences to frames that arrive in blocks; the result lags by `REACH * order` frames.

    Args:
        blocks: consecutive frames (t, F) each, t >= 1.
        order: 0, 1 or 2.

    Yields:
        (t, F * (1 + order)), t >= 1; joined, they equal `with_differences` of all frames exactly.
    """
    margin = REACH * order  # frames to either side that a frame's differences depend on
    held: NDArray[np.float32] | None = None
    given = 0  # number of held frames that were already yielded
    for block in blocks:
        held = block if held is None else np.concatenate([held, block])
        ready = len(held) - margin
        if ready > given:
            yield with_differences(held, order)[given:ready]
            dropped = max(0, ready - margin)
            held, given = held[dropped:], ready - dropped
    if held is not None and len(held) > given:
        yield with_differences(held, order)[given:]


def _difference(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute (c[t+1] - c[t-1] + 2 (c[t+2] - c[t-2])) / 10 for frames c, (T, F)."""
    padded = np.concatenate([frames[:1]] * REACH + [frames] + [frames[-1:]] * REACH)
    near, far = padded[3:-1] - padded[1:-3], padded[4:] - padded[:-4]
    far *= 2
    near += far
    near /= 10
    return near
