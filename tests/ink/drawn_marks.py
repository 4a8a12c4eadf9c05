"""What people draw beside their writing, as a pen draws it: never quite straight, closed or level.

Units are h, the size of the writing. Every function returns the (N, 2) strokes of one mark.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Random = np.random.Generator
Box = tuple[float, float, float, float]
"""Lowest x and y, highest x and y."""

_STEP = 0.25  # h between points
_CORNERS = 0.15  # h by which drawn corners miss their places


def path(corners: ArrayLike, random: Random, wobble: float = 0.05) -> Floats:
    """A stroke through these (N, 2) corners, which sways by about `wobble`."""
    stops = np.asarray(corners, dtype=np.float64)
    travelled = np.append(0.0, np.cumsum(np.hypot(*np.diff(stops, axis=0).T)))
    places = np.linspace(0.0, travelled[-1], max(3, int(travelled[-1] / _STEP) + 1))
    points = np.column_stack([np.interp(places, travelled, stops[:, axis]) for axis in (0, 1)])
    waves = 2 * np.pi / random.uniform([4.0, 1.5], [20.0, 4.0])  # radians an h
    sway = np.sin(np.outer(places, waves) + random.uniform(0, 2 * np.pi, 2)) @ np.array([wobble, wobble / 3])
    return points + np.outer(sway, random.uniform(0.5, 1.0, 2)) + random.normal(0, wobble / 10, points.shape)


def level(left: float, right: float, y: float, random: Random) -> Floats:
    """A line from left to right, or the other way, nearly level."""
    rise = random.normal(0, 0.006) * (right - left) + random.normal(0, 0.03)
    ends = np.array([[left, y - rise / 2], [right, y + rise / 2]])
    return path(ends if random.random() < 0.9 else ends[::-1], random, wobble=0.04)


def underline(left: float, right: float, y: float, random: Random) -> list[Floats]:
    """One line, two, or a wave."""
    kind = random.random()
    if kind < 0.75:
        return [level(left, right, y, random)]
    if kind < 0.9:
        return [level(left, right, y, random), level(left, right, y - random.uniform(0.15, 0.3), random)]
    x = np.linspace(left, right, max(8, int((right - left) / 0.15)))
    return [np.column_stack([x, y + 0.12 * np.sin(x * random.uniform(4, 7))])]


def strike_through(left: float, right: float, y: float, random: Random) -> list[Floats]:
    """One line through a word, or two."""
    return [level(left, right, y + random.normal(0, 0.08), random) for _ in range(1 + (random.random() < 0.25))]


def frame(box: Box, random: Random) -> list[Floats]:
    """A box in one stroke or in four, or an ellipse."""
    left, bottom, right, top = box
    corners = np.array([[left, bottom], [left, top], [right, top], [right, bottom], [left, bottom]])
    corners += random.normal(0, _CORNERS / 2, corners.shape)
    kind = random.random()
    if kind < 0.5:
        return [path(corners, random)]
    if kind < 0.75:
        return [path(corners[k : k + 2], random) for k in range(4)]
    turn = np.linspace(0, 2 * np.pi + random.uniform(-0.2, 0.5), 60) + random.uniform(0, 2 * np.pi)
    middle, half = np.array([left + right, bottom + top]) / 2, np.array([right - left, top - bottom]) / 2
    return [middle + 1.15 * half * np.column_stack([np.cos(turn), np.sin(turn)])]


def margin(x: float, bottom: float, top: float, random: Random) -> list[Floats]:
    """A line down the side of a page."""
    lean = random.normal(0, 0.01) * (top - bottom)
    ends = [[x - lean / 2, top], [x + lean / 2, bottom]]
    return [path(ends, random, wobble=0.06)]


def arrow(tail: ArrayLike, tip: ArrayLike, random: Random) -> list[Floats]:
    """A shaft and a head, in one stroke, two or three."""
    start, end = np.asarray(tail, dtype=np.float64), np.asarray(tip, dtype=np.float64)
    back = (start - end) / np.hypot(*(start - end)) * random.uniform(0.5, 0.9)
    sides = []
    for angle in np.radians(random.uniform(25, 45, 2) * [1, -1]):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        sides.append(end + turn @ back)
    shaft, head = path([start, end], random), [sides[0], end, sides[1]]
    kind = random.random()
    if kind < 0.5:
        return [shaft, path(head, random, 0.02)]
    if kind < 0.75:
        return [np.concatenate([shaft, path([end, *head], random, 0.02)])]
    return [shaft, path(head[:2], random, 0.02), path(head[1:], random, 0.02)]


def bracket(x: float, bottom: float, top: float, opens_right: bool, random: Random) -> list[Floats]:
    """A square, round or curly bracket beside some lines."""
    side = 1.0 if opens_right else -1.0
    kind, deep = random.random(), random.uniform(0.3, 0.7)
    middle = (bottom + top) / 2
    if kind < 0.4:
        corners = [[x + side * deep, top], [x, top], [x, bottom], [x + side * deep, bottom]]
        return [path(corners, random, 0.04)]
    height = np.linspace(top, bottom, 40)
    share = (height - middle) / (top - middle)  # 1 at the top, -1 at the bottom
    if kind < 0.7:
        return [np.column_stack([x + side * deep * share**2, height])]
    curl = np.where(
        np.abs(share) > 0.5, 2 * np.abs(share) - 1, 2 * np.abs(share) - 1
    )  # -1 in the middle, 1 at the ends
    return [np.column_stack([x + side * deep * np.sign(curl) * np.abs(curl) ** 3, height])]


def bullet(x: float, y: float, random: Random) -> list[Floats]:
    """A dash, a dot, a small ring, a small arrow or a box to tick; its middle is at x, y."""
    kind = int(random.integers(5))
    if kind == 0:
        return [path([[x - 0.35, y], [x + 0.35, y + random.normal(0, 0.05)]], random, 0.02)]
    if kind == 1:
        turn = np.linspace(0, 6 * np.pi, 18)
        return [[x, y] + np.outer(np.linspace(0.12, 0.03, 18), [1, 1]) * np.column_stack([np.cos(turn), np.sin(turn)])]
    if kind == 2:
        turn = np.linspace(0, 2.1 * np.pi, 16)
        return [[x, y] + random.uniform(0.18, 0.28) * np.column_stack([np.cos(turn), np.sin(turn)])]
    if kind == 3:
        return arrow([x - 0.7, y], [x + 0.5, y], random)
    size = random.uniform(0.3, 0.45)
    corners = [
        [x - size, y - size],
        [x - size, y + size],
        [x + size, y + size],
        [x + size, y - size],
        [x - size, y - size],
    ]
    return [path(corners, random, 0.02)]


def dot(x: float, y: float, random: Random) -> list[Floats]:
    """A dot, or the short stroke of a hand that touched the paper."""
    if random.random() < 0.6:
        return [np.array([[x, y]]) + random.normal(0, 0.01, (int(random.integers(1, 4)), 2))]
    angle, length = random.uniform(0, 2 * np.pi), random.uniform(0.05, 0.4)
    return [np.array([[x, y], [x + length * np.cos(angle), y + length * np.sin(angle)]])]


def scribble(x: float, y: float, random: Random) -> list[Floats]:
    """A zigzag or loops where the pen was tried; its middle is at x, y."""
    n_turns, wide, high = int(random.integers(6, 16)), random.uniform(1.0, 2.5), random.uniform(0.4, 1.0)
    if random.random() < 0.5:
        across = np.linspace(-wide, wide, n_turns)
        return [path(np.column_stack([x + across, y + high * (-1.0) ** np.arange(n_turns)]), random, 0.08)]
    turn = np.linspace(0, 2 * np.pi * n_turns, 16 * n_turns)
    return [np.column_stack([x + wide * np.cos(turn + np.sin(turn / 7)), y + high * np.sin(turn * 1.03)])]
