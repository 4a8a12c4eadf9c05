"""Read and write ink as SVG drawings, as the pen tools of vector programs make them.

The reader supports `path` (all commands of SVG 1.1), `polyline`, `polygon` and `line`, with the transforms of their
groups; every subpath is a stroke, in the order of the file. It ignores other shapes, text, pictures, `use`, anything
inside `defs`, `symbol`, `marker`, `pattern`, `mask` or `clipPath`, and invisible elements (`display`, `visibility`,
opacity 0, in attributes, `style` and style sheets: `svg_style.py`). A filled outline looks the same as a pen's path and
is read as a stroke. In SVG, y grows downwards; it is negated here. There are no times. Elements that cannot be read are
left out with a warning.

Pieces that a program drew one by one, as for a pen of changing width, are joined to one stroke; the rules of lined or
squared paper are removed: `svg_strokes.py`.

Curves become polylines within 1/2000 of the larger side of the drawing (of its control points). Arcs first become cubic
curves, with an error of at most 0.0003 of their radius.

The resolution follows from the `viewBox` and a `width` in mm, cm, in, pt or pc; with pixels it is not known.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.ink.assembling import BadStroke, InkBuilder, shown
from asr.ink.ink import MAX_POINTS, Ink, Stroke
from asr.ink.numbers import plain_numbers
from asr.ink.svg_path import Budget, Subpath, TooMuchWork, number_list, subpaths
from asr.ink.svg_strokes import Drawn, joined, without_rules
from asr.ink.svg_style import Shown, Styles, TooManySteps
from asr.ink.svg_transform import IDENTITY, Matrix, composed, transform
from asr.ink.writing import write_text
from asr.ink.xml import Element

ROOT = "svg"
MAX_STEPS = 2_000_000  # budget of a drawing: 100,000 paths or 200,000 lines
_STEPS_OF_SHAPE, _STEPS_OF_CURVED = 10, 15  # cost of an element, and of a subpath with curves
_NOT_DRAWN = frozenset(["defs", "symbol", "marker", "pattern", "mask", "clipPath"])
_DRAWN = frozenset(["path", "polyline", "polygon", "line"])
_TOLERANCE = 1 / 2000  # of the larger side of the drawing
_MILLIMETRES = {"mm": 1.0, "cm": 10.0, "in": 25.4, "pt": 25.4 / 72, "pc": 25.4 / 6}
_MARGIN = 0.05  # around the ink, as a share of the larger side


def read_svg(path: Path, root: Element) -> Ink:
    """Return the ink of a parsed drawing.

    Args:
        path: the file, for error messages.
        root: its root element.

    Raises:
        DataError: the drawing has no line or path that can be read, or is too large.
    """
    builder = InkBuilder(path)
    try:
        drawn = _Drawing(root, builder).drawn()
    except TooMuchWork:
        raise DataError(f"{path}: too many path commands for one drawing; cut it into pages") from None
    except TooManySteps:
        raise DataError(f"{path}: its style sheets are too large; save it again as plain SVG") from None
    drawn = joined(without_rules(drawn, _page(root)))
    tolerance = _TOLERANCE * _larger_side([piece.reshape(-1, 2) for one in drawn for piece in one.subpath.pieces])
    n_points = 0
    for one in drawn:
        try:
            points = one.subpath.flattened(tolerance, MAX_POINTS - n_points)
        except ValueError:
            raise DataError(f"{path}: more than {MAX_POINTS} points; cut it into pages") from None
        n_points += len(points)
        builder.add(points * [1.0, -1.0], None, one.where)
    return builder.ink(_resolution(root))


class _Drawing:
    """Reader of the visible elements of a drawing."""

    def __init__(self, root: Element, builder: InkBuilder) -> None:
        self.root, self.builder = root, builder
        self.styles = Styles(root)
        self.budget = Budget(MAX_STEPS)

    def drawn(self) -> list[Drawn]:
        """Return the subpaths of all shapes, in the coordinates of the drawing."""
        found: list[Drawn] = []
        for element, matrix, look, group in self._shapes():
            where = f"{element.name} (line {element.line})"
            with self.builder.reading(where):
                found += [Drawn(one.transformed(matrix), where, look.pen, group) for one in self._outline(element)]
        return found

    def _shapes(self) -> Iterator[tuple[Element, Matrix, Shown, Element | None]]:
        """Yield each visible shape with its transform to the drawing's coordinates, its style and its group."""
        waiting: list[tuple[Element, Matrix, tuple[Element, Shown] | None]] = [(self.root, IDENTITY, None)]
        while waiting:
            element, matrix, parent = waiting.pop()
            if element.name in _NOT_DRAWN:
                continue
            look = self.styles.shown(element, parent)
            if not look.seen:
                continue
            with self.builder.reading(f"{element.name} (line {element.line})"):
                if "transform" in element.attributes:
                    matrix = composed(matrix, transform(element.attributes["transform"], self.budget))
                if element.name in _DRAWN and look.visible:
                    yield element, matrix, look, None if parent is None else parent[0]
                waiting.extend((child, matrix, (element, look)) for child in reversed(element.children))

    def _outline(self, element: Element) -> list[Subpath]:
        """Return the subpaths of an element."""
        self.budget.spend(_STEPS_OF_SHAPE)
        try:
            outline = _subpaths(element, self.budget)
        except ValueError as error:
            raise BadStroke(f"{error}; save the drawing again as plain SVG") from None
        self.budget.spend(_STEPS_OF_CURVED * sum(piece.ndim == 3 for one in outline for piece in one.pieces[1:2]))
        return outline


