"""Build an `Ink` from the numbers of a file, by the same rules for every format.

- A stroke without points is left out; an ink without strokes is an error. A single point is a dot, and valid.
- A stroke that cannot be read (NaN, infinite numbers, a missing coordinate) is left out, and a `DataWarning` names it.
  A file of which no stroke can be read is an error.
- If time runs backwards within a stroke, as it does on some devices, the stroke keeps its points in their order but
  has no times.
- Highlighter strokes are kept apart from the ink. One that cannot be read, that is on a page without ink, or that comes
  after `MAX_HIGHLIGHTS` others, is left out without a warning.
"""

from __future__ import annotations

import reprlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from asr.errors import DataError, DataWarning
from asr.ink.ink import MAX_POINTS, Ink, Stroke
from asr.ink.sheets import Highlight, Sheet, one_ink

MAX_BYTES = 64 << 20  # of a file, after decompression; reading takes at most about 20 times this
MAX_STROKES = 500_000  # of a file: hundreds of full pages
MAX_HIGHLIGHTS = 20_000  # strokes of highlighters that are kept of a file
_NAMED = 3  # strokes or notes that a warning describes; it only counts the others
_SHOWN = 60  # characters of a value in a message


class BadStroke(Exception):  # noqa: N818  (not an error of the file: the other strokes are read)
    """Raised if one stroke cannot be read; the message says why."""


@dataclass
class _Page:
    """The strokes of a page, their layers if the format has any, and the page's distance below the first page."""

    top: float = 0.0
    strokes: list[Stroke] = field(default_factory=list)
    layers: list[int] = field(default_factory=list)


class InkBuilder:
    """Collector of the strokes of one file, page by page.

    Args:
        path: the file, for messages.

    >>> builder = InkBuilder(Path("letter.json"))
    >>> builder.add([[0, 0], [0, 10]], None, "stroke 0")
    >>> builder.ink().n_points
    2
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pages: dict[int, _Page] = {}
        self._page, self._top = 1, 0.0
        self._highlights: dict[int, list[Highlight]] = {}
        self._n_highlights = 0
        self._n_strokes = 0
        self._n_points = 0
        self._bad: list[str] = []
        self._n_bad = 0
        self._notes: dict[str, None] = {}

    @contextmanager
    def reading(self, where: str) -> Iterator[None]:
        """Leave a stroke out if `BadStroke` is raised inside the `with` statement; `sheets` warns about it.

        Args:
            where: name of the stroke in messages, such as `trace 3 (line 17)`.
        """
        try:
            yield
        except BadStroke as error:
            self.leave_out(where, str(error))

    def leave_out(self, where: str, why: str) -> None:
        """Record that a stroke is left out; `sheets` warns about it."""
        self._n_bad += 1
        if len(self._bad) < _NAMED:
            self._bad.append(f"{where}: {why}")

    def note(self, what: str) -> None:
        """Record a remark about something other than a stroke; `sheets` warns about it once."""
        if len(self._notes) <= _NAMED:
            self._notes[what] = None

    def begin_page(self, number: int, top: float = 0.0) -> None:
        """Add the following strokes to this page; without this call all strokes are on page 1.

        Args:
            number: number of the page, from 1.
            top: distance of its top below the first page's top.
        """
        self._page, self._top = number, top  # the page is created when it gets a stroke

    def add(self, points: ArrayLike, times: ArrayLike | None, where: str, layer: int | None = None) -> None:
        """Add a stroke to the current page, or leave it out if its numbers are not finite.

        Args:
            points: (N, 2), y upwards.
            times: (N,) seconds; None if not known.
            where: name of the stroke in messages.
            layer: layer of the page, from 1; None if the format has no layers.

        Raises:
            DataError: the file has too many points or strokes.
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

    def highlight(self, points: ArrayLike, layer: int | None = None) -> None:
        """Add a highlighter stroke to the current page, or leave it out if it has no points or is not finite.

        Args:
            points: (N, 2), y upwards.
            layer: layer of the page, from 1; None if the format has no layers.
        """
        if self._n_highlights == MAX_HIGHLIGHTS:
            return
        with suppress(BadStroke):
            stroke = _stroke(np.asarray(points, dtype=np.float64), None)
            self._highlights.setdefault(self._page, []).append(Highlight(stroke, layer))
            self._n_highlights += 1

    def ink(self, resolution: float | None = None) -> Ink:
        """Return all strokes as one ink, pages below each other; warn about strokes that were left out.

        Args:
            resolution: units per millimetre; None if not known.

        Raises:
            DataError: there are no strokes, or the resolution is not above 0.
        """
        return one_ink(self.sheets(resolution))

    def sheets(self, resolution: float | None = None, y_down: bool = True) -> tuple[Sheet, ...]:
        """Return the pages that have strokes; warn about strokes that were left out.

        Args:
            resolution: units per millimetre of all pages; None if not known.
            y_down: whether y grows downwards in the file.

        Raises:
            DataError: there are no strokes, or the resolution is not above 0.
        """
        if not self._n_strokes:
            raise DataError(f"{self.path}: {self._nothing()}")
        try:
            sheets = tuple(
                self._sheet(number, page, resolution, y_down) for number, page in sorted(self._pages.items())
            )
        except DataError as error:
            raise DataError(f"{self.path}: {error}") from None
        if self._n_bad or self._notes:
            warnings.warn(f"{self.path}: {self._left_out()}", DataWarning, stacklevel=2)
        return sheets

    def _sheet(self, number: int, page: _Page, resolution: float | None, y_down: bool) -> Sheet:
        ink, highlights = Ink(tuple(page.strokes), resolution), tuple(self._highlights.get(number, ()))
        return Sheet(ink, number, tuple(page.layers), y_down, page.top, highlights)

    def _nothing(self) -> str:
        if not self._n_bad:
            return "holds no ink: no stroke has a point; write it again or leave it out"
        others = f" (and {self._n_bad - 1} more strokes)" if self._n_bad > 1 else ""
        return f"{self._bad[0]}{others}; there is no other stroke; correct it or leave the file out"

    def _left_out(self) -> str:
        parts = list(self._notes)[:_NAMED]
        if self._n_bad:
            total = self._n_strokes + self._n_bad
            more = f"; and {self._n_bad - len(self._bad)} more" if self._n_bad > len(self._bad) else ""
            parts.append(f"left out {self._n_bad} of {total} strokes: {'; '.join(self._bad)}{more}")
        return "; ".join(parts)


def shown(value: Any) -> str:
    r"""Return a value from a file for a message: short, on one line, with control characters escaped.

    >>> shown("a\nb"), shown([1, 2])
    ("'a\\nb'", '[1, 2]')
    """
    if isinstance(value, str):
        return repr(value[:_SHOWN])
    return _SHORT.repr(value)[:_SHOWN]


_SHORT = reprlib.Repr()  # limited in depth and length, unlike plain `repr`


def _stroke(points: np.ndarray[Any, np.dtype[np.float64]], times: ArrayLike | None) -> Stroke:
    if times is not None:
        times = np.asarray(times, dtype=np.float64)
        if np.isfinite(times).all() and (times[1:] < times[:-1]).any():
            times = None
    try:
        return Stroke(points, times)
    except DataError as error:
        raise BadStroke(str(error)) from None
