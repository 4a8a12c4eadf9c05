"""Parse the path language of SVG 1.1 (section 8.3) to lines and cubic curves, and flatten these to points."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_COMMAND = re.compile(r"([MmZzLlHhVvCcSsQqTtAa])([^MmZzLlHhVvCcSsQqTtAa]*)")
_NUMBER = re.compile(r"[\s,]*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)")
_FLAG = re.compile(r"[\s,]*([01])")
_MOST_STEPS = 1000  # of one curve; no real drawing reaches it
_CURVES_AT_ONCE = 4096  # flattened at a time, to limit the memory
_STEPS, _STEPS_OF_CURVE = 4, 8  # cost of a command, and of each curve that is processed singly
_ARGUMENTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}

Points = NDArray[np.float64]  # (N, 2) points, or (K, 3, 2) and (K, 4, 2) control points of curves


class TooMuchWork(Exception):  # noqa: N818  (becomes an error that names the file)
    """Raised if a drawing has more commands than its budget allows."""


@dataclass
class Budget:
    """The number of steps, of some microseconds each, that the reading of a drawing may still take."""

    steps: int

    def spend(self, steps: int) -> None:
        """Subtract steps; raise TooMuchWork if fewer are left."""
        self.steps -= steps
        if self.steps < 0:
            raise TooMuchWork


@dataclass
class Subpath:
    """A connected line.

    Attributes:
        pieces: parts that follow each other, each beginning at the end of the one before. A piece is either a polyline
            (N, 2), as the first one always is, or (K, 3, 2): the last three control points of each of K cubic curves.
        closed: whether the path closes it (command Z).
    """

    pieces: list[Points] = field(default_factory=list)
    closed: bool = False

    @property
    def n_segments(self) -> int:
        """Number of lines and curves."""
        return sum(map(len, self.pieces)) - 1

    @property
    def start(self) -> Points:
        """The first point, (2,)."""
        first: Points = self.pieces[0][0]
        return first

    @property
    def end(self) -> Points:
        """The last point, (2,)."""
        last: Points = self.pieces[-1].reshape(-1, 2)[-1]
        return last

    def continued(self, other: Subpath) -> None:
        """Append another subpath that begins at the end of this one."""
        head, *tail = other.pieces
        self.pieces += [head[1:], *tail] if len(head) > 1 else tail

    def transformed(self, matrix: NDArray[np.float64]) -> Subpath:
        """Return the subpath transformed by a (2, 3) matrix; the identity returns it unchanged, without rounding."""
        if np.array_equal(matrix, np.eye(2, 3)):
            return self
        with np.errstate(over="ignore", invalid="ignore"):
            return Subpath([piece @ matrix[:, :2].T + matrix[:, 2] for piece in self.pieces], self.closed)

    def flattened(self, tolerance: float, most_points: int) -> Points:
        """Return the points (N, 2) of a polyline that stays within `tolerance` of the curves.

        Raises:
            ValueError: more than `most_points` points are needed.
        """
        parts: list[Points] = []
        n_points = 0
        end = np.zeros(2)
        for piece in self.pieces:
            if piece.ndim == 2:
                n_points += len(piece)
                parts.append(piece)
            else:
                starts = np.vstack([end, piece[:-1, 2]])
                for k in range(0, len(piece), _CURVES_AT_ONCE):
                    chosen = slice(k, k + _CURVES_AT_ONCE)
                    control = np.concatenate([starts[chosen, None], piece[chosen]], axis=1)  # (K, 4, 2)
                    n_steps = _steps(control, tolerance)
                    n_points += int(n_steps.sum())
                    if n_points > most_points:
                        break
                    parts.append(_bows(control, n_steps))
            if n_points > most_points:
                raise ValueError(f"more than {most_points} points")
            end = parts[-1][-1]
        return np.concatenate(parts)


def _steps(control: Points, tolerance: float) -> NDArray[np.int64]:
    """Return into how many equal steps of the parameter each curve is cut, (K,).

    With n steps, a curve B is at most max|B''| / (8 n^2) away from its chords, and |B''| is at most 6 times the larger
    of its two second differences.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        bend = np.linalg.norm(np.diff(control, n=2, axis=1), axis=2).max(axis=1)
        wanted = np.sqrt(0.75 * bend / tolerance) if tolerance > 0 else np.zeros(len(control))
    return np.ceil(np.clip(np.nan_to_num(wanted, nan=1.0), 1, _MOST_STEPS)).astype(np.int64)


def _bows(control: Points, n_steps: NDArray[np.int64]) -> Points:
    """Return the points of the curves, (sum of n_steps, 2), each curve without its first point."""
    curve = np.repeat(np.arange(len(control)), n_steps)
    step = np.arange(1, len(curve) + 1) - np.repeat(np.cumsum(n_steps) - n_steps, n_steps)
    t = (step / n_steps[curve])[:, None]
    s = 1 - t
    p = control[curve]
    with np.errstate(over="ignore", invalid="ignore"):
        points: Points = s**3 * p[:, 0] + 3 * s**2 * t * p[:, 1] + 3 * s * t**2 * p[:, 2] + t**3 * p[:, 3]
    ends = np.cumsum(n_steps) - 1
    points[ends] = control[:, 3]
    return points


