"""Ink for the tests of the pen features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asr.ink.ink import Ink, Stroke


def word(seed: int = 1, timed: bool = False, heights: Sequence[float] | None = None) -> Ink:
    """Something like a word: loops along a line, each `heights` times 40 units, two in one stroke, and a dot."""
    random = np.random.default_rng(seed)
    strokes = []
    for i, height in enumerate(heights or random.choice([1.0, 1.0, 1.0, 2.0], size=5)):
        turn = np.linspace(0.3, 2 * np.pi + random.uniform(0.0, 2.0), 25)
        x = 60 * i + 22 * np.cos(turn) + 5 * turn
        y = 20 * height * (np.sin(turn) + 1.0)
        strokes.append(np.column_stack([x, y]) + random.normal(scale=0.4, size=(25, 2)))
    strokes[1] = np.concatenate([strokes[1], strokes.pop(2)])  # two letters in one stroke
    strokes.append(np.array([[80.0, 70.0], [81.0, 71.0], [82.0, 69.5]]))
    clock, made = 0.0, []
    for points in strokes:
        times = clock + np.arange(len(points)) * 0.01
        clock = times[-1] + 0.2
        made.append(Stroke(points, times if timed else None))
    return Ink(tuple(made))


def mapped(ink: Ink, matrix: object = ((1, 0), (0, 1)), shift: object = (0, 0)) -> Ink:
    """Every point p as matrix @ p + shift."""
    change, move = np.asarray(matrix, dtype=float), np.asarray(shift, dtype=float)
    return Ink(tuple(Stroke(stroke.points @ change.T + move, stroke.times) for stroke in ink.strokes))
