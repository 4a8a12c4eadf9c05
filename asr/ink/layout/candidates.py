"""Strokes that may be marks by their shape, and are judged when the lines are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.ink.layout.shapes import Flags, Shapes
from asr.ink.layout.strokes import Floats

MOST = 4000
"""Candidates of a kind; a page with more is not a page of writing."""

_WIDE = 0.6  # h: a shorter level stroke is a hyphen or the bar of a letter
_TALL = 2.4  # h: brackets beside two lines are higher; so are some letters
_NARROW = 0.45  # width of a bracket / its height
_DETOUR = 1.6  # ink of a tall stroke / its height


@dataclass(frozen=True)
class Candidates:
    """Possible marks that are judged by the writing around them.

    Attributes:
        level: (S,) possible rules, underlines and strike-throughs.
        tall: (S,) possible margins and brackets.
    """

    level: Flags
    tall: Flags


def candidates(form: Shapes, height: float) -> Candidates:
    """Find the level and the tall strokes of a page.

    Args:
        form: the shapes of all strokes.
        height: h.
    """
    level = form.level & (form.width >= _WIDE * height)
    tall = (form.height >= _TALL * height) & (form.width <= _NARROW * form.height)
    tall &= form.ink <= _DETOUR * form.height
    return Candidates(_longest(level, form.width), _longest(tall, form.height))


def _longest(flags: Flags, length: Floats) -> Flags:
    if flags.sum() <= MOST:
        return flags
    least = np.sort(length[flags])[-MOST]
    return np.asarray(flags & (length >= least))
