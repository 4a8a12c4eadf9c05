"""Forced alignment: find the likeliest path of a known labelling, and with it the frames of each label.

The labels are u = 0..U-1. At every frame, a path is at a label, or at the blank before or after a label. From one frame
to the next it stays, moves from a blank to the next label, from a label to the next blank, or from a label directly to
the next label if the two differ (A. Graves and others, "Connectionist temporal classification", ICML 2006, section 4.1,
with a maximum in place of the sum). It may also skip an optional label, such as a silence between words. The objective
is log p(path) = sum over t of log p_t(path_t). The search is exact: nothing is pruned.

The search stores one byte for each label and frame, the step by which the best path arrived: T * U bytes. For long
inputs it stores only some frames, and computes the steps between them again when it traces the path back. This takes
twice the work, but memory proportional to the square root of T.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.compiling import Loop, worth_compiling
from asr.ctc.guard import count_repeats, frames_needed

_WORTH_COMPILING = 2_000_000
"""The number of frames times labels above which the plain loop takes longer than importing numba."""

_BLOCK_CELLS = 1 << 25
"""The least size of a block of stored steps, in frames times labels, a byte each."""

_BLOCK_ROOTS = 4
"""The least distance of two stored frames, in square roots of T; then these take as much memory as a block's steps."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """The frames of each label of a known labelling on its likeliest path.

    Attributes:
        labels: (U,) int64, the labelling.
        start: (U,) int64, the first frame of each label.
        end: (U,) int64, the frame after the last one of each label; equal to `start` for a skipped optional label.
        score: (U,) float64, the highest log posterior of each label in its frames; -inf for a skipped label.
        log_probability: the log probability of the path.
    """

    labels: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    score: NDArray[np.float64]
    log_probability: float


def align(
    log_probs: NDArray[np.float32],
    labels: NDArray[np.int64],
    blank: int = 0,
    optional: NDArray[np.bool_] | None = None,
) -> Alignment:
    """Find the likeliest path of a labelling.

    Args:
        log_probs: (T, L) natural logarithms, normalised over the labels.
        labels: (U,) indices without blanks, U >= 0.
        blank: the index of the blank.
        optional: (U,) bool, the labels that the path may skip, never two neighbours; None for no label.

    Raises:
        ValueError: there are fewer frames than the labels need, a label is outside 0..L-1, two neighbours are
            optional, `log_probs` contains NaN, or every path has probability 0.

    >>> log_probs = np.log(np.array([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]]))
    >>> found = align(log_probs, np.array([1, 2]))
    >>> found.start.tolist(), found.end.tolist()
    ([0, 1], [1, 2])
    """
    log_probs, labels = np.ascontiguousarray(log_probs, dtype=np.float32), np.ascontiguousarray(labels, dtype=np.int64)
    may_skip = None if optional is None else np.array(optional, dtype=np.uint8)
    _check(log_probs, labels, blank, may_skip)
    search = _Viterbi(log_probs, labels, blank, may_skip)
    if search.log_probability == -np.inf:
        raise ValueError("the log_probs of every path of these labels are -inf")
    search.trace()
    return Alignment(labels, search.start, search.end, search.score, search.log_probability)


class _Viterbi:
    """The Viterbi search: forwards to the log probability of the best path, then back along that path.

    Args:
        log_probs, labels, blank: see `align`.
        optional: (U,) uint8, or None.
    """

    def __init__(
        self, log_probs: NDArray[np.float32], labels: NDArray[np.int64], blank: int, optional: NDArray[np.uint8] | None
    ) -> None:
        n_frames, n_labels = len(log_probs), len(labels)
        self._compiled = worth_compiling(n_frames * n_labels >= _WORTH_COMPILING)
        self._given = (log_probs.reshape(-1), labels, _NONE if optional is None else optional)
        self._sizes = (n_frames, log_probs.shape[1], blank)
        self._banded = optional is None
        self.start, self.end = np.zeros(n_labels, dtype=np.int64), np.zeros(n_labels, dtype=np.int64)
        self.score = np.full(n_labels, -np.inf)
        best = np.full(2 * n_labels + 1, -np.inf)  # log probabilities of paths to each label, then to each blank
        best[n_labels] = 0.0
        block = max(1, _BLOCK_CELLS // max(1, n_labels), _BLOCK_ROOTS * math.isqrt(n_frames))
        block = min(block, max(1, n_frames))
        self._back = np.empty(block * n_labels, dtype=np.uint8)
        self._kept = []
        for first in range(0, n_frames, block):
            self._kept.append((first, min(n_frames, first + block), best.copy()))
            self._run(_FORWARD, best, self._back, *self._kept[-1][:2], self._banded)
        self._position = 2 * n_labels if not n_labels or best[-1] >= best[n_labels - 1] else n_labels - 1
        if optional is not None and n_labels and optional[-1]:
            self._skip_last_label(best)
        self.log_probability = float(best[self._position])

    def _skip_last_label(self, best: NDArray[np.float64]) -> None:
        """End the path before the last label, which is optional, if such a path is likelier."""
        n_labels, n_frames = len(self.start), self._sizes[0]
        for place in [2 * n_labels - 1] + [n_labels - 2] * (n_labels > 1):
            if best[place] > best[self._position]:
                self._position = place
                self.start[-1] = self.end[-1] = n_frames

    def trace(self) -> None:
        """Trace the best path from its end to its beginning, and fill `start`, `end` and `score`."""
        for number, (first, end, best) in enumerate(reversed(self._kept)):
            if number:  # the steps of the last block are still stored
                self._run(_FORWARD, best, self._back, first, end, self._banded)
            arrays = (self._back, self.start, self.end, self.score)
            self._position = self._run(_TRACE, *arrays, first, end, self._position)

    def _run(self, loop: Loop, *values: Any) -> Any:
        return loop.run(self._compiled, *self._given, *values, *self._sizes)


def _check(
    log_probs: NDArray[np.float32], labels: NDArray[np.int64], blank: int, optional: NDArray[np.uint8] | None
) -> None:
    if log_probs.ndim != 2 or labels.ndim != 1:
        raise ValueError(f"log_probs must be (T, L) and labels (U,), got {log_probs.shape} and {labels.shape}")
    width = log_probs.shape[1]
    if not 0 <= blank < width:
        raise ValueError(f"blank must lie in 0..{width - 1}, got {blank}")
    found = labels.tolist()
    if found and (min(found) < 0 or max(found) >= width or blank in found):
        raise ValueError(f"labels must lie in 0..{width - 1} without {blank}, the blank, got {found}")
    if optional is not None and (optional.shape != labels.shape or (optional[1:] & optional[:-1]).any()):
        raise ValueError("optional must be (U,) without two optional neighbours")
    if log_probs.size and math.isnan(log_probs.min()):
        raise ValueError(f"log_probs contain NaN at frame {int(np.isnan(log_probs).any(axis=1).argmax())}")
    if len(log_probs) < 2 * len(labels):
        required = found if optional is None else labels[optional == 0].tolist()
        if len(log_probs) < (needed := frames_needed(required)):
            counts = f"{len(required)} labels with {count_repeats(required)} repeats"
            raise ValueError(f"{len(log_probs)} frames cannot carry {counts}, which need {needed}")


def _forward(
    log_probs: Any,
    labels: Any,
    optional: Any,
    best: Any,
    back: Any,
    begin: int,
    end: int,
    banded: bool,
    n_frames: int,
    width: int,
    blank: int,
) -> None:
    """Run the forward recursion over the frames `begin` to `end` - 1.

    Args:
        log_probs: (T * L,) log posteriors.
        labels: (U,) labels.
        optional: (U,) which labels are optional; only read if not `banded`.
        best: (2U + 1,) the best log probability of a path to each label, then to the blank before each label and to the
            blank after the last label; given for frame `begin` - 1, returned for frame `end` - 1.
        back: ((end - begin) * U,) filled with the step by which the best path came to each label: 0 it stayed, 1 from
            the blank before, 2 from the label before, 3 from the blank and 4 from the label before a skipped optional
            label; plus 8 if the best path to the blank after the label came from the label.
        begin, end: frames.
        banded: whether no label is optional, so that each frame reaches at most one more label.
        n_frames, width, blank: T, L, and the index of the blank.
    """
    n_labels = len(labels)
    first, last = 0, n_labels - 1
    for t in range(begin, end):
        row, cells = t * width, (t - begin) * n_labels
        p_blank = log_probs[row + blank]
        if banded:
            last = min(n_labels - 1, t)  # later labels need more frames before them
            first = max(0, n_labels - n_frames + t)  # earlier labels need more frames after them
        for u in range(last, first - 1, -1):  # downwards, so that values below u still belong to the frame before
            here, way, step = best[u], 0, 0
            highest = best[n_labels + u + 1]
            if here > highest:
                highest, way = here, 8
            best[n_labels + u + 1] = highest + p_blank
            highest = here
            came = best[n_labels + u]
            if came > highest:
                highest, step = came, 1
            if u > 0:
                if labels[u] != labels[u - 1]:
                    came = best[u - 1]
                    if came > highest:
                        highest, step = came, 2
                if not banded and optional[u - 1]:
                    came = best[n_labels + u - 1]
                    if came > highest:
                        highest, step = came, 3
                    if u > 1 and labels[u] != labels[u - 2]:
                        came = best[u - 2]
                        if came > highest:
                            highest, step = came, 4
            best[u] = highest + log_probs[row + labels[u]]
            back[cells + u] = way + step
        best[n_labels] += p_blank


def _trace(
    log_probs: Any,
    labels: Any,
    optional: Any,
    back: Any,
    start: Any,
    end: Any,
    score: Any,
    begin: int,
    stop: int,
    position: int,
    n_frames: int,
    width: int,
    blank: int,
) -> int:
    """Trace the path from frame `stop` - 1 back to frame `begin`; return its position in `best` before `begin`.

    Args:
        log_probs, labels, optional, n_frames, width, blank: see `_forward`.
        back: the steps of these frames, filled by `_forward`.
        start, end: (U,) filled with the frames of each label; 0 for labels that are not reached yet.
        score: (U,) filled with the highest log posterior of each label; -inf for labels that are not reached yet.
        begin, stop: frames.
        position: the position of the path in `best` at frame `stop` - 1.
    """
    n_labels = len(labels)
    on_label = position < n_labels
    at = position if on_label else position - n_labels - 1  # the label at which, or after which, the path is
    for t in range(stop - 1, begin - 1, -1):
        if at < 0:
            break
        way = back[(t - begin) * n_labels + at]
        if not on_label:
            on_label = way >= 8
            continue
        p = log_probs[t * width + labels[at]]
        if p > score[at]:
            score[at] = p
        if end[at] == 0:
            end[at] = t + 1
        start[at] = t
        step = way % 8
        if step >= 3:
            start[at - 1] = t
            end[at - 1] = t
            at -= 2
        elif step > 0:
            at -= 1
        on_label = step % 2 == 0
    return at if on_label else at + n_labels + 1


_NONE = np.zeros(0, dtype=np.uint8)
_FORWARD, _TRACE = Loop(_forward), Loop(_trace)
