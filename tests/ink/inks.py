"""Inks at random, for property tests."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from asr.ink import Ink, Stroke

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SECONDS = st.floats(-1e300, 1e300)
SCREEN = st.floats(-1e6, 1e6, allow_nan=False)


@st.composite
def strokes(draw: st.DrawFn, values: st.SearchStrategy[float] = FINITE, timed: bool | None = None) -> Stroke:
    """A stroke of one to six points; times are there or not, unless `timed` says which."""
    n_points = draw(st.integers(1, 6))
    points = draw(arrays(np.float64, (n_points, 2), elements=values))
    if not (draw(st.booleans()) if timed is None else timed):
        return Stroke(points)
    return Stroke(points, np.sort(draw(arrays(np.float64, n_points, elements=SECONDS))))


@st.composite
def inks(draw: st.DrawFn, values: st.SearchStrategy[float] = FINITE, timed: bool | None = None) -> Ink:
    """One to five strokes."""
    parts = draw(st.lists(strokes(values, timed), min_size=1, max_size=5))
    resolution = draw(st.none() | st.floats(0.01, 1000))
    return Ink(tuple(parts), resolution)
