"""Imitate a writer: deform the letters of the fonts, join them, and move along them in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.ink.ink import Ink, Stroke
from asr.seeds import generator
from data_prep.hershey.glyphs import FONTS, LETTERS, Glyph, font

Floats = NDArray[np.float64]

_WARP = 0.07  # x-heights; deviation of a hand's letters from the font
_INSTANCE = 0.025  # x-heights; deviation of one written letter from the hand's letter
_JOIN = 0.6  # x-heights; largest distance that is joined without lifting the pen
_DENSE = 0.02  # x-heights; step at which the pen's time is computed


@dataclass(frozen=True)
class Hand:
    """A writer.

    Attributes:
        name: name, unique in the corpus.
        seed: seed of the letters' shapes.
        style: `print`, `script`, or `mixed`, which chooses one of the two for every letter.
        height: device units per x-height.
        resolution: device units per millimetre.
        width: factor for the width of letters.
        spacing: x-heights between letters.
        space: x-heights between words.
        slant: slant, dx / dy.
        rise: slope of the base line, dy / dx.
        wander: x-heights by which the base line moves up and down.
        speed: x-heights per second.
        rate: points per second.
        tremor: standard deviation of the noise of points, in x-heights.
        late: whether dots and bars are written at the end of the word.
        joins: whether letters are joined.
    """

    name: str
    seed: int
    style: str
    height: float
    resolution: float
    width: float
    spacing: float
    space: float
    slant: float
    rise: float
    wander: float
    speed: float
    rate: float
    tremor: float
    late: bool
    joins: bool


def hand(name: str, seed: int, style: str) -> Hand:
    """Draw a random writer.

    Args:
        name: name of the writer; each name has its own random numbers.
        seed: seed of the corpus.
        style: `print`, `script` or `mixed`.
    """
    random = generator(seed, "hand", name)
    height = float(random.uniform(20.0, 80.0))
    return Hand(
        name=name,
        seed=seed,
        style=style,
        height=height,
        resolution=height / float(random.uniform(2.0, 4.5)),
        width=float(random.uniform(0.75, 1.3)),
        spacing=float(random.uniform(-0.05, 0.2)) if style != "script" else float(random.uniform(-0.03, 0.03)),
        space=float(random.uniform(0.5, 1.1)),
        slant=float(random.uniform(-0.3, 0.5)),
        rise=float(random.normal(scale=0.04)),
        wander=float(random.uniform(0.0, 0.12)),
        speed=float(random.uniform(6.0, 16.0)),
        rate=float(random.choice([60.0, 75.0, 100.0, 133.0])),
        tremor=float(random.uniform(0.005, 0.025)),
        late=bool(random.random() < (0.3 if style == "print" else 0.7)),
        joins=bool(style != "print" and random.random() < 0.8),
    )


class Writing:
    """The writing of a hand; its letters are chosen once, and vary slightly each time they are written."""

    def __init__(self, hand: Hand) -> None:
        self.hand = hand
        self._letters = {letter: self._own(letter) for letter in LETTERS}

    def write(self, text: str, random: np.random.Generator) -> Ink:
        """Write a text of `LETTERS` and single spaces."""
        strokes: list[Floats] = []
        x = 0.0
        for word in text.split(" "):
            written, width = self._word(word, random)
            strokes += [stroke + np.array([x, 0.0]) for stroke in written]
            x += width + self.hand.space * random.uniform(0.8, 1.2)
        return self._timed([self._placed(stroke) for stroke in self._with_wander(strokes, random)], random)

    def _own(self, letter: str) -> Glyph:
        """Draw the hand's shape of a letter."""
        hand = self.hand
        random = generator(hand.seed, "letter", hand.name, letter)
        style = hand.style if hand.style in FONTS else FONTS[int(random.integers(len(FONTS)))]
        glyph = font(style)[letter]
        wide, high = np.exp(random.normal(scale=0.06, size=2)) * [hand.width, 1.0]
        bend = _Bend(random, _WARP)
        strokes = [bend(stroke * [wide, high]) for stroke in glyph.strokes]
        marks = [bend(mark * [wide, high]) for mark in glyph.marks]
        if letter in "ij":
            marks = [_dot(mark, random) for mark in marks]
        if letter == "t" and random.random() < 0.2:
            marks = [mark[::-1] for mark in marks]
        return Glyph(tuple(strokes), tuple(marks), glyph.width * wide + hand.spacing)

    def _word(self, word: str, random: np.random.Generator) -> tuple[list[Floats], float]:
        """Return the strokes of a word, beginning at x = 0, and its width."""
        strokes: list[Floats] = []
        late: list[Floats] = []
        x = 0.0
        for letter in word:
            glyph = self._letters[letter]
            change = _Bend(random, _INSTANCE)
            size = np.exp(random.normal(scale=0.03, size=2))
            shift = np.array([x, random.normal(scale=0.02)])
            main = [change(stroke * size) + shift for stroke in glyph.strokes]
            marks = [change(mark * size) + shift for mark in glyph.marks]
            if strokes and self.hand.joins and letter != "'" and _near(strokes[-1], main[0]):
                strokes[-1] = np.concatenate([strokes[-1], main.pop(0)])
            strokes += main
            if self.hand.late:
                late += marks
            else:
                strokes += marks
            x += glyph.width * size[0]
        return strokes + late, x

    def _with_wander(self, strokes: list[Floats], random: np.random.Generator) -> list[Floats]:
        """Let the base line move up and down."""
        length, phase = random.uniform(8.0, 30.0), random.uniform(0.0, 2 * np.pi)
        sway = self.hand.wander
        return [stroke + np.outer(np.sin(2 * np.pi * stroke[:, 0] / length + phase), [0.0, sway]) for stroke in strokes]

    def _placed(self, stroke: Floats) -> Floats:
        """Slant a stroke and place it on the rising base line."""
        x = stroke[:, 0] + self.hand.slant * stroke[:, 1]
        return np.column_stack([x, stroke[:, 1] + self.hand.rise * x])

    def _timed(self, strokes: list[Floats], random: np.random.Generator) -> Ink:
        """Sample strokes at equal time steps in device units; the pen is slower in curves."""
        hand = self.hand
        pace = hand.speed * random.uniform(0.85, 1.15)
        clock, made = 0.0, []
        before: Floats | None = None
        for stroke in strokes:
            dense = _resampled(stroke)
            if before is not None:
                clock += 0.08 + random.uniform(0.0, 0.1) + float(np.hypot(*(dense[0] - before))) / (2 * pace)
            seconds = _seconds(dense, pace)
            n = max(2, round(seconds[-1] * hand.rate) + 1)
            times = np.arange(n) / hand.rate * (seconds[-1] / max((n - 1) / hand.rate, 1e-9))
            points = np.column_stack([np.interp(times, seconds, dense[:, axis]) for axis in (0, 1)])
            points += _tremor(random, n) * hand.tremor
            made.append(Stroke(np.round(points * hand.height), np.round(clock + np.arange(n) / hand.rate, 4)))
            clock += (n - 1) / hand.rate
            before = dense[-1]
        return Ink(tuple(made), hand.resolution)


