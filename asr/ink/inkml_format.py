"""The meaning of the values of an InkML trace: channels, units, and the transform to the canvas."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Affine = tuple[float, float, float, float, float, float]
"""Rows of a 2 x 3 matrix: x' = a x + b y + c, y' = d x + e y + f."""

_SAME = 1e-9  # largest relative difference of two resolutions that count as equal
_SQUARE = 0.05  # largest relative difference of the scales of x and y for which a canvas has a resolution


@dataclass(frozen=True)
class Format:
    """The format of the points of a trace.

    Attributes:
        channels: names of the channels; intermittent channels come last.
        n_regular: number of channels that every point has.
        x_sign, y_sign: -1 if the values grow to the left or downwards, else 1.
        seconds: duration of one unit of channel T; None if not known.
        x_resolution, y_resolution: units per millimetre; either both or none are given.
        canvas: transform from the values to the canvas, whose x grows to the right and y downwards; None for identity.
        highlighter: whether the brush is a highlighter, whose traces are kept apart from the ink.
        sheet: name of the context's canvas; empty if none is named.
        wrong: why no trace can be read with this format; empty if it is valid.
    """

    channels: tuple[str, ...] = ("X", "Y")
    n_regular: int = 2
    x_sign: float = 1.0
    y_sign: float = -1.0
    seconds: float | None = 1e-3
    x_resolution: float | None = None
    y_resolution: float | None = None
    canvas: Affine | None = None
    highlighter: bool = False
    sheet: str = ""
    wrong: str = ""

    @property
    def x(self) -> int:
        """Position of channel X."""
        return self.channels.index("X")

    @property
    def y(self) -> int:
        """Position of channel Y."""
        return self.channels.index("Y")

    @property
    def names(self) -> str:
        """Names of the channels, for messages."""
        return " ".join(self.channels)[:60]

    def placed(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], float | None]:
        """Convert values to points with the same unit for x and y, y upwards.

        Args:
            values: (N, channels).

        Returns:
            The points (N, 2), and their units per millimetre or None.
        """
        x, y = values[:, self.x], values[:, self.y]
        if self.canvas is not None:
            return _on_canvas(x, y, self.canvas), self._canvas_resolution(self.canvas)
        points = np.column_stack([self.x_sign * x, self.y_sign * y])
        if self.x_resolution is not None and self.y_resolution is not None:
            scale = self.x_resolution / self.y_resolution
            if abs(scale - 1) > _SAME:
                points[:, 1] *= scale
        return points, self.x_resolution

    def _canvas_resolution(self, canvas: Affine) -> float | None:
        if self.x_resolution is None or self.y_resolution is None:
            return None
        of_x = self.x_resolution * math.hypot(canvas[0], canvas[3])
        of_y = self.y_resolution * math.hypot(canvas[1], canvas[4])
        fits = 0 < of_x < math.inf and abs(of_x - of_y) <= _SQUARE * of_x
        return of_x if fits else None


def _on_canvas(x: NDArray[np.float64], y: NDArray[np.float64], canvas: Affine) -> NDArray[np.float64]:
    a, b, c, d, e, f = canvas
    with np.errstate(over="ignore", invalid="ignore"):  # `InkBuilder.add` reports points that are not finite
        return np.column_stack([a * x + b * y + c, -(d * x + e * y + f)])
