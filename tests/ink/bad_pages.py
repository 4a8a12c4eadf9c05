"""Pages that no one would call pages, in any size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from asr.ink import Ink
from asr.seeds import generator

Floats = NDArray[np.float64]


def many_strokes(n_strokes: int) -> Ink:
    """Short strokes all over a page."""
    random = generator("bad page", n_strokes)
    side = np.sqrt(n_strokes)
    return Ink.of(*(random.uniform(0, side, 2) + random.normal(0, 0.4, (4, 2)) for _ in range(n_strokes)))


def dots(n_strokes: int) -> Ink:
    """Nothing but dots, of one point or two equal ones."""
    random = generator("bad page", "dots")
    return Ink.of(*(np.repeat(random.uniform(0, 1000, (1, 2)), 1 + k % 2, axis=0) for k in range(n_strokes)))


def spiral(n_points: int) -> Ink:
    """One stroke that never ends."""
    turn = np.linspace(0, np.sqrt(n_points), n_points)
    return Ink.of(np.column_stack([turn * np.cos(turn), turn * np.sin(turn)]))


def grid(n_lines: int) -> Ink:
    """Squared paper, drawn by the pen."""
    ends = np.array([0.0, 10.0 * n_lines])
    across = [np.column_stack([ends, np.full(2, 10.0 * k)]) for k in range(n_lines + 1)]
    return Ink.of(*across, *(line[:, ::-1] for line in across))


def scribble(n_points: int) -> Ink:
    """Three rows of letters with one stroke scribbled over them."""
    random = generator("bad page", "scribble")
    letters = [
        np.array([[0, 10], [0, 0], [3, 5], [6, 0]]) + np.array([9.0 * k, -30.0 * row])
        for row in range(3)
        for k in range(12)
    ]
    return Ink.of(*letters, random.uniform([0, -65], [110, 12], (n_points, 2)))


def without_length(n_strokes: int) -> Ink:
    """Strokes whose points are all the same, in one place or two."""
    return Ink.of(*(np.full((5, 2), float(k % 2)) for k in range(n_strokes)))


def tiny(n_strokes: int) -> Ink:
    """Coordinates about the least number there is."""
    random = generator("bad page", "tiny")
    return Ink.of(*(random.integers(0, 2000, (4, 2)) * 5e-324 for _ in range(n_strokes)))


def huge(n_strokes: int) -> Ink:
    """Coordinates about the largest number there is."""
    random = generator("bad page", "huge")
    return Ink.of(*(random.uniform(-1, 1, (4, 2)) * 1.7e308 for _ in range(n_strokes)))


def mixed(n_strokes: int) -> Ink:
    """Writing of usual size, with a stroke far away and one of no size."""
    letters = [np.array([[0, 10], [0, 0], [3, 5], [6, 0]]) + np.array([9.0 * k, 0.0]) for k in range(n_strokes)]
    return Ink.of(*letters, [[1e300, 1e300], [1e300, -1e300]], [[1e-320, 0], [0, 1e-320]])


BAD_PAGES: dict[str, tuple[Callable[[int], Ink], int, int]] = {
    "many strokes": (many_strokes, 300, 100_000),
    "dots": (dots, 300, 100_000),
    "one spiral": (spiral, 2_000, 1_000_000),
    "grid paper": (grid, 20, 500),
    "scribble over text": (scribble, 500, 200_000),
    "strokes without length": (without_length, 200, 100_000),
    "tiny": (tiny, 40, 5_000),
    "huge": (huge, 40, 5_000),
    "mixed sizes": (mixed, 20, 2_000),
}
"""How each is made, and its number of strokes or points in a fast test and in full."""
