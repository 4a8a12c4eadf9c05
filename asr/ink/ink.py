"""The types of handwriting: an `Ink` consists of strokes, a `Stroke` of points, with times if they are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asr.errors import DataError

MAX_POINTS = 10_000_000  # of one ink: hours of writing, 240 MB in memory


@dataclass(frozen=True, eq=False)
class Stroke:
    """The pen's path from pen down to pen up. Two strokes are equal if all their points and times are.

    Attributes:
        points: (N, 2) float64, N >= 1: x to the right, y upwards, finite, in the unit of the source; read-only.
        times: (N,) float64 seconds from any origin, never decreasing; None if not known; read-only.

    Raises:
        DataError: there are no points, numbers are not finite, or times decrease or are not one per point.

    >>> stroke = Stroke(np.array([[0.0, 0.0], [3.0, 4.0]]), times=np.array([0.0, 0.1]))
    >>> len(stroke), stroke.points.tolist()
    (2, [[0.0, 0.0], [3.0, 4.0]])
    """

    points: NDArray[np.float64]
    times: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", _frozen(self.points, "points"))
        if self.points.ndim != 2 or self.points.shape[1] != 2:
            raise DataError(f"points are (N, 2), x and y; got {self.points.shape}")
        if len(self.points) == 0:
            raise DataError("a stroke has no points; leave it out")
        if self.times is None:
            return
        object.__setattr__(self, "times", _frozen(self.times, "times"))
        if self.times.shape != (len(self.points),):
            raise DataError(f"{len(self.points)} points but times of shape {self.times.shape}; give one time per point")
        backwards = np.flatnonzero(np.diff(self.times) < 0)
        if len(backwards):
            at = int(backwards[0])
            raise DataError(
                f"time runs backwards after point {at}: {self.times[at]:g} s, then {self.times[at + 1]:g} s"
            )

    def __len__(self) -> int:
        return len(self.points)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Stroke):
            return NotImplemented
        if self.times is None or other.times is None:
            same_times = self.times is other.times
        else:
            same_times = np.array_equal(self.times, other.times)
        return same_times and np.array_equal(self.points, other.points)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Ink:
    """The strokes of a word, a line or a page.

    Attributes:
        strokes: the strokes in the order of writing, at least one.
        resolution: units of the coordinates per millimetre; None if not known.

    Raises:
        DataError: there are no strokes or more than `MAX_POINTS` points, or the resolution is not above 0.

    >>> ink = Ink.of([[0, 0], [0, 10]], [[-3, 7], [3, 7]])
    >>> len(ink.strokes), ink.n_points, ink.bounds()
    (2, 4, (-3.0, 0.0, 3.0, 10.0))
    """

    strokes: tuple[Stroke, ...]
    resolution: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "strokes", tuple(self.strokes))
        if not self.strokes:
            raise DataError("the ink is empty: it has no strokes")
        if self.n_points > MAX_POINTS:
            raise DataError(f"the ink has {self.n_points} points, more than {MAX_POINTS}; cut it into pages")
        if self.resolution is not None and not 0 < self.resolution < float("inf"):
            raise DataError(f"the resolution is {self.resolution} units per millimetre; expected above 0, or None")

    @classmethod
    def of(cls, *strokes: ArrayLike, resolution: float | None = None) -> Ink:
        """Make an ink from one array or list per stroke: (N, 2) x and y, or (N, 3) x, y and seconds.

        Raises:
            DataError: the numbers make no stroke or no ink.
        """
        return cls(tuple(_stroke(np.asarray(one, dtype=np.float64)) for one in strokes), resolution)

    @property
    def n_points(self) -> int:
        """Number of points of all strokes."""
        return sum(map(len, self.strokes))

    @property
    def has_times(self) -> bool:
        """Return whether the times of all points are known."""
        return all(stroke.times is not None for stroke in self.strokes)

    def points(self) -> NDArray[np.float64]:
        """Return x and y of all points in the order of writing, (N, 2)."""
        return np.concatenate([stroke.points for stroke in self.strokes])

    def stroke_ends(self) -> NDArray[np.int64]:
        """Return for each stroke the index after its last point in `points()`, (strokes,).

        >>> Ink.of([[0, 0], [0, 10]], [[-3, 7], [3, 7]]).stroke_ends().tolist()
        [2, 4]
        """
        return np.cumsum([len(stroke) for stroke in self.strokes])

    def bounds(self) -> tuple[float, float, float, float]:
        """Return lowest x, lowest y, highest x and highest y."""
        points = self.points()
        (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
        return float(left), float(bottom), float(right), float(top)


def _stroke(values: NDArray[np.float64]) -> Stroke:
    if values.ndim == 2 and values.shape[1] == 3:
        return Stroke(values[:, :2], values[:, 2])
    return Stroke(values)


def _frozen(values: ArrayLike, what: str) -> NDArray[np.float64]:
    array = np.array(values, dtype=np.float64)  # a copy, so that it can be made read-only
    if not np.isfinite(array).all():
        at = int(np.argwhere(~np.isfinite(array))[0][0])
        raise DataError(f"point {at} (from 0) has {what} that are NaN or infinite")
    array.setflags(write=False)
    return array
