"""From the numbers that a file holds to an `Ink`, by the same rules for every format.

- A stroke without points is left out; an ink of which nothing remains is an error. One point alone is a dot, and valid.
- A stroke that cannot be read (NaN, infinite numbers, a missing coordinate) is left out; the others are read, and one
  `DataWarning` names it. A file of which no stroke can be read is an error.
- Where time runs backwards within a stroke, as real devices' clocks do, the stroke keeps its points and loses its
  times: neither the order nor the times are invented.
"""

from __future__ import annotations

import reprlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from asr.errors import DataError, DataWarning
from asr.ink.ink import MAX_POINTS, Ink, Stroke
from asr.ink.sheets import Sheet, one_ink

MAX_BYTES = 64 << 20  # of a file, after decompression; reading takes at most about 20 times this
MAX_STROKES = 500_000  # of a file: hundreds of pages full of writing
_NAMED = 3  # strokes or notes that a warning describes; it counts the others
_SHOWN = 60  # characters of a value in a message


class BadStroke(Exception):  # noqa: N818  (not an error of the file: the other strokes are read)
    """One stroke cannot be read; says why."""


@dataclass
class _Page:
    """Strokes of a page, their layers if there are any, and how far below the first page it begins."""

    top: float = 0.0
    strokes: list[Stroke] = field(default_factory=list)
    layers: list[int] = field(default_factory=list)


class InkBuilder:
    """Collects the strokes of one file, page by page.

    Args:
        path: of the file, for messages.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pages: dict[int, _Page] = {}
        self._page, self._top = 1, 0.0
        self._n_strokes = 0
        self._n_points = 0
        self._bad: list[str] = []
        self._n_bad = 0
        self._notes: dict[str, None] = {}

    @contextmanager
    def reading(self, where: str) -> Iterator[None]:
        """Leave a stroke out, and warn of it in the end, if `BadStroke` is raised while it is read.

        Args:
            where: the stroke in the words of the format, such as `trace 3 (line 17)`.
        """
        try:
            yield
        except BadStroke as error:
            self.leave_out(where, str(error))

    def leave_out(self, where: str, why: str) -> None:
        """Warn in the end that a stroke is not there, as `reading` does."""
        self._n_bad += 1
        if len(self._bad) < _NAMED:
            self._bad.append(f"{where}: {why}")

    def note(self, what: str) -> None:
        """Warn in the end, once, of something beside the strokes that was not read as it stands."""
        if len(self._notes) <= _NAMED:
            self._notes[what] = None

    def begin_page(self, number: int, top: float = 0.0) -> None:
        """Add what comes to this page.

        Args:
            number: of the page, from 1; without this call all is on the first one.
            top: as of `Sheet`.
        """
        self._page, self._top = number, top  # pages take no memory until they have ink

    def add(self, points: ArrayLike, times: ArrayLike | None, where: str, layer: int | None = None) -> None:
        """Add a stroke to the page, or leave it out if its numbers are not finite.

        Args:
            points: (N, 2), y upwards.
            times: (N,) seconds; None where not known.
            where: the stroke, as in `reading`.
            layer: of the page, from 1; None where the format has none.

        Raises:
            DataError: too many points or strokes; names the file.
        """
        points = np.asarray(points, dtype=np.float64)
        if len(points) == 0:
            return
        self._n_points += len(points)
        if self._n_points > MAX_POINTS:
            raise DataError(f"{self.path}: more than {MAX_POINTS} points; cut it into pages")
        if self._n_strokes == MAX_STROKES:
            raise DataError(f"{self.path}: more than {MAX_STROKES} strokes; cut it into pages")
        with self.reading(where):
            stroke = _stroke(points, times)
            page = self._pages.setdefault(self._page, _Page(self._top))
            page.strokes.append(stroke)
            page.layers += [] if layer is None else [layer]
            self._n_strokes += 1

    def ink(self, resolution: float | None = None) -> Ink:
        """All strokes that were added, those of all pages as one ink; warns of those that were left out.

        Raises:
            DataError: there are none, or the resolution makes no sense; names the file.
        """
        return one_ink(self.sheets(resolution))

    def sheets(self, resolution: float | None = None, y_down: bool = True) -> tuple[Sheet, ...]:
        """The pages that have strokes; warns of strokes that were left out.

        Args:
            resolution: of all pages.
            y_down: as of `Sheet`.

        Raises:
            DataError: as `ink`.
        """
        if not self._n_strokes:
            raise DataError(f"{self.path}: {self._nothing()}")
        try:
            sheets = tuple(
                Sheet(Ink(tuple(page.strokes), resolution), number, tuple(page.layers), y_down, page.top)
                for number, page in sorted(self._pages.items())
            )
        except DataError as error:
            raise DataError(f"{self.path}: {error}") from None
        if self._n_bad or self._notes:
            warnings.warn(f"{self.path}: {self._left_out()}", DataWarning, stacklevel=2)
        return sheets

    def _nothing(self) -> str:
        if not self._n_bad:
            return "holds no ink: not one stroke has a point; write it again or leave it out"
        others = f" (and {self._n_bad - 1} more strokes)" if self._n_bad > 1 else ""
        return f"{self._bad[0]}{others}; no other stroke is there: correct it or leave the file out"

    def _left_out(self) -> str:
        parts = list(self._notes)[:_NAMED]
        if self._n_bad:
            total = self._n_strokes + self._n_bad
            more = f"; and {self._n_bad - len(self._bad)} more" if self._n_bad > len(self._bad) else ""
            parts.append(f"left out {self._n_bad} of {total} strokes: {'; '.join(self._bad)}{more}")
        return "; ".join(parts)


def shown(value: Any) -> str:
    """A value from a file as it may stand in a message: short, on one line, control characters escaped."""
    if isinstance(value, str):
        return repr(value[:_SHOWN])
    return _SHORT.repr(value)[:_SHOWN]


_SHORT = reprlib.Repr()  # bounded in depth and length: plain `repr` of what a file holds is neither


def _stroke(points: np.ndarray[Any, np.dtype[np.float64]], times: ArrayLike | None) -> Stroke:
    if times is not None:
        times = np.asarray(times, dtype=np.float64)
        if np.isfinite(times).all() and (times[1:] < times[:-1]).any():
            times = None
    try:
        return Stroke(points, times)
    except DataError as error:
        raise BadStroke(str(error)) from None
