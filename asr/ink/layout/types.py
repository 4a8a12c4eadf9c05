"""The parts of a page: lines, marks, and doubts about the cut into lines."""

from __future__ import annotations

from dataclasses import dataclass

from asr.ink.ink import Ink

KINDS = (
    "rule", "underline", "strike_through", "box", "margin", "arrow", "bracket", "bullet", "dot", "scribble",
)  # fmt: skip
"""The kinds of marks."""


@dataclass(frozen=True)
class Line:
    """One line of a page.

    Attributes:
        strokes: indices of its strokes on the page, rising.
        ink: the same strokes as an ink.
    """

    strokes: tuple[int, ...]
    ink: Ink


@dataclass(frozen=True)
class Mark:
    """Ink that is not writing.

    Attributes:
        kind: one of `KINDS`.
        strokes: indices of its strokes on the page, rising.
    """

    kind: str
    strokes: tuple[int, ...]


@dataclass(frozen=True)
class Doubt:
    """Alternative cuts of the same strokes into lines; recognition decides.

    Attributes:
        choices: two or more cuts; the first is the one that geometry prefers, and its lines are lines of the `Layout`.
    """

    choices: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True)
class Layout:
    """The result of the analysis of a page. Every stroke is in one line or in one mark.

    Attributes:
        lines: in reading order.
        marks: in the order of their first strokes.
        doubts: alternative cuts; no line is in two of them.
    """

    lines: tuple[Line, ...]
    marks: tuple[Mark, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def line_of(page: Ink, strokes: tuple[int, ...]) -> Line:
    """Return the line that consists of some strokes of a page, given by their indices."""
    return Line(strokes, Ink(tuple(page.strokes[k] for k in strokes), page.resolution))
