"""Find out which way up a page is if its file does not say so, or is wrong about it.

Ink whose y grows downwards, read as if it grew upwards, is a mirror image that a recogniser reads as nonsense. Two
habits of Latin writing tell it without a look at the order of strokes or lines:

- pens write steep strokes downwards and go back upwards flatter or in the air: `down` is the steep ink (steeper than
  1.5) that goes downwards less that which goes upwards, as a share of both;
- letters turn to the left (a, c, d, e, g, o, q, s begin so): `turns` are the turns of the pen to the left less those to
  the right, a stroke; a bend of more than 140 degrees is a cusp and does not count.

Their evidence is the logarithm of the odds that the page is the right way up, `13.3 down + 2.6 turns`: a logistic
regression without a constant, since both change their sign when a page is turned. If it is at least 0, the page stays
as it is. If it is less, the lines with most ink are recognised both ways up, and the page is turned only if
`0.6 evidence + 1.3 difference < -3`. The difference is the log probability of the texts as the page is, less that of
the texts upside down. The -3 is how much must speak against the direction that the file gives.

Numbers fitted on UNIPEN's category 8 (dev writers) and words from tablets: `python -m benchmarks.orientation`.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from asr.ink import Ink, Stroke, analyse
from asr.recogniser.batching import transcribe_each
from asr.recogniser.page import MAX_STROKES
from asr.recogniser.recogniser import Recogniser

Flip = Literal["auto", "yes", "no"]

DOWN, TURNS = 13.3, 2.6
SURE = 0.0
EVIDENCE, DIFFERENCE = 0.6, 1.3
AGAINST = -3.0
_STEEP = 1.5
_CUSP = 2.5  # radians
_MOST_LINES = 4
_MOST_POINTS = 4000  # of a line that is recognised both ways


def flipped(ink: Ink) -> Ink:
    """The mirror image, y being negated."""
    return Ink(tuple(Stroke(stroke.points * [1.0, -1.0], stroke.times) for stroke in ink.strokes), ink.resolution)


def is_upside_down(recogniser: Recogniser, page: Ink) -> bool:
    """Whether a page is better read with y negated, by the rule of this module."""
    evidence = evidence_of(page)
    if evidence >= SURE or len(page.strokes) > MAX_STROKES:  # a page with more is refused
        return False
    return EVIDENCE * evidence + DIFFERENCE * difference_of(recogniser, page) < AGAINST


def evidence_of(ink: Ink) -> float:
    """What the strokes say for the way they are: above 0 for it, below 0 against it; 0 where they say nothing."""
    scale = float(np.abs(ink.bounds()).max()) or 1.0  # so that no length is too large for a number
    steps = [np.diff(stroke.points / scale, axis=0) for stroke in ink.strokes]
    return DOWN * _down(np.concatenate(steps)) + TURNS * sum(map(_turns, steps)) / len(steps)


def difference_of(recogniser: Recogniser, page: Ink) -> float:
    """How much likelier, in nats, the lines with most ink are as they are than upside down."""
    lines = [line.ink for line in analyse(page).lines]
    chosen = sorted((one for one in lines if one.n_points <= _MOST_POINTS), key=lambda one: -one.n_points)[:_MOST_LINES]
    both = [one for line in chosen for one in (line, flipped(line))]
    scores = [
        found[0].score.acoustic if isinstance(found, list) else 0.0 for found in transcribe_each(recogniser, both)
    ]
    difference = sum(scores[::2]) - sum(scores[1::2])
    return difference if math.isfinite(difference) else 0.0


def _down(steps: NDArray[np.float64]) -> float:
    steep = steps[np.abs(steps[:, 1]) > _STEEP * np.abs(steps[:, 0])]
    lengths = np.hypot(*steep.T)
    whole = float(lengths.sum())
    return -float((lengths * np.sign(steep[:, 1])).sum()) / whole if whole > 0 else 0.0


def _turns(steps: NDArray[np.float64]) -> float:
    """Turns of a stroke to the left."""
    moved = steps[steps.any(axis=1)]
    bends = np.diff(np.arctan2(moved[:, 1], moved[:, 0]))
    bends = (bends + np.pi) % (2 * np.pi) - np.pi
    return float(bends[np.abs(bends) < _CUSP].sum()) / (2 * np.pi)
