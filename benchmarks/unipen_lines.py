"""The segments of UNIPEN's category 8 that are one line, by writer; pages are composed of them.

Labels of category 8 have no line breaks, and some segments hold several lines. The rule that finds them follows the
order of writing. Its unit is h, the median height of the strokes, each weighted by the length of its ink. A segment
holds several lines if the pen somewhere goes back to the left by more than 2 h, and the ink from there on lies below
the ink before by more than h, in the median of the columns (2 h wide) in which both have ink; there must be at least
two such columns. Dots and dashes (strokes below 0.3 h) do not count. A segment that is higher than wide and higher than
3 h holds several lines, too; they are too short for columns.

Segments in which the pen jumps by more than 2 h between two points of a stroke are also left out: the source has points
that are no ink.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.corpus.utterance import Utterance
from asr.ink import Ink, read_ink
from data_prep.unipen import reader as unipen
from tests.ink.composed_pages import Written

Floats = NDArray[np.float64]

_WEAK = 0.3  # h
_BACK = 2.0  # h
_BELOW = 1.0  # h
_COLUMN = 2.0  # h
_HIGH = 3.0  # h
_JUMP = 2.0  # h
_COLUMNS = 2  # columns with ink of both, at least


@dataclass(frozen=True)
class Lines:
    """The lines of a split.

    Attributes:
        writers: the lines of each writer, in the order of the writers' keys.
        several: ids of segments that hold several lines.
        jumps: ids of segments with points that are no ink.
    """

    writers: tuple[tuple[Written, ...], ...]
    several: tuple[str, ...]
    jumps: tuple[str, ...]

    @property
    def all(self) -> list[Written]:
        """Return the lines of all writers."""
        return [line for lines in self.writers for line in lines]


def lines_of(release: Path, split: str = "dev") -> Lines:
    """Return the lines of a split of category 8, and the segments that are left out."""
    utterances = unipen.prepare(unipen.Config(root=str(release), category="text"))[split]
    writers: dict[str, list[Written]] = {}
    several, jumps = [], []
    for one in utterances:
        ink = _ink_of(one)
        if holds_several_lines(ink):
            several.append(one.id)
        elif _jumps(ink):
            jumps.append(one.id)
        else:
            writers.setdefault(str(one.speaker), []).append(Written(ink, one.text or ""))
    ordered = tuple(tuple(writers[writer]) for writer in sorted(writers))
    return Lines(ordered, tuple(several), tuple(jumps))


def _ink_of(one: Utterance) -> Ink:
    return read_ink(one.source, None if one.start is None else int(one.start), int(one.duration or 0))


def holds_several_lines(ink: Ink) -> bool:
    """Return whether the ink holds several lines, by the rule of this module."""
    size = size_of(ink)
    strokes = [stroke.points for stroke in ink.strokes if np.ptp(stroke.points[:, 1]) >= _WEAK * size]
    if size == 0.0 or len(strokes) < 2:
        return False
    left, bottom, right, top = ink.bounds()
    if top - bottom > max(right - left, _HIGH * size):
        return True
    rights = np.array([points[:, 0].max() for points in strokes])
    return any(
        points[:, 0].min() < rights[max(0, k - 3) : k].max() - _BACK * size
        and _drop(strokes[:k], strokes[k:], size) > _BELOW
        for k, points in enumerate(strokes)
        if k
    )


def size_of(ink: Ink) -> float:
    """Return h, the median height of the strokes weighted by their ink; 0 if there are only dots."""
    heights = np.array([np.ptp(stroke.points[:, 1]) for stroke in ink.strokes])
    lengths = np.array([np.hypot(*np.diff(stroke.points, axis=0).T).sum() for stroke in ink.strokes])
    order = np.argsort(heights)
    below = np.cumsum(lengths[order])
    return float(heights[order][np.searchsorted(below, below[-1] / 2)])


def _drop(before: Sequence[Floats], after: Sequence[Floats], size: float) -> float:
    """Return how far, in h, the later strokes lie below the earlier ones, in the median of the columns of both."""
    above, below = (_columns(strokes, size) for strokes in (before, after))
    drops = [above[column] - below[column] for column in above.keys() & below.keys()]
    return float(np.median(drops)) / size if len(drops) >= _COLUMNS else 0.0


def _columns(strokes: Sequence[Floats], size: float) -> dict[int, float]:
    """Return the median height of the points in each column."""
    points = np.concatenate(strokes)
    columns = np.floor(points[:, 0] / (_COLUMN * size)).astype(np.int64)
    return {int(one): float(np.median(points[columns == one, 1])) for one in np.unique(columns)}


def _jumps(ink: Ink) -> bool:
    steps = [np.hypot(*np.diff(stroke.points, axis=0).T) for stroke in ink.strokes if len(stroke) > 1]
    return bool(steps) and float(np.concatenate(steps).max()) > _JUMP * size_of(ink)
