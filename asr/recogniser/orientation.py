"""Detect pages that are upside down, for files that say nothing about the direction of y, or say it wrongly.

If y grows downwards and is read as if it grew upwards, the ink is a mirror image, and the recogniser reads nonsense.
Two habits of Latin handwriting show this without knowing the order of strokes or lines:

- `down`: pens draw steep strokes downwards and return upwards less steeply or in the air. This is the length of steep
  ink (slope above 1.5) drawn downwards minus that drawn upwards, divided by their sum.
- `turns`: letters turn to the left (a, c, d, e, g, o, q and s begin so). This is the number of full turns to the left
  minus those to the right, per stroke. A bend of more than 140 degrees is a cusp and does not count.

The evidence is `13.3 down + 2.6 turns`, the log odds that the page is the right way up. It comes from a logistic
regression without a constant, because both values change their sign when a page is turned. If it is 0 or more, the page
stays as it is. Otherwise the lines with the most ink are recognised both ways, and the page is turned only if
`0.6 evidence + 1.3 difference < -3`. The difference is the log probability of the texts as the page is, minus that of
the texts upside down. The threshold of -3 favours the direction that the file gives.

The two ways are always recognised by best-path decoding of all labels. The user's decoder may allow only some labels
(`--labels digits`) or prefer some words, and then its scores say little about the direction of other writing.

The numbers were fitted on UNIPEN's category 8 (dev writers) and words from tablets: `python -m benchmarks.orientation`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from asr.config import Component
from asr.decoding.choice import named
from asr.decoding.greedy import GreedyConfig
from asr.ink import Ink, Stroke, analyse
from asr.recogniser.batching import transcribe_each
from asr.recogniser.page import MAX_STROKES
from asr.recogniser.recogniser import Recogniser

DOWN, TURNS = 13.3, 2.6
SURE = 0.0
EVIDENCE, DIFFERENCE = 0.6, 1.3
AGAINST = -3.0
_STEEP = 1.5
_CUSP = 2.5  # radians
_MOST_LINES = 4
_MOST_POINTS = 4000  # of a line that is recognised both ways


def flipped(ink: Ink) -> Ink:
    """Return the mirror image of an ink: every y negated."""
    return Ink(tuple(Stroke(stroke.points * [1.0, -1.0], stroke.times) for stroke in ink.strokes), ink.resolution)


def is_upside_down(recogniser: Recogniser, page: Ink) -> bool:
    """Return whether a page should be read with y negated, by the rule of this module.

    Args:
        recogniser: reads the page both ways if its strokes leave doubt; its decoder plays no role.
        page: the ink as it is in the file. A page with more than `MAX_STROKES` strokes is not turned.
    """
    if len(page.strokes) > MAX_STROKES:  # `transcribe_pages` refuses it
        return False
    evidence = evidence_of(page)
    if evidence >= SURE:
        return False
    return EVIDENCE * evidence + DIFFERENCE * difference_of(recogniser, page) < AGAINST


def evidence_of(ink: Ink) -> float:
    """Return the log odds, by the strokes alone, that an ink is the right way up; 0 if they show nothing."""
    scale = float(np.abs(ink.bounds()).max()) or 1.0  # so that no length is too large for a number
    steps = [np.diff(stroke.points / scale, axis=0) for stroke in ink.strokes]
    return DOWN * _down(np.concatenate(steps)) + TURNS * sum(map(_turns, steps)) / len(steps)


def difference_of(recogniser: Recogniser, page: Ink) -> float:
    """Return the log probability of the lines with the most ink as they are, minus that upside down, in nats."""
    greedy = recogniser.with_decoder(named(Component.of(GreedyConfig())))
    lines = [line.ink for line in analyse(page).lines]
    chosen = sorted((one for one in lines if one.n_points <= _MOST_POINTS), key=lambda one: -one.n_points)[:_MOST_LINES]
    both = [one for line in chosen for one in (line, flipped(line))]
    scores = [found[0].score.acoustic if isinstance(found, list) else 0.0 for found in transcribe_each(greedy, both)]
    difference = sum(scores[::2]) - sum(scores[1::2])
    return difference if math.isfinite(difference) else 0.0


def _down(steps: NDArray[np.float64]) -> float:
    """Return the share of steep ink drawn downwards, minus that drawn upwards."""
    steep = steps[np.abs(steps[:, 1]) > _STEEP * np.abs(steps[:, 0])]
    lengths = np.hypot(*steep.T)
    whole = float(lengths.sum())
    return -float((lengths * np.sign(steep[:, 1])).sum()) / whole if whole > 0 else 0.0


def _turns(steps: NDArray[np.float64]) -> float:
    """Return the number of full turns of a stroke to the left, minus those to the right."""
    moved = steps[steps.any(axis=1)]
    bends = np.diff(np.arctan2(moved[:, 1], moved[:, 0]))
    bends = (bends + np.pi) % (2 * np.pi) - np.pi
    return float(bends[np.abs(bends) < _CUSP].sum()) / (2 * np.pi)