class _Bend:
    """A smooth random deformation: displacements that are waves over the page."""

    def __init__(self, random: np.random.Generator, amount: float) -> None:
        self._waves = random.normal(scale=1.8, size=(2, 4))  # radians an x-height
        self._phases = random.uniform(0.0, 2 * np.pi, size=4)
        self._moves = random.normal(scale=amount / 2, size=(4, 2))

    def __call__(self, points: Floats) -> Floats:
        moved: Floats = points + np.sin(points @ self._waves + self._phases) @ self._moves
        return moved


def _dot(mark: Floats, random: np.random.Generator) -> Floats:
    """Replace the small circle of the font by a short stroke."""
    angle, length = random.uniform(-np.pi, np.pi), random.uniform(0.02, 0.18)
    middle = mark.mean(axis=0) + random.normal(scale=0.08, size=2)
    step = 0.5 * length * np.array([np.cos(angle), np.sin(angle)])
    return np.stack([middle - step, middle + step])


def _near(stroke: Floats, following: Floats) -> bool:
    gap = following[0] - stroke[-1]
    return bool(gap[0] > -0.2 and np.hypot(*gap) < _JOIN)


def _resampled(stroke: Floats) -> Floats:
    """Resample a stroke in short equal steps."""
    travelled = np.append(0.0, np.cumsum(np.hypot(*np.diff(stroke, axis=0).T)))
    stops = np.linspace(0.0, travelled[-1], max(2, int(travelled[-1] / _DENSE) + 1))
    return np.column_stack([np.interp(stops, travelled, stroke[:, axis]) for axis in (0, 1)])


def _seconds(dense: Floats, pace: float) -> Floats:
    """Return the time at each point; the pen is slower in curves (a power law of the curvature) and at both ends."""
    steps = np.diff(dense, axis=0)
    lengths = np.hypot(*steps.T)
    angles = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    curvature = np.abs(np.gradient(angles)) / _DENSE if len(angles) > 1 else np.zeros(1)
    reach = max(1, min(8, len(curvature) // 2))
    curvature = np.convolve(curvature, np.full(reach, 1 / reach), mode="same")
    ends = np.minimum(np.arange(1, len(lengths) + 1), np.arange(len(lengths), 0, -1)) * _DENSE
    speed = pace * (1.0 + curvature / 3.0) ** (-1 / 3) * np.minimum(1.0, 0.4 + 2.0 * ends)
    return np.append(0.0, np.cumsum(lengths / speed))


def _tremor(random: np.random.Generator, n: int) -> Floats:
    """Return noise of standard deviation 1, (n, 2), smooth over a few points."""
    white = random.standard_normal((n + 4, 2))
    smooth: Floats = (white[:-4] + 2 * white[1:-3] + 3 * white[2:-2] + 2 * white[3:-1] + white[4:]) / np.sqrt(19.0)
    return smooth
