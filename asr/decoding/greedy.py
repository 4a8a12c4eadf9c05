"""Best-path decoding: the likeliest label of each frame, repeats merged, blanks removed.

Graves et al. 2006, "Connectionist Temporal Classification", section 3.2. The best path is not always the best
labelling (whose probability is a sum over paths), but on peaky posteriors nearly always, and it costs one argmax.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.decoding.calibration import Calibration
from asr.decoding.confidence import evidence_of
from asr.decoding.hypothesis import Hypothesis, Score, Span, without_surplus_spaces, words_of
from asr.decoding.restriction import ALL, Restriction, restricted

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory
    from asr.decoding.search import Search


@dataclass
class GreedyConfig:
    """Options of `GreedyDecoder`."""

    _target_: str = "asr.decoding.greedy.GreedyDecoder"
    calibration: list[float] = field(default_factory=list)  # see asr.decoding.calibration; empty: none
    labels: str = ALL  # labels that may be written, such as "digits" or "1 2 3"; see asr.decoding.restriction


class GreedyDecoder:
    """Best-path decoding with label times and confidences.

    A label stands from the first frame of its run to the frame after the last one. CTC is free to emit a label
    anywhere in or near its sound and mostly does so in one or two frames: these are times of emission.

    The confidence of a label is the highest posterior in its run: one frame that shows the label is enough to find it,
    so the best frame is a lower bound on the probability that it was there at all, while a mean would punish long runs
    for their fading edges. That of a word is the lowest of its labels (see `words_of`). These are the simple measures
    that Laptev and Ginsburg 2022 (arXiv 2212.08703) start from; they order labels by trust, and a calibration makes
    probabilities of them.

    Args:
        inventory: labels, and which of them is the blank.
        calibration: see `asr.decoding.calibration`; empty: confidences stay as they are.
        labels: see `asr.decoding.restriction`.

    Raises:
        ConfigError: labels that the inventory does not have.
    """

    def __init__(self, inventory: Inventory, calibration: Sequence[float] = (), labels: str = ALL) -> None:
        self.inventory, self.calibration = inventory, Calibration.of(calibration)
        self.restriction = Restriction.of(labels, inventory)

    def begin(self, frame_seconds: float, offset: float = 0.0) -> Search:
        """Begin with an utterance; see `asr.decoding.search.Decoder`."""
        return restricted(GreedySearch(self.inventory, frame_seconds, offset, self.calibration), self.restriction)


class GreedySearch:
    """The runs of equal labels on the best path so far.

    Labels, times and confidences do not depend on how the frames are cut into chunks; the log probability differs
    by rounding only (1e-9 of it).

    Args:
        inventory, calibration: see `GreedyDecoder`.
        frame_seconds, offset: see `asr.decoding.search.Decoder`.
    """

    def __init__(
        self, inventory: Inventory, frame_seconds: float, offset: float, calibration: Calibration | None = None
    ) -> None:
        self._inventory, self._frame_seconds, self._offset = inventory, frame_seconds, offset
        self._calibration = calibration
        self._n_frames = 0
        self._log_probability = 0.0
        self._runs: list[_Run] = []

    def step(self, log_probs: NDArray[np.float32]) -> None:
        """Take the next frames; see `asr.decoding.search.Search`."""
        if log_probs.ndim != 2 or log_probs.shape[1] != len(self._inventory):
            expected = f"(T, {len(self._inventory)})"
            raise ValueError(f"log_probs must be {expected}, the size of the inventory, got {log_probs.shape}")
        if len(log_probs) == 0:
            return
        labels = log_probs.argmax(axis=1)  # (T,)
        best = np.take_along_axis(log_probs, labels[:, None], axis=1)[:, 0].astype(np.float64)  # (T,)
        if np.isnan(best).any():  # argmax finds NaN
            raise ValueError(f"log_probs hold NaN at frame {self._n_frames + int(np.isnan(best).argmax())}")
        self._log_probability += float(best.sum())
        runs = _runs(labels, best, self._n_frames)
        if self._runs and self._runs[-1].label == runs[0].label:  # the chunk goes on with the last label
            self._runs[-1] = self._runs[-1].joined(runs.pop(0))
        self._runs += runs
        self._n_frames += len(log_probs)

    @property
    def text(self) -> str:
        """The best text of the frames so far."""
        return self._inventory.text([span.label for span in self._spans()])

    def end(self, n_best: int = 1) -> list[Hypothesis]:
        """Return the one hypothesis that greedy search has, whatever `n_best` is."""
        spans, unit = self._spans(), self._inventory.unit
        labels = tuple(span.label for span in spans)
        score = Score(self._log_probability)
        text, words = self._inventory.text(labels), words_of(spans, unit)
        found = Hypothesis(labels, text, score, spans, words)
        evidence = evidence_of(found)
        if self._calibration is not None:
            return [self._calibration(found, evidence)]
        return [replace(found, confidence=evidence.utterance.peak, evidence=evidence)]

    def _spans(self) -> tuple[Span, ...]:
        spans = [
            Span(
                self._inventory.labels[run.label],
                self._offset + run.start * self._frame_seconds,
                self._offset + run.end * self._frame_seconds,
                math.exp(run.peak),
            )
            for run in self._runs
            if run.label != self._inventory.blank
        ]
        return without_surplus_spaces(spans, self._inventory.unit)


class _Run(NamedTuple):
    """Neighbouring frames with the same best label: frames `start` to `end` - 1, the highest log posterior."""

    label: int
    start: int
    end: int
    peak: float

    def joined(self, later: _Run) -> _Run:
        return self._replace(end=later.end, peak=max(self.peak, later.peak))


def _runs(labels: NDArray[np.int64], best: NDArray[np.float64], first: int) -> list[_Run]:
    """Cut a path (T,), T >= 1, that begins at frame `first` into runs, with its log posteriors `best` (T,)."""
    starts = np.concatenate([[0], np.flatnonzero(labels[1:] != labels[:-1]) + 1])  # (R,)
    ends = np.append(starts[1:], len(labels))
    peaks = np.maximum.reduceat(best, starts)
    rows = (labels[starts], starts + first, ends + first, peaks)
    return [_Run(*row) for row in zip(*(row.tolist() for row in rows), strict=True)]
