"""The slope of the lines of a page."""

from __future__ import annotations

import numpy as np

from asr.ink.layout.strokes import Floats, Pieces

_STEEPEST = 20.0  # degrees
_NARROW = 5.0  # h: narrower pages are not turned, because their slope depends on single letters
_FULL = 20.0  # h: wider pages need hardly any gain
_BINS = 4  # per h
_MOST_BINS = 50_000
_MOST_PIECES = 20_000
_GAIN = 0.02  # by which a steeper slope must be sharper for each degree, at `_NARROW`


def turn(parts: Pieces, size: float) -> Floats:
    """Return the (2, 2) rotation that makes the lines level.

    The angle maximises the sum of squares of the horizontal projection, so that the ink lies in the narrowest bands
    (W. Postl, "Detection of linear oblique structures and skew scan in digitized documents", ICPR 1986). The narrower
    the page, the more a slope must gain.

    Args:
        parts: pieces of the writing.
        size: h.
    """
    width = float(np.ptp(parts.boxes[:, [0, 2]]))
    if width < _NARROW * size:
        return np.eye(2)
    thin = -(-len(parts) // _MOST_PIECES)
    x = parts.boxes[::thin, [0, 2]].mean(axis=1)
    y, ink = parts.height[::thin], parts.ink[::thin]
    price = _GAIN * np.clip((_FULL * size - width) / ((_FULL - _NARROW) * size), 0.05, 1.0)
    best, found = 0.0, 0.0
    for degrees in sorted(np.arange(-_STEEPEST, _STEEPEST + 0.25, 0.5), key=abs):
        gain = _sharpness(x, y, ink, size, degrees) / (1 + price * abs(degrees))
        if gain > best * 1.001:
            best, found = gain, degrees
    return rotation(found)


def rotation(degrees: float) -> Floats:
    """Return the (2, 2) rotation by minus this angle, which makes ink level that rises by it."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, sin], [-sin, cos]])


def _sharpness(x: Floats, y: Floats, ink: Floats, size: float, degrees: float) -> float:
    """Return the sum of squares of the ink in horizontal bands; every piece is spread over two of them."""
    heights = (y * np.cos(np.radians(degrees)) - x * np.sin(np.radians(degrees))) * (_BINS / size)
    heights = np.minimum(heights - heights.min(), _MOST_BINS)
    low = heights.astype(np.int64)
    share = heights - low
    bands = np.bincount(low, ink * (1 - share), minlength=int(low.max()) + 2)
    bands += np.bincount(low + 1, ink * share, minlength=len(bands))
    smooth = bands[:-1] + bands[1:]
    return float((smooth**2).sum())
