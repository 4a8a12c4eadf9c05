"""The path language of SVG 1.1 (section 8.3), as lines and cubic curves."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_COMMAND = re.compile(r"([MmZzLlHhVvCcSsQqTtAa])([^MmZzLlHhVvCcSsQqTtAa]*)")
_NUMBER = re.compile(r"[\s,]*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)")
_FLAG = re.compile(r"[\s,]*([01])")
_ARGUMENTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}

Points = NDArray[np.float64]  # (N, 2)


@dataclass
class Subpath:
    """A line without a gap.

    Attributes:
        pieces: (N, 2) arrays one after the other, each going on from the end of the one before: the points of a
            polyline, or the three further control points of a cubic curve.
        curved: for each piece whether it is a curve; the first is a polyline.
    """

    pieces: list[Points] = field(default_factory=list)
    curved: list[bool] = field(default_factory=list)

    @classmethod
    def polyline(cls, points: Points) -> Subpath:
        return cls([np.asarray(points, dtype=np.float64)], [False])

    def add(self, points: Points, curved: bool = False) -> None:
        self.pieces.append(points)
        self.curved.append(curved)

    def control_points(self) -> Iterator[Points]:
        yield from self.pieces

    def transformed(self, matrix: NDArray[np.float64]) -> Subpath:
        """Under a (2, 3) matrix; nothing is computed, so nothing rounded, where it changes nothing."""
        if np.array_equal(matrix, np.eye(2, 3)):
            return self
        with np.errstate(over="ignore", invalid="ignore"):
            return Subpath([piece @ matrix[:, :2].T + matrix[:, 2] for piece in self.pieces], self.curved)

    def flattened(self, tolerance: float, most_pieces: int) -> Points:
        """(N, 2) points of straight pieces that stay within a distance of the curves.

        Between n equal steps of the parameter a curve B leaves its chord by at most max|B''| / (8 n^2), and |B''| is at
        most 6 times the larger of its two second differences.
        """
        parts: list[Points] = []
        end = np.zeros(2)
        for piece, curved in zip(self.pieces, self.curved, strict=True):
            if curved:
                control = np.vstack([end, piece])
                with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                    bend = np.linalg.norm(np.diff(control, n=2, axis=0), axis=1).max()
                    wanted = math.sqrt(0.75 * bend / tolerance) if tolerance > 0 and bend < math.inf else 1.0
                    n_steps = int(min(max(math.ceil(min(wanted, most_pieces)), 1), most_pieces))
                    t = np.arange(1, n_steps + 1)[:, None] / n_steps
                    s = 1 - t
                    bow = s**3 * control[0] + 3 * s**2 * t * control[1] + 3 * s * t**2 * control[2] + t**3 * control[3]
                bow[-1] = control[3]
                parts.append(bow)
            else:
                parts.append(piece)
            end = piece[-1]
        return np.concatenate(parts)


def subpaths(text: str) -> list[Subpath]:
    """The subpaths of a path's `d`; a move without a line is left out, one that is closed at once is a dot.

    Raises:
        ValueError: with what is wrong and where.
    """
    pen = _Pen()
    position = 0
    letter, values = "", list[float]()
    for match in _COMMAND.finditer(text):
        if text[position : match.start()].strip():
            break
        position = match.end()
        if not letter and match[1] not in "Mm":
            raise ValueError(f"the path begins with {match[1]}; expected M")
        more = _arguments(match[1], match[2])
        if match[1] == letter and letter not in "MmZz":  # a command once more is drawn with the one before: faster
            values += more
        else:
            pen.draw(letter, values)
            letter, values = match[1], more
    if text[position:].strip():
        raise ValueError(f"no path command: {text[position : position + 20].strip()!r}")
    pen.draw(letter, values)
    return pen.done()


def number_list(text: str) -> list[float]:
    """Numbers as SVG writes them: between whitespace or commas, or glued together where a sign or point tells.

    Raises:
        ValueError: with what is no number.
    """
    return _numbers(text, flags=False)


def _numbers(text: str, flags: bool) -> list[float]:
    """With `flags` the fourth and fifth of every seven are single digits, 0 or 1."""
    values: list[float] = []
    position = 0
    while position < len(text):
        match = (_FLAG if flags and len(values) % 7 in (3, 4) else _NUMBER).match(text, position)
        if match is None:
            if text[position:].strip(" \t\r\n\f,"):
                raise ValueError(f"{text[position : position + 20].strip()!r} is no number")
            break
        values.append(float(match[1]))
        position = match.end()
    return values


def _arguments(letter: str, text: str) -> list[float]:
    """The numbers of one command, as many as it takes or a multiple of it."""
    n_each = _ARGUMENTS[letter.upper()]
    try:
        values = _numbers(text, flags=n_each == 7)
    except ValueError as error:
        raise ValueError(f"in path command {letter}: {error}") from None
    if n_each == 0 and values:
        raise ValueError(f"path command {letter} takes no numbers, got {len(values)}")
    if n_each > 0 and (not values or len(values) % n_each):
        raise ValueError(f"path command {letter} takes {n_each} numbers or a multiple of it, got {len(values)}")
    return values


class _Pen:
    """Draws commands into subpaths."""

    def __init__(self) -> None:
        self.finished: list[Subpath] = []
        self.open: Subpath | None = None
        self.at = np.zeros(2)
        self.start = np.zeros(2)
        self.last_control: tuple[str, Points] = ("", np.zeros(2))  # kind of the curve before, its last control point

    def done(self) -> list[Subpath]:
        self._finish()
        return self.finished

    def draw(self, letter: str, values: list[float]) -> None:
        """One command, or none where there is no letter."""
        if not letter:
            return
        kind, relative = letter.upper(), letter.islower()
        arguments = np.reshape(values, (-1, _ARGUMENTS[kind] or 1))  # (repetitions, numbers of each)
        with np.errstate(over="ignore", invalid="ignore"):
            if kind == "M":
                self._move(arguments[0], relative)
                arguments = arguments[1:]  # further pairs are lines
            if kind == "Z":
                self._close()
            elif kind in "ML":
                self._lines(arguments, relative)
            elif kind in "HV":
                self._along_axis(arguments[:, 0], 0 if kind == "H" else 1, relative)
            else:
                for row in arguments:
                    if kind == "A":
                        self._arc(row, relative)
                    else:
                        self._curve(kind, row, relative)
        if kind not in "CSQT":
            self.last_control = ("", self.at)

    def _finish(self) -> None:
        if self.open is not None and (len(self.open.pieces) > 1 or len(self.open.pieces[0]) > 1):
            self.finished.append(self.open)
        self.open = None

    def _move(self, to: Points, relative: bool) -> None:
        self._finish()
        self.at = self.start = self.at + to if relative else to
        self.open = Subpath.polyline(self.at[None])

    def _drawn(self) -> Subpath:
        if self.open is None:  # after Z a new subpath begins where the old one did
            self.open = Subpath.polyline(self.at[None])
        return self.open

    def _close(self) -> None:
        if self.open is None:
            return
        path = self._drawn()
        if not np.array_equal(self.at, self.start):
            path.add(self.start[None])
        self.finished.append(path)
        self.open, self.at = None, self.start

    def _lines(self, points: Points, relative: bool) -> None:
        if len(points):
            points = self.at + np.cumsum(points, axis=0) if relative else points
            self._drawn().add(points)
            self.at = points[-1]

    def _along_axis(self, values: Points, axis: int, relative: bool) -> None:
        points = np.tile(self.at, (len(values), 1))
        points[:, axis] = self.at[axis] + np.cumsum(values) if relative else values
        self._lines(points, relative=False)

    def _curve(self, kind: str, row: Points, relative: bool) -> None:
        points = row.reshape(-1, 2) + (self.at if relative else 0.0)
        before, control = self.last_control
        if kind in "ST":  # the first control point mirrors the last one of a curve of the same kind
            mirrored = 2 * self.at - control if before == {"S": "C", "T": "Q"}[kind] else self.at
            points = np.vstack([mirrored, points])
        if kind in "QT":
            quadratic, end = points
            self.last_control = ("Q", quadratic)
            points = np.stack([self.at + 2 / 3 * (quadratic - self.at), end + 2 / 3 * (quadratic - end), end])
        else:
            self.last_control = ("C", points[1])
        self._drawn().add(points, curved=True)
        self.at = points[2]

    def _arc(self, row: Points, relative: bool) -> None:
        end = row[5:] + self.at if relative else row[5:]
        path = self._drawn()
        curves = _arc_curves(self.at, end, row)
        if curves is None:
            path.add(end[None])
        else:
            for curve in curves:
                path.add(curve, curved=True)
        self.at = end


def _arc_curves(start: Points, end: Points, row: Points) -> list[Points] | None:
    """An elliptic arc as cubic curves of at most a quarter turn (SVG 1.1, appendix F.6); None where it is a line.

    Args:
        start: (2,) where it begins.
        end: (2,) where it ends.
        row: radii (enlarged where they are too small to reach), degrees between the ellipse and the x axis, the flags
            large-arc and sweep.
    """
    rx, ry = abs(row[0]), abs(row[1])
    if rx == 0 or ry == 0 or np.array_equal(start, end) or not np.isfinite([*row, *start, *end]).all():
        return None
    cos, sin = math.cos(math.radians(row[2])), math.sin(math.radians(row[2]))
    turn = np.array([[cos, -sin], [sin, cos]])
    half = (turn.T @ (start - end)) / 2 / [rx, ry]  # on the circle of radius 1
    reach = float(half @ half)
    if not 0 < reach < math.inf:
        return None
    scale = np.array([rx, ry]) * max(1.0, math.sqrt(reach))
    half /= max(1.0, math.sqrt(reach))
    away = math.sqrt(max(0.0, 1 / float(half @ half) - 1)) * (1 if row[3] != row[4] else -1)
    centre = away * np.array([half[1], -half[0]])
    first, last = (math.atan2(*(point - centre)[::-1]) for point in (half, -half))
    angle = last - first
    if row[4] and angle < 0:
        angle += 2 * math.pi
    elif not row[4] and angle > 0:
        angle -= 2 * math.pi
    n_curves = max(1, math.ceil(abs(angle) / (math.pi / 2) - 1e-9))
    step = angle / n_curves
    handle = 4 / 3 * math.tan(step / 4)
    middle = (start + end) / 2
    curves = []
    for a in first + step * np.arange(n_curves):
        p = np.array([[math.cos(a), math.sin(a)], [math.cos(a + step), math.sin(a + step)]])
        tangents = np.stack([-p[:, 1], p[:, 0]], axis=1) * handle
        circle = np.stack([p[0] + tangents[0], p[1] - tangents[1], p[1]]) + centre
        curves.append((circle * scale) @ turn.T + middle)
    curves[-1][2] = end
    return curves
