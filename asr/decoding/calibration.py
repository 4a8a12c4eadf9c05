"""Calibrate confidences, so that nine of ten words with a confidence of 0.9 are right.

    confidence = 1 / (1 + exp(-(a * logit(posterior) + b * logit(peak) + c))),    logit(p) = log(p / (1 - p))

`posterior` and `peak` are the evidence for a label, a word or an utterance (`asr.decoding.confidence`); a and b are 0
or more. Labels, words and utterances have their own a, b and c, fitted on dev by logistic regression with the smoothing
of Platt 1999 ("Probabilistic outputs for support vector machines"). Three numbers do not overfit a small dev set; a
free monotone map (isotonic regression) was no better on held-out speakers. The nine numbers are an option of the
decoder and are saved with it.

The numbers hold for utterances like those of dev. Others, such as much longer utterances, need another calibration.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from asr.config import check_values
from asr.decoding.confidence import NEGLIGIBLE
from asr.decoding.hypothesis import Evidence, Hypothesis, Span, Trust
from asr.scoring.calibration import are_right
from asr.text import normalise_text

_PULL = 1e-3  # L2 penalty of the weights, so that the solution is unique
_STEPS = 100  # of Newton's method, at most

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """A map from evidence to a confidence.

    Attributes:
        posterior: the weight a, 0 or more.
        peak: the weight b, 0 or more.
        offset: the offset c.

    >>> round(Curve(posterior=1.0, peak=0.0, offset=0.0)(Trust(posterior=0.8, peak=0.9)), 3)
    0.8
    """

    posterior: float
    peak: float
    offset: float

    def __call__(self, trust: Trust) -> float:
        """Return the confidence."""
        exponent = self.posterior * logit(trust.posterior) + self.peak * logit(trust.peak) + self.offset
        return 1.0 / (1.0 + math.exp(-max(min(exponent, 500.0), -500.0)))


@dataclass(frozen=True)
class Calibration:
    """The curves for labels, for words and for utterances."""

    labels: Curve
    words: Curve
    utterances: Curve

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Calibration | None:
        """Read the option `calibration` of a decoder.

        Args:
            numbers: a, b and c for labels, for words and for utterances; empty: no calibration.

        Raises:
            ConfigError: there are not nine numbers, one is not finite, or a weight is below 0.
        """
        weights = [one for place, one in enumerate(numbers) if place % 3 < 2]
        good = len(numbers) in (0, 9) and all(map(math.isfinite, numbers)) and all(one >= 0 for one in weights)
        expected = "no numbers, or two weights (0 or more) and an offset for labels, for words and for utterances"
        check_values({"calibration": list(numbers)}, {"calibration": (good, expected)})
        return cls(*(Curve(*numbers[i : i + 3]) for i in (0, 3, 6))) if numbers else None

    def numbers(self) -> list[float]:
        """Return the nine numbers that `of` reads."""
        curves = (self.labels, self.words, self.utterances)
        return [number for curve in curves for number in (curve.posterior, curve.peak, curve.offset)]

    def __call__(self, hypothesis: Hypothesis, evidence: Evidence) -> Hypothesis:
        """Return the hypothesis with the confidences that follow from the evidence."""
        return replace(
            hypothesis,
            spans=_confident(hypothesis.spans, evidence.labels, self.labels),
            words=_confident(hypothesis.words, evidence.words, self.words),
            confidence=self.utterances(evidence.utterance),
            evidence=evidence,
        )


UNCALIBRATED = Calibration(*(Curve(1.0, 0.0, 0.0) for _ in range(3)))
"""The default of decoders with several candidates: confidences are the posteriors."""


def _confident(spans: Sequence[Span], evidence: Sequence[Trust], curve: Curve) -> tuple[Span, ...]:
    return tuple(replace(span, confidence=curve(trust)) for span, trust in zip(spans, evidence, strict=True))


def logit(probability: float) -> float:
    """Return log(p / (1 - p)) of a probability, after limiting it to 0.0001 to 0.9999.

    >>> logit(0.5), round(logit(1.0), 2)
    (0.0, 9.21)
    """
    inside = min(max(probability, NEGLIGIBLE), 1.0 - NEGLIGIBLE)
    return math.log(inside / (1.0 - inside))


@dataclass(frozen=True)
class Truth:
    """The reference of an utterance, as labels and words.

    Attributes:
        labels: the correct value of `Hypothesis.labels`.
        words: the correct words, one by one. (An entry of a lexicon, and so a word of a hypothesis, may have several.)
    """

    labels: tuple[str, ...]
    words: tuple[str, ...]

    def labels_right(self, found: Hypothesis) -> list[bool]:
        """Return for each of `found.spans` whether it is right."""
        return are_right(self.labels, [span.label for span in found.spans])

    def words_right(self, found: Hypothesis) -> list[bool]:
        """Return for each of `found.words` whether it is right; for an entry such as "NEW YORK", both words must be."""
        parts = [normalise_text(word.label).split() for word in found.words]
        outcomes = iter(are_right(_joined(self.words).split(), list(chain.from_iterable(parts))))
        return [all(list(islice(outcomes, len(one)))) for one in parts]

    def is_right(self, found: Hypothesis) -> bool:
        """Return whether the words of a hypothesis, as one text, equal the reference."""
        return _joined([word.label for word in found.words]) == _joined(self.words)


def _joined(words: Sequence[str]) -> str:
    return normalise_text(" ".join(words))


def fit_calibration(found: Sequence[Hypothesis], truths: Sequence[Truth]) -> Calibration:
    """Fit a calibration; the result is deterministic.

    Args:
        found: the best hypothesis of each utterance of dev, with evidence; the decoder's own calibration does not
            matter.
        truths: the reference of each utterance.

    Raises:
        ValueError: there are no hypotheses, the numbers of hypotheses and references differ, or a hypothesis has no
            evidence.
    """
    if not found or len(found) != len(truths):
        raise ValueError(f"{len(found)} hypotheses but {len(truths)} references; expected one for each, at least one")
    evidence = [one.evidence for one in found if one.evidence is not None]
    if len(evidence) < len(found):
        raise ValueError("a hypothesis has no evidence; use a decoder whose hypotheses have it")
    pairs = list(zip(found, truths, strict=True))
    labels = chain.from_iterable(truth.labels_right(one) for one, truth in pairs)
    words = chain.from_iterable(truth.words_right(one) for one, truth in pairs)
    return Calibration(
        fit_curve([trust for one in evidence for trust in one.labels], list(labels)),
        fit_curve([trust for one in evidence for trust in one.words], list(words)),
        fit_curve([one.utterance for one in evidence], [truth.is_right(one) for one, truth in pairs]),
    )


def fit_curve(evidence: Sequence[Trust], right: Sequence[bool]) -> Curve:
    """Fit a curve by maximum likelihood, with Newton's method.

    The targets are (N+ + 1) / (N+ + 2) for the N+ right items and 1 / (N- + 2) for the N- wrong ones, so that the
    result is finite even if all are right (Platt 1999, equation 11). Evidence that is the same for all items gets the
    weight 0.

    Args:
        evidence: (N,) the evidence for each item.
        right: (N,) whether each item is right.
    """
    logits = np.array([[logit(one) for one in trust] for trust in evidence]).reshape(-1, 2)  # (N, 2)
    truth = np.asarray(right, dtype=bool)
    n_right = int(truth.sum())
    goals = np.where(truth, (n_right + 1) / (n_right + 2), 1 / (len(truth) - n_right + 2))
    used = [place for place in (0, 1) if len(logits) and np.ptp(logits[:, place]) > 0]
    while True:
        inputs = np.column_stack([logits[:, used], np.ones(len(logits))])  # (N, inputs)
        *fitted, offset = _logistic_regression(inputs, goals).tolist()
        negative = [place for place, weight in zip(used, fitted, strict=True) if weight < 0]
        if not negative:
            break
        used.remove(min(negative, key=lambda place: fitted[used.index(place)]))
    weights = dict(zip(used, fitted, strict=True))
    return Curve(weights.get(0, 0.0), weights.get(1, 0.0), offset)


def _logistic_regression(inputs: Floats, goals: Floats) -> Floats:
    """Return the weights (K,) of (N, K) inputs that minimise the cross entropy with (N,) goals."""

    def loss(at: Floats) -> float:
        exponents = inputs @ at
        return float((np.logaddexp(0.0, exponents) - goals * exponents).sum() + 0.5 * _PULL * at @ at)

    weights = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        found = 0.5 * (1.0 + np.tanh(0.5 * (inputs @ weights)))
        gradient = inputs.T @ (found - goals) + _PULL * weights
        curvature = (inputs * (found * (1.0 - found))[:, None]).T @ inputs + _PULL * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        while loss(weights - step) > loss(weights) and np.abs(step).max() > 1e-12:
            step = step / 2  # the cross entropy is convex, but a full step may overshoot the minimum
        weights = weights - step
        if np.abs(step).max() < 1e-10:
            break
    return weights