def subpaths(text: str, budget: Budget) -> list[Subpath]:
    """Parse the attribute `d` of a path; a move without a line is left out, a move that is closed at once is a dot.

    An empty text has no subpaths. Coordinates may be infinite, because a sum of large numbers may overflow.

    Raises:
        ValueError: the text is not a path; says what is wrong and where.
        TooMuchWork: the commands need more steps than the budget has left: 5 for most of them, 8 more for each arc,
            quadratic or smooth curve.

    >>> [line] = subpaths("M 1 2 h 3 l 0 4", Budget(100))
    >>> line.flattened(tolerance=0.1, most_points=10).tolist()
    [[1.0, 2.0], [4.0, 2.0], [4.0, 6.0]]
    """
    pen = _Pen(budget)
    position = 0
    letter, values = "", list[float]()
    for match in _COMMAND.finditer(text):
        if text[position : match.start()].strip():
            break
        position = match.end()
        budget.spend(1)
        if not letter and match[1] not in "Mm":
            raise ValueError(f"the path begins with {match[1]}; expected M")
        more = _arguments(match[1], match[2])
        if match[1] == letter and letter not in "MmZz":  # draw repeated commands together, which is faster
            values += more
        else:
            pen.draw(letter, values)
            letter, values = match[1], more
    if text[position:].strip():
        raise ValueError(f"{text[position : position + 20].strip()!r} is not a path command")
    pen.draw(letter, values)
    return pen.done()


def number_list(text: str) -> list[float]:
    """Parse numbers as SVG writes them; white space and commas may be left out before a sign or a second point.

    Raises:
        ValueError: the text holds something else.

    >>> number_list("1,2 3-4.5.5")
    [1.0, 2.0, 3.0, -4.5, 0.5]
    """
    return _numbers(text, flags=False)


def _numbers(text: str, flags: bool) -> list[float]:
    """Parse numbers; with `flags`, the fourth and fifth of every seven are single digits, 0 or 1 (arcs)."""
    values: list[float] = []
    position = 0
    while position < len(text):
        match = (_FLAG if flags and len(values) % 7 in (3, 4) else _NUMBER).match(text, position)
        if match is None:
            if text[position:].strip(" \t\r\n\f,"):
                raise ValueError(f"{text[position : position + 20].strip()!r} is not a number")
            break
        values.append(float(match[1]))
        position = match.end()
    return values


def _arguments(letter: str, text: str) -> list[float]:
    """Return the numbers of one command; their count must be a multiple of what the command takes."""
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
    """The state of a path while its commands are drawn."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.finished: list[Subpath] = []
        self.open: Subpath | None = None
        self.at = np.zeros(2)
        self.start = np.zeros(2)
        self.last_control: tuple[str, Points] = ("", np.zeros(2))  # kind and last control point of the last curve

    def done(self) -> list[Subpath]:
        self._finish()
        return self.finished

    def draw(self, letter: str, values: list[float]) -> None:
        """Draw one command with its numbers; do nothing if `letter` is empty."""
        if not letter:
            return
        kind, relative = letter.upper(), letter.islower()
        arguments = np.reshape(values, (-1, _ARGUMENTS[kind] or 1))  # (repetitions, numbers of each)
        self.budget.spend(_STEPS + len(arguments) * _STEPS_OF_CURVE * (kind in "AQST"))
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
            elif kind == "C":
                self._cubics(arguments.reshape(-1, 3, 2), relative)
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
        self.open = Subpath([self.at[None]])

    def _drawn(self) -> Subpath:
        if self.open is None:  # after Z, a new subpath begins at the start of the old one
            self.open = Subpath([self.at[None]])
        return self.open

    def _close(self) -> None:
        if self.open is None:
            return
        path = self._drawn()
        if not np.array_equal(self.at, self.start):
            path.pieces.append(self.start[None])
        path.closed = True
        self.finished.append(path)
        self.open, self.at = None, self.start

    def _lines(self, points: Points, relative: bool) -> None:
        if len(points):
            points = self.at + np.cumsum(points, axis=0) if relative else points
            self._drawn().pieces.append(points)
            self.at = points[-1]

    def _along_axis(self, values: Points, axis: int, relative: bool) -> None:
        points = np.tile(self.at, (len(values), 1))
        points[:, axis] = self.at[axis] + np.cumsum(values) if relative else values
        self._lines(points, relative=False)

    def _cubics(self, curves: Points, relative: bool) -> None:
        if relative:
            ends = self.at + np.cumsum(curves[:, 2], axis=0)
            curves = curves + np.vstack([self.at, ends[:-1]])[:, None]
        self._drawn().pieces.append(curves)
        self.last_control, self.at = ("C", curves[-1, 1]), curves[-1, 2]

    def _curve(self, kind: str, row: Points, relative: bool) -> None:
        points = row.reshape(-1, 2) + (self.at if relative else 0.0)
        before, control = self.last_control
        if kind in "ST":  # the first control point mirrors the last one of the previous curve of the same kind
            mirrored = 2 * self.at - control if before == {"S": "C", "T": "Q"}[kind] else self.at
            points = np.vstack([mirrored, points])
        if kind in "QT":
            quadratic, end = points
            self.last_control = ("Q", quadratic)
            points = np.stack([self.at + 2 / 3 * (quadratic - self.at), end + 2 / 3 * (quadratic - end), end])
        else:
            self.last_control = ("C", points[1])
        self._drawn().pieces.append(points[None])
        self.at = points[2]

    def _arc(self, row: Points, relative: bool) -> None:
        end = row[5:] + self.at if relative else row[5:]
        path = self._drawn()
        curves = _arc_curves(self.at, end, row)
        if curves is None:
            path.pieces.append(end[None])
        else:
            path.pieces.append(curves)
        self.at = end


def _arc_curves(start: Points, end: Points, row: Points) -> Points | None:
    """Convert an elliptic arc to cubic curves of at most a quarter turn (SVG 1.1, appendix F.6).

    Args:
        start: first point, (2,).
        end: last point, (2,).
        row: the numbers of the command: two radii (enlarged if they are too small), the angle between the ellipse and
            the x axis in degrees, the flags large-arc and sweep, and the end.

    Returns:
        (K, 3, 2) control points; None if the arc is a straight line.
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
    return np.stack(curves)
