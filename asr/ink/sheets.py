"""The pages of a file, each with its own coordinates, and all of them below each other as one ink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from asr.ink.ink import Ink, Stroke

_GAP = 0.1  # between pages of unknown height, as a share of the higher one


@dataclass(frozen=True)
class Sheet:
    """One page of a file.

    Attributes:
        ink: its strokes, y upwards.
        number: of the page in the file, from 1; pages without ink are counted.
        layers: of each stroke, from 1; empty where the format has none.
        y_down: whether y grows downwards in the file: its coordinates are those of `ink` with y negated.
        top: how far below the first page this one begins when all are one ink.
    """

    ink: Ink
    number: int = 1
    layers: tuple[int, ...] = ()
    y_down: bool = True
    top: float = 0.0


def one_ink(sheets: Sequence[Sheet]) -> Ink:
    """All pages below each other, as if on one long sheet; the strokes in their order.

    Args:
        sheets: of one file, at least one.
    """
    if len(sheets) == 1 and not sheets[0].top:
        return sheets[0].ink
    strokes = [_lowered(stroke, sheet.top) for sheet in sheets for stroke in sheet.ink.strokes]
    return Ink(tuple(strokes), sheets[0].ink.resolution)


def _lowered(stroke: Stroke, top: float) -> Stroke:
    return Stroke(stroke.points - [0.0, top], stroke.times) if top else stroke


def placed_below(sheets: Sequence[Sheet]) -> tuple[Sheet, ...]:
    """The sheets of a format without heights of pages, each lowered so far that it lies below those before it."""
    extents = [sheet.ink.bounds()[1::2] for sheet in sheets]
    return tuple(replace(sheet, top=top) for sheet, top in zip(sheets, tops(extents), strict=True))


def tops(extents: Sequence[tuple[float, float]]) -> list[float]:
    """How far each page must be lowered to lie below those before it; 0 for all where they already do.

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
