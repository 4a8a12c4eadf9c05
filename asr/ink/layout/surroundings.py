"""The room around a mark that stands alone."""

from __future__ import annotations

import numpy as np

from asr.ink.layout.shapes import Shapes
from asr.ink.layout.strokes import Floats, Ints, Strokes

_ALONE = 0.25  # h without other ink around a mark
_LONG = 2.0  # h: longer marks need no such room
_RULE = 6.0  # h: longer level or straight strokes may be rules of the paper or margins, which run through everything
_PARTS, _NEAR = 16, 0.15  # parts of a long mark that slants, and the room around each in h


def stands_alone(strokes: Strokes, form: Shapes, own: Ints, height: float, clear: float = 0.0) -> bool:
    """Return whether no other ink is in the box around some strokes, or near it.

    Args:
        strokes: of the page.
        form: their shapes.
        own: the strokes of the mark, its main stroke first.
        height: h.
        clear: room around the box in h; 0: a quarter of h, or none around a long mark. Of a long mark, other ink may
            then be in the box if it is far from the mark's ink.
    """
    around = form.boxes[own]
    is_long = max(form.width[own[0]], form.height[own[0]]) >= _LONG * height
    room = height * (clear or (0.0 if is_long else _ALONE))
    low, high = around[:, :2].min(axis=0) - room, around[:, 2:].max(axis=0) + room
    touches = ((form.boxes[:, :2] <= high) & (form.boxes[:, 2:] >= low)).all(axis=1)
    touches &= ~((form.level | form.straight) & (np.maximum(form.width, form.height) > _RULE * height))
    touches[own] = False
    others = np.flatnonzero(touches)
    return not len(others) or (room == 0.0 and not _is_touched(strokes, own, form.boxes[others], _NEAR * height))


def _is_touched(strokes: Strokes, own: Ints, boxes: Floats, room: float) -> bool:
    """Return whether some boxes touch parts of a mark, which fills its own box only in part."""
    for k in own:
        path = strokes.path(int(k))
        for part in np.array_split(np.arange(len(path) - 1), min(_PARTS, max(1, len(path) - 1))):
            points = path[part[0] : part[-1] + 2] if len(part) else path
            low, high = points.min(axis=0) - room, points.max(axis=0) + room
            if ((boxes[:, :2] <= high) & (boxes[:, 2:] >= low)).all(axis=1).any():
                return True
    return False