def _subpaths(element: Element, budget: Budget) -> list[Subpath]:
    """Return the subpaths of a shape; raise a ValueError that says what is wrong with it."""
    attributes = element.attributes
    if element.name == "path":
        return subpaths(attributes.get("d", ""), budget)
    if element.name == "line":
        ends = [_number(attributes.get(name, "0"), name) for name in ("x1", "y1", "x2", "y2")]
        return [Subpath([np.reshape(ends, (2, 2))])]
    values = number_list(attributes.get("points", ""))
    if len(values) % 2:
        raise ValueError(f"{len(values)} coordinates; expected x and y for every point")
    points = np.reshape(values, (-1, 2))
    if element.name == "polygon" and len(points) > 1:
        points = np.concatenate([points, points[:1]])
    return [Subpath([points], closed=element.name == "polygon")] if len(points) else []


def _number(text: str, name: str) -> float:
    values = plain_numbers(text)
    if values is None or len(values) != 1:
        raise ValueError(f"{name} is {shown(text)}; expected a number")
    return float(values[0])


def _larger_side(parts: list[NDArray[np.float64]]) -> float:
    if not parts:
        return 0.0
    points = np.concatenate(parts)
    points = points[np.isfinite(points).all(axis=1)]
    with np.errstate(over="ignore"):
        return float((points.max(axis=0) - points.min(axis=0)).max()) if len(points) else 0.0


def _page(root: Element) -> tuple[float, float] | None:
    """Return width and height of the drawing's area in its own units; None if they are not given."""
    box = plain_numbers(root.attributes.get("viewBox", "").replace(",", " "))
    if box is None or len(box) != 4:
        sides = [plain_numbers(root.attributes.get(name, "").removesuffix("px")) for name in ("width", "height")]
        box = np.concatenate([np.zeros(2), *(side for side in sides if side is not None)])
    fits = len(box) == 4 and np.isfinite(box).all() and (box[2:] > 0).all()
    return (float(box[2]), float(box[3])) if fits else None


def _resolution(root: Element) -> float | None:
    """Return the units per millimetre, from the drawing's width on paper and in its own units."""
    width = re.fullmatch(r"\s*([0-9.eE+-]+)\s*(mm|cm|in|pt|pc)\s*", root.attributes.get("width", ""))
    box = plain_numbers(root.attributes.get("viewBox", "").replace(",", " "))
    on_paper = None if width is None else plain_numbers(width[1])
    if width is None or on_paper is None or len(on_paper) != 1 or box is None or len(box) != 4:
        return None
    millimetres = on_paper[0] * _MILLIMETRES[width[2]]
    resolution = float(box[2] / millimetres) if millimetres > 0 else 0.0
    return resolution if 0 < resolution < math.inf else None


def write_svg(path: str | os.PathLike[str], ink: Ink) -> None:
    """Write an ink as a drawing of lines; `read_ink` gives exactly the same points, without times.

    The resolution is stored as the size on paper, so it may change by rounding.

    Raises:
        DataError: the file cannot be written.

    >>> import tempfile
    >>> from asr.ink import read_ink
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_svg(f"{folder}/letter.svg", Ink.of([[1, 2], [1, 10]]))
    ...     read_ink(f"{folder}/letter.svg").points().tolist()
    [[1.0, 2.0], [1.0, 10.0]]
    """
    left, bottom, right, top = ink.bounds()
    side = max(right - left, top - bottom) or 1.0
    margin = _MARGIN * side
    width, height = right - left + 2 * margin, top - bottom + 2 * margin
    size = (
        ""
        if ink.resolution is None
        else f' width="{width / ink.resolution!r}mm" height="{height / ink.resolution!r}mm"'
    )
    box = " ".join(map(repr, (left - margin, -top - margin, width, height)))
    pen = f'stroke="black" stroke-width="{side / 150!r}" stroke-linecap="round" stroke-linejoin="round"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg"{size} viewBox="{box}" fill="none" {pen}>',
        *(_drawn(stroke, before) for stroke, before in zip(ink.strokes, (None, *ink.strokes), strict=False)),
        "</svg>",
        "",
    ]
    write_text(path, "\n".join(lines))


def _drawn(stroke: Stroke, before: Stroke | None) -> str:
    """Return the element of a stroke; in its own group if it would otherwise be joined to the stroke before."""
    if before is not None and np.array_equal(before.points[-1], stroke.points[0]):
        return f"<g>{_drawn(stroke, None)}</g>"
    points = (stroke.points * [1.0, -1.0]).tolist()
    if len(points) == 1:  # a closed path of one point: browsers draw a dot
        return f'<path d="M {points[0][0]!r} {points[0][1]!r} Z"/>'
    return f'<polyline points="{" ".join(f"{x!r},{y!r}" for x, y in points)}"/>'
