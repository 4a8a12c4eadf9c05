"""Where a long recording is cut: in pauses, found by its loudness alone.

The rule: a piece lasts 10 to 30 seconds. The next border lies in that window behind the last one. *Floor* is the mean
loudness (in dB, every 10 ms) of the quietest 0.2 seconds in the window, *speech* the 90th percentile of the loudness. A
*pause* is a stretch of which every 0.2 seconds are on average less loud than a quarter of the way from floor to speech.
The border is the middle of the longest pause; there is always one, and where nobody pauses, as in music or under
applause, it is the quietest place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

SHORTEST_SECONDS, LONGEST_SECONDS = 10.0, 30.0
"""How long the pieces of a recording are."""

_PAUSE = 0.2  # seconds
_STEPS_A_SECOND = 100  # of the loudness
_QUIETEST = 1e-10  # power of a sample; -100 dB
_SPEECH = 90.0  # percentile
_PAUSE_BELOW = 0.25  # of the way from floor to speech


class Loudness:
    """The loudness of a sound that goes by in blocks, which may have any sizes.

    Args:
        rate: hertz of the samples.
    """

    def __init__(self, rate: int) -> None:
        self._step = max(1, round(rate / _STEPS_A_SECOND))
        self._rest = np.zeros(0, dtype=np.float32)
        self._levels: list[NDArray[np.float32]] = []

    def heard(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Give the blocks (n,) of samples on, as they are, and listen to them."""
        for block in blocks:
            self._add(block)
            yield block

    def levels(self) -> NDArray[np.float32]:
        """Return the loudness in dB below full scale of every whole 10 ms (to a sample), (S,) float32."""
        return np.concatenate([np.zeros(0, dtype=np.float32), *self._levels])

    def _add(self, block: NDArray[np.float32]) -> None:
        samples = np.concatenate([self._rest, block])
        n_steps = len(samples) // self._step
        steps = samples[: n_steps * self._step].reshape(n_steps, self._step)
        self._rest = samples[n_steps * self._step :]
        power = np.square(steps, dtype=np.float64).mean(axis=1)
        self._levels.append((10 * np.log10(np.maximum(power, _QUIETEST))).astype(np.float32))


def plan_cuts(levels: NDArray[np.float32]) -> list[float]:
    """Return where to cut a recording, by the rule of this module.

    Args:
        levels: (S,) loudness in dB every 10 ms, of `Loudness`.

    Returns:
        the borders between pieces, rising, in seconds from the beginning; none for a recording that fits into a piece.
    """
    shortest, longest = round(SHORTEST_SECONDS * _STEPS_A_SECOND), round(LONGEST_SECONDS * _STEPS_A_SECOND)
    borders, begin = [], 0
    while len(levels) - begin > longest:
        last = min(begin + longest, len(levels) - shortest)  # what remains is no shorter than other pieces
        begin += shortest + _quiet_place(levels[begin + shortest : last])
        borders.append(begin / _STEPS_A_SECOND)
    return borders


def _quiet_place(levels: NDArray[np.float32]) -> int:
    """The middle of the longest pause."""
    n_steps = round(_PAUSE * _STEPS_A_SECOND)
    below = np.concatenate([[0.0], np.cumsum(levels, dtype=np.float64)])
    means = (below[n_steps:] - below[:-n_steps]) / n_steps  # of the 0.2 seconds from each step on
    floor, speech = means.min(), np.percentile(levels, _SPEECH)
    quiet = means <= floor + max(0.0, _PAUSE_BELOW * (speech - floor))
    edges = np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1 + n_steps
    longest = int((ends - begins).argmax())
    return int(begins[longest] + ends[longest]) // 2
