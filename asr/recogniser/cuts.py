"""Choose where to divide a long recording: in pauses, which its loudness shows.

A piece lasts 10 to 30 seconds, so the next border is searched in the window of 10 to 30 seconds after the last one. The
*floor* is the mean loudness (in dB, every 10 ms) of the quietest 0.2 seconds in the window; *speech* is the 90th
percentile of the loudness. A *pause* is a stretch in which the mean loudness of every 0.2 seconds is closer to the
floor than a quarter of the way to speech. The border is the middle of the longest pause. There is always one: without a
real pause, as in music or during applause, it is the quietest place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

SHORTEST_SECONDS, LONGEST_SECONDS = 10.0, 30.0
"""The least and the largest duration of a piece."""

_PAUSE = 0.2  # seconds
_STEPS_A_SECOND = 100  # how often the loudness is measured
_QUIETEST = 1e-10  # the least power of a sample, -100 dB
_SPEECH = 90.0  # percentile of the loudness
_PAUSE_BELOW = 0.25  # the limit of a pause, between floor (0) and speech (1)


class Loudness:
    """A meter that measures the loudness of a sound while its blocks, of any sizes, are read.

    Args:
        rate: the sampling rate in hertz.
    """

    def __init__(self, rate: int) -> None:
        self._step = max(1, round(rate / _STEPS_A_SECOND))
        self._rest = np.zeros(0, dtype=np.float32)
        self._levels: list[NDArray[np.float32]] = []

    def heard(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Yield the blocks (n,) of samples unchanged, and measure their loudness."""
        for block in blocks:
            self._add(block)
            yield block

    def levels(self) -> NDArray[np.float32]:
        """Return (S,) float32, the loudness of every complete 10 ms, in dB relative to full scale."""
        return np.concatenate([np.zeros(0, dtype=np.float32), *self._levels])

    def _add(self, block: NDArray[np.float32]) -> None:
        samples = np.concatenate([self._rest, block])
        n_steps = len(samples) // self._step
        steps = samples[: n_steps * self._step].reshape(n_steps, self._step)
        self._rest = samples[n_steps * self._step :]
        power = np.square(steps, dtype=np.float64).mean(axis=1)
        self._levels.append((10 * np.log10(np.maximum(power, _QUIETEST))).astype(np.float32))


def plan_cuts(levels: NDArray[np.float32]) -> list[float]:
    """Choose where to divide a recording, by the rule of this module.

    Args:
        levels: (S,) the loudness in dB every 10 ms, from `Loudness`.

    Returns:
        The borders between pieces, rising, in seconds from the beginning; none if the recording fits into one piece.

    >>> levels = np.zeros(4000, dtype=np.float32)  # 40 seconds
    >>> levels[1500:1600] = -60.0  # one of them quiet
    >>> plan_cuts(levels)
    [15.5]
    """
    shortest, longest = round(SHORTEST_SECONDS * _STEPS_A_SECOND), round(LONGEST_SECONDS * _STEPS_A_SECOND)
    borders, begin = [], 0
    while len(levels) - begin > longest:
        last = min(begin + longest, len(levels) - shortest)  # so that the rest is not shorter than other pieces
        begin += shortest + _quiet_place(levels[begin + shortest : last])
        borders.append(begin / _STEPS_A_SECOND)
    return borders


def _quiet_place(levels: NDArray[np.float32]) -> int:
    """Return the index of the middle of the longest pause."""
    n_steps = round(_PAUSE * _STEPS_A_SECOND)
    below = np.concatenate([[0.0], np.cumsum(levels, dtype=np.float64)])
    means = (below[n_steps:] - below[:-n_steps]) / n_steps  # the mean loudness of the 0.2 seconds from each step on
    floor, speech = means.min(), np.percentile(levels, _SPEECH)
    quiet = means <= floor + max(0.0, _PAUSE_BELOW * (speech - floor))
    edges = np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1 + n_steps
    longest = int((ends - begins).argmax())
    return int(begins[longest] + ends[longest]) // 2
