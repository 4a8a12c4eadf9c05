"""Ink as SVG drawings: what a vector program draws with its pen tool, and what a browser shows.

Read are `path` (all commands of SVG 1.1), `polyline`, `polygon` and `line`, with the transforms of their groups; every
subpath is a stroke, in the order of the file. Left out: other shapes, text, pictures, `use`, anything inside `defs`,
`symbol`, `marker`, `pattern`, `mask` or `clipPath`, and what has `display="none"`. A filled outline cannot be told from
a pen's path, and is read as one. y grows downwards in SVG and is turned round; there are no times.

Curves become straight pieces that stay within 1/2000 of the larger side of the whole drawing (of its control points);
arcs first become cubic curves, which are off by at most 0.0003 of their radius.

Resolution: the `viewBox` and a `width` in mm, cm, in, pt or pc tell the units in a millimetre; pixels do not.
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
from asr.ink.assembling import InkBuilder
from asr.ink.ink import MAX_POINTS, Ink, Stroke
from asr.ink.numbers import plain_numbers
from asr.ink.svg_path import Subpath, number_list, subpaths
from asr.ink.writing import write_text
from asr.ink.xml import Element

ROOT = "svg"
_NOT_DRAWN = frozenset(["defs", "symbol", "marker", "pattern", "mask", "clipPath"])
_TOLERANCE = 1 / 2000  # of the larger side of the drawing
_MILLIMETRES = {"mm": 1.0, "cm": 10.0, "in": 25.4, "pt": 25.4 / 72, "pc": 25.4 / 6}
_TRANSFORM = re.compile(r"\s*(matrix|translate|scale|rotate|skewX|skewY)\s*\(([^()]*)\)\s*,?\s*")
_MARGIN = 0.05  # of the larger side, around what is written

Matrix = NDArray[np.float64]  # (2, 3): [x', y'] = M @ [x, y, 1]
_IDENTITY = np.eye(2, 3)


def read_svg(path: Path, root: Element) -> Ink:
    """The ink of a parsed drawing.

    Raises:
        DataError: nothing drawn with lines, paths or transforms that cannot be read; names the file and the line.
    """
    drawn: list[tuple[Subpath, str]] = []
    for element, matrix in _shapes(path, root):
        where = f"{element.name} (line {element.line})"
        try:
            drawn += [(one.transformed(matrix), where) for one in _outline(element)]
        except ValueError as error:
            raise DataError(f"{path}: {where}: {error}; save the drawing again as plain SVG") from None
    builder = InkBuilder(path)
    tolerance = _TOLERANCE * _larger_side([piece.reshape(-1, 2) for subpath, _ in drawn for piece in subpath.pieces])
    n_points = 0
    for subpath, where in drawn:
        try:
            points = subpath.flattened(tolerance, MAX_POINTS - n_points)
        except ValueError:
            raise DataError(f"{path}: more than {MAX_POINTS} points; cut it into pages") from None
        n_points += len(points)
        builder.add(points * [1.0, -1.0], None, where)
    return builder.ink(_resolution(root))


def _shapes(path: Path, root: Element) -> Iterator[tuple[Element, Matrix]]:
    """What is drawn, with its transform to the drawing's coordinates."""
    waiting = [(root, _IDENTITY)]
    while waiting:
        element, matrix = waiting.pop()
        if element.name in _NOT_DRAWN or element.attributes.get("display") == "none":
            continue
        if "transform" in element.attributes:
            matrix = _composed(matrix, _transform(path, element))
        if element.name in ("path", "polyline", "polygon", "line"):
            yield element, matrix
        waiting.extend((child, matrix) for child in reversed(element.children))


def _outline(element: Element) -> list[Subpath]:
    """The subpaths of an element. Raises ValueError with what is wrong."""
    attributes = element.attributes
    if element.name == "path":
        return subpaths(attributes.get("d", ""))
    if element.name == "line":
        ends = [_number(attributes.get(name, "0"), name) for name in ("x1", "y1", "x2", "y2")]
        return [Subpath([np.reshape(ends, (2, 2))])]
    values = number_list(attributes.get("points", ""))
    if len(values) % 2:
        raise ValueError(f"{len(values)} coordinates; expected x and y for every point")
    points = np.reshape(values, (-1, 2))
    if element.name == "polygon" and len(points) > 1:
        points = np.concatenate([points, points[:1]])
    return [Subpath([points])] if len(points) else []


