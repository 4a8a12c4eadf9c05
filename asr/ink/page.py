"""A page cut into its lines of writing.

The rule, of which every step looks at the strokes only:

1. **Size**: h is the median height of the strokes, each counted by the length of its ink; those lower than 1/20 of
   their width (rules, underlines) do not count.
2. **Slope**: the page is turned by the angle, at most 20 degrees, at which the sum of the squares of its horizontal
   projection is largest, so its ink in the narrowest bands (after W. Postl, "Detection of linear oblique structures
   and skew scan in digitized documents", ICPR 1986). What is narrower than 2.5 h is not turned.
3. **Weak strokes** wait: those lower than 0.3 h, such as dots, commas, hyphens, the bars of t.
4. **Cores**: the core of some strokes is the band between the 20th and the 80th percentile of the heights of their ink;
   ascenders and descenders reach out of it. Of groups of strokes that are next to each other in height, those whose
   cores overlap most are united first, while the overlap is at least 0.2 of the lower core. What is then apart are
   the lines.
5. A group closer than 0.7 h to one with more ink is no line of its own, nor one with less ink than 2 h (a quotation
   mark) closer than 1.5 h; its strokes are weak too.
6. **Weak strokes join** a line next above or below them: that of the stroke written just before or just after, where it
   is one of the two; where both are, or none is, the one whose core is nearer.

Lines come from top to bottom, the strokes of a line in the order of writing. Columns beside each other are not parted,
drawings are taken for writing, and ink that is nothing but dots and dashes is one line.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from asr.ink.ink import Ink

_STEEPEST = 20.0  # degrees
_NARROW = 2.5  # h
_FLAT = 1 / 20  # height to width
_WEAK = 0.3  # h
_CORE = (0.2, 0.8)
_OVERLAP = 0.2  # of the lower core
_NEAR, _LITTLE_INK, _NEAR_WITH_LITTLE = 0.7, 2.0, 1.5  # h
_BINS = 12  # in h
_LEAST_INK = 1e-200  # of the larger side of the page; the least number is 1e-308
_MOST_BINS = 50_000  # on a page
_MOST_SAMPLES = 100_000  # of the ink for its slope
_MOST_STEPS = 64  # in which a straight piece of ink is counted; fewer on a page of more points than
_MOST_PLACES = 2_000_000  # altogether, so that memory stays below some 100 bytes a point


@dataclass(frozen=True)
class Line:
    """One line of a page.

    Attributes:
        strokes: their indices on the page, rising.
        ink: the same strokes as an ink.
    """

    strokes: tuple[int, ...]
    ink: Ink


def cut_lines(page: Ink) -> list[Line]:
    """The lines of a page, from top to bottom, by the rule of this module.

    Args:
        page: y upwards; its strokes in the order of writing. A single line, word or dot is one line.

    Returns:
        At least one line; every stroke is in exactly one.
    """
    lines = _lines(page)
    return [Line(tuple(line), Ink(tuple(page.strokes[k] for k in line), page.resolution)) for line in lines]


@dataclass(frozen=True)
class _Band:
    """How the ink of some strokes is spread over the height of the page.

    Attributes:
        low: the lowest bin that has ink.
        ink: length of it in each bin from there on.
        members: the strokes.
    """

    low: int
    ink: NDArray[np.float64]
    members: tuple[int, ...]

    @property
    def total(self) -> float:
        return float(self.ink.sum())

    def core(self) -> tuple[float, float]:
        """Its lower and upper edge, in bins."""
        below = np.concatenate([[0.0], np.cumsum(self.ink)])
        if below[-1] < _LEAST_INK:  # too little to be divided: as if it were the same in each bin
            below = np.arange(len(below), dtype=np.float64)
        low, high = np.interp([share * below[-1] for share in _CORE], below, np.arange(len(below)))
        return self.low + float(low), self.low + max(float(high), float(low) + 1.0)

    def centre(self) -> float:
        return sum(self.core()) / 2


def _lines(page: Ink) -> list[list[int]]:
    everything = [list(range(len(page.strokes)))]
    bounds = page.bounds()
    extent = max(bounds[2] - bounds[0], bounds[3] - bounds[1])
    if len(page.strokes) == 1 or not 0 < extent < np.inf:
        return everything
    points = (page.points() - [bounds[0], bounds[1]]) / extent  # so that no square is too large for a number
    parts = np.split(points, page.stroke_ends()[:-1])
    turn = _turn(parts, _size(parts))
    parts = [part @ turn.T for part in parts]
    size = _size(parts)
    if size == 0.0:
        return everything
    bands = _bands(parts, size)
    strong = [band for band, part in zip(bands, parts, strict=True) if _height(part) >= _WEAK * size]
    lines = _without_small(_united(strong), size, _bin(parts, size))
    line_of = {k: n for n, line in enumerate(lines) for k in line.members}
    line_of |= _joined({k: bands[k].centre() for k in range(len(bands)) if k not in line_of}, lines, line_of)
    members: list[list[int]] = [[] for _ in lines]
    for k in sorted(line_of):
        members[line_of[k]].append(k)
    return members


def _height(part: NDArray[np.float64]) -> float:
    return float(np.ptp(part[:, 1]))


def _lengths(part: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.hypot(*np.diff(part, axis=0).T))


def _size(parts: list[NDArray[np.float64]]) -> float:
    """h: the median height of strokes, counted by their ink; 0 where there are only dots and dashes."""
    heights = np.array([_height(part) for part in parts])
    widths = np.array([np.ptp(part[:, 0]) for part in parts])
    ink = np.array([_lengths(part).sum() for part in parts]) * (heights >= _FLAT * widths)
    order = np.argsort(heights)
    below = np.cumsum(ink[order])
    return float(heights[order][np.searchsorted(below, below[-1] / 2)]) if below[-1] > 0 else 0.0


def _most_steps(parts: list[NDArray[np.float64]]) -> int:
    return max(1, min(_MOST_STEPS, _MOST_PLACES // sum(map(len, parts))))


def _samples(part: NDArray[np.float64], step: float, most: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(M, 2) places along a stroke and (M,) the length of ink that each stands for; a dot has next to none."""
    lengths = _lengths(part)
    if not lengths.any():
        return part[:1], np.array([1e-9])
    with np.errstate(over="ignore"):
        n_steps = np.clip(np.ceil(lengths / step), 1, most).astype(np.int64)
    piece = np.repeat(np.arange(len(lengths)), n_steps)
    share = (np.arange(len(piece)) - np.repeat(np.cumsum(n_steps) - n_steps, n_steps) + 0.5) / n_steps[piece]
    places = part[piece] + share[:, None] * (part[piece + 1] - part[piece])
    return places, lengths[piece] / n_steps[piece]


