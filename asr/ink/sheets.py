"""The pages of a file, each with its own coordinates; place them below each other to make one ink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from asr.ink.ink import Ink, Stroke

_GAP = 0.1  # between pages of unknown height, as a share of the higher one


@dataclass(frozen=True)
class Highlight:
    """A stroke of a highlighter.

    Attributes:
        stroke: its points, in the coordinates of the page's ink.
        layer: its layer, from 1; None if the format has no layers.
    """

    stroke: Stroke
    layer: int | None = None


@dataclass(frozen=True)
class Sheet:
    """One page of a file.

    Attributes:
        ink: its strokes, y upwards.
        number: number of the page in the file, from 1; pages without ink are counted.
        layers: layer of each stroke, from 1; empty if the format has no layers.
        y_down: whether y grows downwards in the file; the file then has the coordinates of `ink` with y negated.
        top: distance of this page's top below the first page's top when all pages are one ink.
        highlights: highlighter strokes, in the order of the file; they are not part of `ink`.
    """

    ink: Ink
    number: int = 1
    layers: tuple[int, ...] = ()
    y_down: bool = True
    top: float = 0.0
    highlights: tuple[Highlight, ...] = ()


def one_ink(sheets: Sequence[Sheet]) -> Ink:
    """Place the pages of a file (at least one) below each other, and return all strokes in order as one ink."""
    if len(sheets) == 1 and not sheets[0].top:
        return sheets[0].ink
    strokes = [_lowered(stroke, sheet.top) for sheet in sheets for stroke in sheet.ink.strokes]
    return Ink(tuple(strokes), sheets[0].ink.resolution)


def _lowered(stroke: Stroke, top: float) -> Stroke:
    return Stroke(stroke.points - [0.0, top], stroke.times) if top else stroke


def placed_below(sheets: Sequence[Sheet]) -> tuple[Sheet, ...]:
    """Set the tops of pages of unknown height, so that each page lies below all earlier ones."""
    extents = [sheet.ink.bounds()[1::2] for sheet in sheets]
    return tuple(replace(sheet, top=top) for sheet, top in zip(sheets, tops(extents), strict=True))


def tops(extents: Sequence[tuple[float, float]]) -> list[float]:
    """Return for each page how far it must be lowered to lie below all earlier pages; 0 if it already does.

    Args:
        extents: lowest and highest y of the ink of each page.

    >>> tops([(-10.0, 0.0), (-10.0, 0.0), (-99.0, -40.0)])
    [0.0, 11.0, 0.0]
    """
    found, floor = [], np.inf
    for low, high in extents:
        top = max(0.0, high - floor) if np.isfinite(floor) else 0.0
        top += _GAP * (high - low) if top else 0.0
        found.append(float(top))
        floor = min(floor, low - top)
    return found
