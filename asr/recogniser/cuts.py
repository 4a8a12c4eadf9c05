"""Where a long recording is cut: in pauses, found by its loudness alone.

The rule: a piece lasts 10 to 30 seconds. The next border lies in that window behind the last one. *Floor* and *speech*
are the 10th and the 90th percentile of the loudness (in dB, every 10 ms) within the window; a *pause* is a stretch of
at least 0.2 seconds that is less loud than a quarter of the way from floor to speech. The border is the middle of the
longest pause. Where there is none, as in music or under applause, it is the middle of the quietest 0.2 seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

_SHORTEST, _LONGEST = 10.0, 30.0  # seconds of a piece
_PAUSE = 0.2  # seconds, at least
_STEPS_A_SECOND = 100  # of the loudness
_QUIETEST = 1e-10  # power of a sample; -100 dB
_FLOOR, _SPEECH = 10.0, 90.0  # percentiles
_LEAST_RANGE = 6.0  # dB between both, or there is no pause
_PAUSE_BELOW = 0.25  # of the range


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
    shortest, longest = round(_SHORTEST * _STEPS_A_SECOND), round(_LONGEST * _STEPS_A_SECOND)
    borders, begin = [], 0
    while len(levels) - begin > longest:
        last = min(begin + longest, len(levels) - shortest)  # what remains is no shorter than other pieces
        begin += shortest + _quiet_place(levels[begin + shortest : last])
        borders.append(begin / _STEPS_A_SECOND)
    return borders


def _quiet_place(levels: NDArray[np.float32]) -> int:
    """The middle of the longest pause, or of the quietest stretch."""
    least = round(_PAUSE * _STEPS_A_SECOND)
    begins, ends = _pauses(levels)
    lengths = ends - begins
    if len(lengths) and lengths.max() >= least:
        longest = int(lengths.argmax())
        return int(begins[longest] + ends[longest]) // 2
    below = np.concatenate([[0.0], np.cumsum(levels, dtype=np.float64)])
    return int((below[least:] - below[:-least]).argmin()) + least // 2


def _pauses(levels: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First steps of the stretches that are quiet, and the steps behind them."""
    floor, speech = np.percentile(levels, [_FLOOR, _SPEECH])
    quiet = (levels <= floor + _PAUSE_BELOW * (speech - floor)) & (speech - floor >= _LEAST_RANGE)
    edges = np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]]))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