def _number(text: str, name: str) -> float:
    values = plain_numbers(text)
    if values is None or len(values) != 1:
        raise ValueError(f"{name} is {text[:40]!r}; expected a number")
    return float(values[0])


def _transform(path: Path, element: Element) -> Matrix:
    """The product of an element's list of transforms."""
    text = element.attributes["transform"].strip()
    whole, position = _IDENTITY, 0
    while position < len(text):
        match = _TRANSFORM.match(text, position)
        values = None if match is None else plain_numbers(match[2].replace(",", " "))
        one = None if match is None or values is None else _matrix(match[1], values.tolist())
        if match is None or one is None:
            raise DataError(
                f"{path}: line {element.line}: a transform that cannot be read: {text[position : position + 40]!r};"
                " save the drawing again as plain SVG"
            )
        whole, position = _composed(whole, one), match.end()
    return whole


def _matrix(name: str, v: list[float]) -> Matrix | None:
    """SVG 1.1, section 7.6; None for a wrong count of numbers."""
    if name == "matrix" and len(v) == 6:
        return np.array(v).reshape(3, 2).T
    if name == "translate" and len(v) in (1, 2):
        return np.array([[1, 0, v[0]], [0, 1, v[1] if len(v) > 1 else 0]], dtype=np.float64)
    if name == "scale" and len(v) in (1, 2):
        return np.array([[v[0], 0, 0], [0, v[-1], 0]], dtype=np.float64)
    if not v or not math.isfinite(v[0]):
        return None
    angle = math.radians(v[0])
    if name == "rotate" and len(v) in (1, 3):
        cos, sin = math.cos(angle), math.sin(angle)
        cx, cy = v[1:] or (0.0, 0.0)
        return np.array([[cos, -sin, cx - cos * cx + sin * cy], [sin, cos, cy - sin * cx - cos * cy]])
    if name == "skewX" and len(v) == 1:
        return np.array([[1, math.tan(angle), 0], [0, 1, 0]], dtype=np.float64)
    if name == "skewY" and len(v) == 1:
        return np.array([[1, 0, 0], [math.tan(angle), 1, 0]], dtype=np.float64)
    return None


def _composed(outer: Matrix, inner: Matrix) -> Matrix:
    with np.errstate(over="ignore", invalid="ignore"):  # the points tell, with their place
        product = outer[:, :2] @ inner
    product[:, 2] += outer[:, 2]
    return product


def _larger_side(parts: list[NDArray[np.float64]]) -> float:
    if not parts:
        return 0.0
    points = np.concatenate(parts)
    points = points[np.isfinite(points).all(axis=1)]
    with np.errstate(over="ignore"):
        return float((points.max(axis=0) - points.min(axis=0)).max()) if len(points) else 0.0


def _resolution(root: Element) -> float | None:
    """Units in a millimetre, from the drawing's width on paper and in its own units."""
    width = re.fullmatch(r"\s*([0-9.eE+-]+)\s*(mm|cm|in|pt|pc)\s*", root.attributes.get("width", ""))
    box = plain_numbers(root.attributes.get("viewBox", "").replace(",", " "))
    on_paper = None if width is None else plain_numbers(width[1])
    if width is None or on_paper is None or len(on_paper) != 1 or box is None or len(box) != 4:
        return None
    millimetres = on_paper[0] * _MILLIMETRES[width[2]]
    resolution = float(box[2] / millimetres) if millimetres > 0 else 0.0
    return resolution if 0 < resolution < math.inf else None


def write_svg(path: str | os.PathLike[str], ink: Ink) -> None:
    """Write an ink as a drawing of lines; reading it gives the same points back, exactly, without their times.

    A resolution is kept as the size on paper, to within rounding.

    Raises:
        DataError: the file cannot be written.
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
        *map(_drawn, ink.strokes),
        "</svg>",
        "",
    ]
    write_text(path, "\n".join(lines))


def _drawn(stroke: Stroke) -> str:
    points = (stroke.points * [1.0, -1.0]).tolist()
    if len(points) == 1:  # a closed path of one point: browsers draw a dot
        return f'<path d="M {points[0][0]!r} {points[0][1]!r} Z"/>'
    return f'<polyline points="{" ".join(f"{x!r},{y!r}" for x, y in points)}"/>'
