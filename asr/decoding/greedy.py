"""Best-path (greedy) decoding: take the likeliest label of each frame, merge repeats, remove blanks.

See Graves et al. 2006, "Connectionist Temporal Classification", section 3.2. The best path does not always spell the
best labelling, whose probability is a sum over paths, but nearly always if the posteriors are peaky. It costs one
argmax.
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
    """Best-path decoding with times and confidences of labels.

    A label lasts from the first frame of its run to the frame after the last. CTC may emit a label anywhere in or near
    its sound and mostly does so in one or two frames, so these are times of emission.

    The confidence of a label is the highest posterior in its run, because a single frame suffices to find the label; a
    mean would be too low for long runs, which fade at their ends. The confidence of a word is the lowest of its labels
    (see `words_of`). Laptev and Ginsburg 2022 (arXiv 2212.08703) start from the same measures. They rank labels by
    reliability; a calibration turns them into probabilities.

    Args:
        inventory: the labels, one of which is the blank.
        calibration: see `asr.decoding.calibration`; empty: confidences are not calibrated.
        labels: the labels that may be written; see `asr.decoding.restriction`.

    Raises:
        ConfigError: `labels` has a label that the inventory lacks, or `calibration` is malformed.

    >>> from asr.corpus.inventory import Inventory
    >>> search = GreedyDecoder(Inventory(("<blank>", "a", "b"), unit="characters")).begin(frame_seconds=0.02)
    >>> search.step(np.log(np.array([[0.1, 0.8, 0.1], [0.1, 0.7, 0.2], [0.2, 0.1, 0.7]], dtype=np.float32)))
    >>> [found] = search.end()
    >>> found.text, [(span.start, span.end, round(span.confidence, 2)) for span in found.spans]
    ('ab', [(0.0, 0.04, 0.8), (0.04, 0.06, 0.7)])
    """

    def __init__(self, inventory: Inventory, calibration: Sequence[float] = (), labels: str = ALL) -> None:
        self.inventory, self.calibration = inventory, Calibration.of(calibration)
        self.restriction = Restriction.of(labels, inventory)

    def begin(self, frame_seconds: float, offset: float = 0.0) -> Search:
        """Return the search for one utterance; see `asr.decoding.search.Decoder`."""
        return restricted(GreedySearch(self.inventory, frame_seconds, offset, self.calibration), self.restriction)


class GreedySearch:
    """A greedy search through one utterance; it keeps the runs of equal labels on the best path so far.

    Labels, times and confidences do not depend on how the frames are divided into chunks; the log probability differs
    only by rounding (a relative 1e-9).

    Args:
        inventory: see `GreedyDecoder`.
        frame_seconds: see `asr.decoding.search.Decoder.begin`.
        offset: see `asr.decoding.search.Decoder.begin`.
        calibration: computes the confidences; None: they stay peaks.
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
        """Read the next frames; see `asr.decoding.search.Search`."""
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
        if self._runs and self._runs[-1].label == runs[0].label:  # the last run continues in this chunk
            self._runs[-1] = self._runs[-1].joined(runs.pop(0))
        self._runs += runs
        self._n_frames += len(log_probs)

    @property
    def text(self) -> str:
        """The best text of the frames so far."""
        return self._inventory.text([span.label for span in self._spans()])

    def end(self, n_best: int = 1) -> list[Hypothesis]:
        """Return the only hypothesis of a greedy search, whatever `n_best` is."""
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
    """A run of frames `start` to `end` - 1 with the same best label, and the highest log posterior in it."""

    label: int
    start: int
    end: int
    peak: float

    def joined(self, later: _Run) -> _Run:
        return self._replace(end=later.end, peak=max(self.peak, later.peak))


def _runs(labels: NDArray[np.int64], best: NDArray[np.float64], first: int) -> list[_Run]:
    """Divide a path into runs of equal labels.

    Args:
        labels: (T,) the label of each frame, T >= 1.
        best: (T,) the log posterior of each of these labels.
        first: the number of the first frame in the utterance.
    """
    starts = np.concatenate([[0], np.flatnonzero(labels[1:] != labels[:-1]) + 1])  # (R,)
    ends = np.append(starts[1:], len(labels))
    peaks = np.maximum.reduceat(best, starts)
    rows = (labels[starts], starts + first, ends + first, peaks)
    return [_Run(*row) for row in zip(*(row.tolist() for row in rows), strict=True)]
