"""The parts of a page: its lines, its marks, and what geometry leaves open."""

from __future__ import annotations

from dataclasses import dataclass

from asr.ink.ink import Ink

KINDS = (
    "rule", "underline", "strike_through", "box", "margin", "arrow", "bracket", "bullet", "highlighter", "dot",
    "scribble",
)  # fmt: skip
"""What a mark may be."""


@dataclass(frozen=True)
class Line:
    """One line of a page.

    Attributes:
        strokes: their indices on the page, rising.
        ink: the same strokes as an ink.
    """

    strokes: tuple[int, ...]
    ink: Ink


@dataclass(frozen=True)
class Mark:
    """Ink that is no writing.

    Attributes:
        kind: one of `KINDS`.
        strokes: their indices on the page, rising.
    """

    kind: str
    strokes: tuple[int, ...]


@dataclass(frozen=True)
class Doubt:
    """The same strokes, cut in different ways.

    Attributes:
        choices: two or more; the first is what geometry prefers, and its lines are lines of the `Layout`.
    """

    choices: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True)
class Layout:
    """A page as geometry sees it. Every stroke is in one line or in one mark.

    Attributes:
        lines: in reading order.
        marks: in the order of their first strokes.
        doubts: no line is in two of them.
    """

    lines: tuple[Line, ...]
    marks: tuple[Mark, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def line_of(page: Ink, strokes: tuple[int, ...]) -> Line:
    """The line of these strokes of a page."""
    return Line(strokes, Ink(tuple(page.strokes[k] for k in strokes), page.resolution))
