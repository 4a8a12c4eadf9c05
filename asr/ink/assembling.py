"""From the numbers that a file holds to an `Ink`, by the same rules for every format.

- A stroke without points is left out; an ink of which nothing remains is an error. One point alone is a dot, and valid.
- NaN and infinite coordinates or times are an error.
- Where time runs backwards within a stroke, as real devices' clocks do, the stroke keeps its points and loses its
  times: neither the order nor the times are invented.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from asr.errors import DataError
from asr.ink.ink import MAX_POINTS, Ink, Stroke

MAX_BYTES = 64 << 20  # of a file, after decompression; reading takes at most about 20 times this


class InkBuilder:
    """Collects the strokes of one file.

    Args:
        path: of the file, for messages.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._strokes: list[Stroke] = []
        self._n_points = 0

    def add(self, points: ArrayLike, times: ArrayLike | None, where: str) -> None:
        """Add a stroke.

        Args:
            points: (N, 2), y upwards.
            times: (N,) seconds; None where not known.
            where: the stroke in the words of the format, such as `trace 3 (line 17)`.

        Raises:
            DataError: numbers that are not finite, too many points; names the file and the stroke.
        """
        points = np.asarray(points, dtype=np.float64)
        if len(points) == 0:
            return
        self._n_points += len(points)
        if self._n_points > MAX_POINTS:
            raise DataError(f"{self.path}: more than {MAX_POINTS} points; cut it into pages")
        if times is not None:
            times = np.asarray(times, dtype=np.float64)
            if np.isfinite(times).all() and (times[1:] < times[:-1]).any():
                times = None
        try:
            self._strokes.append(Stroke(points, times))
        except DataError as error:
            raise DataError(f"{self.path}: {where}: {error}; correct it or leave the stroke out") from None

    def ink(self, resolution: float | None = None) -> Ink:
        """All strokes that were added.

        Raises:
            DataError: there are none, or the resolution makes no sense; names the file.
        """
        if not self._strokes:
            raise DataError(f"{self.path}: holds no ink: not one stroke has a point; write it again or leave it out")
        try:
            return Ink(tuple(self._strokes), resolution)
        except DataError as error:
            raise DataError(f"{self.path}: {error}") from None