def _turn(parts: list[NDArray[np.float64]], size: float) -> NDArray[np.float64]:
    """(2, 2) rotation that makes the lines level."""
    points = np.concatenate(parts)
    if size == 0.0 or np.ptp(points[:, 0]) < _NARROW * size:
        return np.eye(2)
    most = _most_steps(parts)
    both = [_samples(part, size / 4, most) for part in parts]
    places, ink = (np.concatenate(some) for some in zip(*both, strict=True))
    thin = -(-len(places) // _MOST_SAMPLES)
    places, ink = places[::thin], ink[::thin]
    n_bins = int(min(8 / size + 8, _MOST_BINS))  # the page is 1 high or wide, so 1.5 at most when turned
    best, turn = 0.0, np.eye(2)
    for degrees in sorted(np.arange(-_STEEPEST, _STEEPEST + 0.25, 0.5), key=abs):  # the least where several are equal
        sin, cos = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
        heights = places @ [-sin, cos]
        bins = ((heights - heights.min()) / 1.5 * n_bins).astype(np.int64)
        sharpness = float((np.bincount(bins, ink) ** 2).sum())
        if sharpness > best * 1.001:
            best, turn = sharpness, np.array([[cos, sin], [-sin, cos]])
    return turn


def _bin(parts: list[NDArray[np.float64]], size: float) -> float:
    """The height of a bin."""
    return max(size / _BINS, float(np.ptp(np.concatenate(parts)[:, 1])) / _MOST_BINS)


def _bands(parts: list[NDArray[np.float64]], size: float) -> list[_Band]:
    """One of each stroke."""
    height, most = _bin(parts, size), _most_steps(parts)
    bands = []
    for k, part in enumerate(parts):
        places, ink = _samples(part, height, most)
        bins = np.floor(places[:, 1] / height).astype(np.int64)
        low = int(bins.min())
        bands.append(_Band(low, np.bincount(bins - low, ink).astype(np.float64), (k,)))
    return bands


def _both(one: _Band, other: _Band) -> _Band:
    low = min(one.low, other.low)
    ink = np.zeros(max(one.low + len(one.ink), other.low + len(other.ink)) - low)
    for band in (one, other):
        ink[band.low - low : band.low - low + len(band.ink)] += band.ink
    return _Band(low, ink, one.members + other.members)


def _overlap(one: _Band, other: _Band) -> float:
    """How much their cores overlap, as a share of the lower one."""
    (low, high), (other_low, other_high) = one.core(), other.core()
    return (min(high, other_high) - max(low, other_low)) / min(high - low, other_high - other_low)


def _united(bands: list[_Band]) -> list[_Band]:
    """Neighbours in height united, best first, while their cores overlap; from top to bottom."""
    by_centre: dict[int, _Band] = {}
    for band in bands:  # those of the same height at once: a large page has not more groups than bins
        centre = int(band.centre())
        by_centre[centre] = _both(by_centre[centre], band) if centre in by_centre else band
    groups: list[_Band | None] = [by_centre[centre] for centre in sorted(by_centre, reverse=True)]
    above, below = [n - 1 for n in range(len(groups))], [n + 1 for n in range(len(groups))]
    waiting: list[tuple[float, int, int, int]] = []
    version = [0] * len(groups)

    def propose(n: int, m: int) -> None:
        one, other = groups[n], groups[m]
        if one is not None and other is not None and (overlap := _overlap(one, other)) >= _OVERLAP:
            heapq.heappush(waiting, (-overlap, n, m, version[n] + version[m]))

    for n, m in pairwise(range(len(groups))):
        propose(n, m)
    while waiting:
        _, n, m, proposed = heapq.heappop(waiting)
        one, other = groups[n], groups[m]
        if one is None or other is None or proposed != version[n] + version[m]:
            continue
        groups[n], groups[m] = _both(one, other), None
        version[n] += version[m] + 1
        below[n] = below[m]
        if below[n] < len(groups):
            above[below[n]] = n
            propose(n, below[n])
        if above[n] >= 0:
            propose(above[n], n)
    return sorted((group for group in groups if group is not None), key=lambda group: -group.centre())


def _without_small(groups: list[_Band], size: float, height: float) -> list[_Band]:
    """The groups that are lines; the members of the others are weak."""
    centres = [group.centre() for group in groups]
    above, below = list(range(-1, len(groups) - 1)), list(range(1, len(groups) + 1))
    dropped = set()
    for n in sorted(range(len(groups)), key=lambda n: groups[n].total):
        others = [m for m in (above[n], below[n]) if 0 <= m < len(groups)]
        if not any(groups[m].total >= groups[n].total for m in others):
            continue
        distance = min(abs(centres[n] - centres[m]) for m in others) * height
        has_little = groups[n].total < _LITTLE_INK * size
        if distance < (_NEAR_WITH_LITTLE if has_little else _NEAR) * size:
            dropped.add(n)
            for m in others:
                if m < n:
                    below[m] = below[n]
                else:
                    above[m] = above[n]
    return [group for n, group in enumerate(groups) if n not in dropped]


def _joined(weak: dict[int, float], lines: list[_Band], line_of: dict[int, int]) -> dict[int, int]:
    """The line of each weak stroke, given the height of its centre in bins."""
    cores = [line.core() for line in lines]
    centres = [-line.centre() for line in lines]  # rising
    strong = sorted(line_of)
    found = {}
    for k, height in weak.items():
        n = bisect_left(centres, -height)
        next_to_it = {m for m in (n - 1, n) if 0 <= m < len(lines)}
        at = bisect_left(strong, k)
        in_time = {line_of[one] for one in strong[max(at - 1, 0) : at + 1]}
        found[k] = _nearest(height, in_time & next_to_it or next_to_it, cores)
    return found


def _nearest(height: float, candidates: Iterable[int], cores: list[tuple[float, float]]) -> int:
    return min(candidates, key=lambda n: (max(cores[n][0] - height, height - cores[n][1]), n))
