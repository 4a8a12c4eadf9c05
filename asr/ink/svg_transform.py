"""Parse the transforms of SVG 1.1 (section 7.6)."""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

from asr.ink.assembling import BadStroke, shown
from asr.ink.numbers import plain_numbers
from asr.ink.svg_path import Budget

Matrix = NDArray[np.float64]  # (2, 3): [x', y'] = M @ [x, y, 1]
IDENTITY: Matrix = np.eye(2, 3)

_TRANSFORM = re.compile(r"\s*(matrix|translate|scale|rotate|skewX|skewY)\s*\(([^()]*)\)\s*,?\s*")
_STEPS = 8  # of the budget, for each transform


def transform(text: str, budget: Budget) -> Matrix:
    """Return the product of a list of transforms.

    Raises:
        BadStroke: a transform cannot be read.
        TooMuchWork: there are more transforms than the budget allows.

    >>> transform("translate(3, 4) scale(2)", Budget(100)).tolist()
    [[2.0, 0.0, 3.0], [0.0, 2.0, 4.0]]
    """
    text = text.strip()
    whole, position = IDENTITY, 0
    while position < len(text):
        budget.spend(_STEPS)
        match = _TRANSFORM.match(text, position)
        values = None if match is None else plain_numbers(match[2].replace(",", " "))
        one = None if match is None or values is None else _matrix(match[1], values.tolist())
        if match is None or one is None:
            raise BadStroke(
                f"its transform cannot be read: {shown(text[position : position + 40])}; save the drawing again as"
                " plain SVG"
            )
        whole, position = composed(whole, one), match.end()
    return whole


def composed(outer: Matrix, inner: Matrix) -> Matrix:
    """Return the matrix that applies the inner transform, then the outer one."""
    with np.errstate(over="ignore", invalid="ignore"):  # `InkBuilder.add` reports points that are not finite
        product = outer[:, :2] @ inner
    product[:, 2] += outer[:, 2]
    return product


def _matrix(name: str, v: list[float]) -> Matrix | None:
    """Return the matrix of one transform; None if it has the wrong number of values."""
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
