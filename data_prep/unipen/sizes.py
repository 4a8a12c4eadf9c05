"""Positions and sizes of single signs in ordinary handwriting, for composing rows of signs.

The unit is h, the height of an x; y is measured from the base line. The numbers are rounded; rows that donors of UNIPEN
wrote (category 1d, one row per file) agree with them to about 0.2 h.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Extent(NamedTuple):
    """The box of a sign in h: bottom and top, relative to the base line, and width."""

    bottom: float
    top: float
    width: float

    @property
    def height(self) -> float:
        """Height of the box."""
        return self.top - self.bottom

    @property
    def size(self) -> float:
        """The longer side of the box."""
        return max(self.height, self.width)


_ROWS: tuple[tuple[str, float, float, float], ...] = (
    ("aceimnorsuvwxz", 0.0, 1.0, 0.8),
    ("bdfhkl", 0.0, 1.9, 0.8),
    ("t", 0.0, 1.7, 0.7),
    ("gqy", -0.9, 1.0, 0.8),
    ("j", -0.9, 1.4, 0.6),
    ("p", -0.9, 1.0, 0.8),
    ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 0.0, 1.8, 1.3),
    ("0123456789", 0.0, 1.7, 0.9),
    ("!", 0.0, 1.8, 0.2),
    ("?", 0.0, 1.8, 0.8),
    ("#", 0.0, 1.6, 1.3),
    ("$", -0.2, 1.9, 1.0),
    ("%", 0.0, 1.7, 1.3),
    ("&", 0.0, 1.7, 1.3),
    ("@", -0.2, 1.5, 1.6),
    ("()", -0.3, 1.9, 0.5),
    ("[]", -0.3, 1.9, 0.6),
    ("{}", -0.3, 1.9, 0.6),
    ("|", -0.4, 2.0, 0.1),
    ("/\\", -0.2, 1.8, 0.9),
    ("<>", 0.1, 1.2, 1.0),
    ("+", 0.2, 1.2, 1.0),
    ("=", 0.4, 0.9, 1.0),
    ("-", 0.5, 0.6, 0.8),
    ("_", -0.3, -0.2, 1.3),
    ("~", 0.5, 0.9, 1.1),
    ("*", 0.5, 1.5, 0.9),
    ("^", 1.1, 1.8, 0.8),
    ('"', 1.3, 1.9, 0.5),
    ("'", 1.3, 1.9, 0.2),
    ("`", 1.3, 1.9, 0.3),
    (".", 0.0, 0.15, 0.15),
    (",", -0.4, 0.2, 0.3),
    (":", 0.1, 0.9, 0.15),
    (";", -0.4, 0.9, 0.3),
)

EXTENTS = {sign: Extent(*box) for signs, *box in _ROWS for sign in signs}
"""The boxes of all printable signs of ASCII except the space."""

_TELLING = 0.8  # h; the size of smaller signs, such as a point, does not depend on the size of the writing


def writing_size(signs: Iterable[tuple[str, float]]) -> float | None:
    """Estimate the height of an x from the signs of one writer.

    Args:
        signs: pairs of a sign and the longer side of its ink's box, all in the same unit.

    Returns:
        h in the unit of the ink, the median over the signs; None if no sign is large enough.

    >>> writing_size([("x", 10.0), ("b", 19.0), (".", 3.0)])
    10.0
    """
    found = sorted(side / EXTENTS[sign].size for sign, side in signs if EXTENTS[sign].size >= _TELLING and side > 0)
    return found[len(found) // 2] if found else None
