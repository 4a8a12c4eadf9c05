"""Calibrated confidences: of the words to which 0.9 is given, nine in ten are right.

A confidence c becomes 1 / (1 + exp(-(slope * log(c / (1 - c)) + offset))), a monotone map with two parameters for
labels, two for words and two for utterances (Platt 1999, "Probabilistic outputs for support vector machines"). They
are fitted on dev and are an option of the decoder, so a bundle carries them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from asr.config import check_values
from asr.decoding.hypothesis import Hypothesis, Span

_CLOSEST = 1e-6  # to 0 and 1: beyond, the logit of a confidence is rounding


@dataclass(frozen=True)
class Curve:
    """A monotone map of confidences: a straight line between their logits.

    Attributes:
        slope: 0 or more; below 1 for confidences that were too sure.
        offset: what is added to the logit.
    """

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, confidence: float) -> float:
        """Map one confidence."""
        exponent = self.slope * logit(confidence) + self.offset
        return 1.0 / (1.0 + math.exp(-max(min(exponent, 500.0), -500.0)))


@dataclass(frozen=True)
class Calibration:
    """The maps of the confidences of labels, of words and of utterances; None: they stay as they are."""

    labels: Curve | None = None
    words: Curve | None = None
    utterances: Curve | None = None

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Calibration:
        """Read the option `calibration` of a decoder.

        Args:
            numbers: slope and offset for labels, the same for words and for utterances; empty: no calibration.

        Raises:
            ConfigError: another number of numbers, an infinite one, or a slope below 0.
        """
        good = len(numbers) in (0, 6) and all(map(math.isfinite, numbers)) and all(one >= 0 for one in numbers[::2])
        expected = "no numbers, or a slope (0 or more) and an offset for labels, for words and for utterances"
        check_values({"calibration": list(numbers)}, {"calibration": (good, expected)})
        return cls(*(Curve(*numbers[i : i + 2]) for i in range(0, len(numbers), 2)))

    def numbers(self) -> list[float]:
        """Return what `of` reads."""
        curves = (self.labels, self.words, self.utterances)
        return [number for curve in curves if curve is not None for number in (curve.slope, curve.offset)]

    def __call__(self, hypothesis: Hypothesis) -> Hypothesis:
        """Map the confidences of a hypothesis."""
        if self.labels is None or self.words is None or self.utterances is None:
            return hypothesis
        return replace(
            hypothesis,
            spans=_mapped(hypothesis.spans, self.labels),
            words=_mapped(hypothesis.words, self.words),
            confidence=self.utterances(hypothesis.confidence),
        )


def _mapped(spans: Sequence[Span], curve: Curve) -> tuple[Span, ...]:
    return tuple(replace(one, confidence=curve(one.confidence)) for one in spans)


def logit(confidence: float) -> float:
    """Return log(c / (1 - c)) of a confidence, which is taken to lie at least 1e-6 from 0 and from 1."""
    inside = min(max(confidence, _CLOSEST), 1.0 - _CLOSEST)
    return math.log(inside / (1.0 - inside))


def fit_calibration(confidences: Sequence[float], right: Sequence[bool]) -> Curve:
    """Fit a curve to confidences and to what was right; the same for the same input.

    It maximises the likelihood of the outcomes, smoothed as Platt (1999) does: n+ right ones count as
    (n+ + 1) / (n+ + 2) of a right one each, n- wrong ones as 1 / (n- + 2), so that a dev set without errors gives
    finite numbers. Newton's method; a slope below 0 becomes 0.

    Args:
        confidences: (N,) 0 to 1.
        right: (N,).
    """
    logits = np.array([logit(one) for one in confidences])  # (N,)
    truth = np.asarray(right, dtype=bool)  # (N,)
    n_right = int(truth.sum())
    goal = np.where(truth, (n_right + 1) / (n_right + 2), 1 / (len(truth) - n_right + 2))
    slope, offset = _newton(logits, goal)
    if slope < 0:
        share = (n_right + 1) / (len(truth) + 2)
        return Curve(0.0, math.log(share / (1 - share)))
    return Curve(slope, offset)


def _newton(logits: NDArray[np.float64], goal: NDArray[np.float64]) -> tuple[float, float]:
    """Minimise the cross entropy of (N,) outcomes, plus a slight pull to the map that changes nothing."""
    inputs = np.stack([logits, np.ones_like(logits)], axis=1)  # (N, 2)
    weights = start = np.array([1.0, 0.0])

    def loss(at: NDArray[np.float64]) -> float:
        exponent = inputs @ at
        pull = 0.5 * _PULL * float(((at - start) ** 2).sum())
        return float((np.logaddexp(0.0, exponent) - goal * exponent).sum()) + pull

    for _ in range(_STEPS):
        found = 1.0 / (1.0 + np.exp(-inputs @ weights))
        gradient = inputs.T @ (found - goal) + _PULL * (weights - start)
        curvature = (inputs * (found * (1 - found))[:, None]).T @ inputs + _PULL * np.eye(2)
        step, length = np.linalg.solve(curvature, gradient), 1.0
        while length > 1e-9 and loss(weights - length * step) > loss(weights):
            length /= 2
        weights = weights - length * step
        if np.abs(length * step).max() < 1e-10:
            break
    return float(weights[0]), float(weights[1])


_PULL, _STEPS = 1e-3, 100
