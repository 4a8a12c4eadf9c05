"""Forced alignment: the likeliest path of a known labelling, and so the frames at which each label is emitted.

The labels are u = 0..U-1. A path is, at every frame, at a label or at the blank before or behind one. It stays where it
is, goes from a blank to the label behind it or from a label to the blank behind it, or goes from a label to the next
one at once if the two differ (A. Graves and others, "Connectionist temporal classification", ICML 2006, section 4.1,
with a maximum in place of the sum). It may also leave out a label that is optional, such as a silence between words.
The objective is log p(path) = sum over t of log p_t(path_t); nothing is pruned.

The step by which the best path reached each label at each frame takes a byte, T * U in all. If that is much, only some
frames are kept, and the steps between them are computed again when the path is traced back: twice the work, in
memory that grows with the square root of T.
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
"""The number of frames times labels whose steps are kept in memory, a byte each, if `_BLOCK_ROOTS` allows it."""

_BLOCK_ROOTS = 4
"""The distance of two kept frames, in square roots of T: kept frames then take as much memory as the steps."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """The frames of each label of a known labelling on its likeliest path.

    Attributes:
        labels: (U,) int64, the labelling.
        start: (U,) int64, the first frame of the label's run.
        end: (U,) int64, the frame behind the last one of its run; `start` for an optional label that was left out.
        score: (U,) float64, the highest log posterior in its run; -inf for a label that was left out.
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
        blank: index of the blank.
        optional: (U,) which labels the path may leave out, no two neighbours; None: none.

    Raises:
        ValueError: fewer frames than the labels need, a label outside 0..L-1, two optional neighbours, NaN, or no path
            whose probability is above 0.
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
    """The search: forwards to the log probability of the best path, and back along that path.

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
        best = np.full(2 * n_labels + 1, -np.inf)  # of paths to each label, then to each blank
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
            self._leave_out_the_last(best)
        self.log_probability = float(best[self._position])

    def _leave_out_the_last(self, best: NDArray[np.float64]) -> None:
        """End the path before the last label if that label is optional and such a path is likelier."""
        n_labels, n_frames = len(self.start), self._sizes[0]
        for place in [2 * n_labels - 1] + [n_labels - 2] * (n_labels > 1):
            if best[place] > best[self._position]:
                self._position = place
                self.start[-1] = self.end[-1] = n_frames

    def trace(self) -> None:
        """Follow the best path from its end to its beginning."""
        for number, (first, end, best) in enumerate(reversed(self._kept)):
            if number:  # the ways of the last frames are there still
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
    said = labels.tolist()
    if said and (min(said) < 0 or max(said) >= width or blank in said):
        raise ValueError(f"labels must lie in 0..{width - 1} without {blank}, the blank, got {said}")
    if optional is not None and (optional.shape != labels.shape or (optional[1:] & optional[:-1]).any()):
        raise ValueError("optional must be (U,) without two optional neighbours")
    if log_probs.size and math.isnan(log_probs.min()):
        raise ValueError(f"log_probs hold NaN at frame {int(np.isnan(log_probs).any(axis=1).argmax())}")
    if len(log_probs) < 2 * len(labels):
        said = said if optional is None else labels[optional == 0].tolist()
        if len(log_probs) < (needed := frames_needed(said)):
            counts = f"{len(said)} labels with {count_repeats(said)} repeats"
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
    """Take the frames `begin` to `end` - 1.

    Args:
        log_probs: (T * L,)
        labels: (U,)
        optional: (U,), read if not `banded`.
        best: (2U + 1,) the best log probability of a path to each label, then to the blank before each label and to the
            one behind the last; at frame `begin` - 1, and afterwards at frame `end` - 1.
        back: ((end - begin) * U,) filled with how the best path came to each label: it was there (0), from the blank
            before (1), from the label before (2), from the blank (3) or the label (4) before an optional one; plus 8 if
            it came to the blank behind the label from that label.
        begin, end: frames.
        banded: no label is optional, so that each frame reaches one more of them.
        n_frames, width, blank: T, L, the index of the blank.
    """
    n_labels = len(labels)
    first, last = 0, n_labels - 1
    for t in range(begin, end):
        row, cells = t * width, (t - begin) * n_labels
        p_blank = log_probs[row + blank]
        if banded:
            last = min(n_labels - 1, t)  # a label further on needs more frames before it
            first = max(0, n_labels - n_frames + t)  # a label further back needs more frames behind it
        for u in range(last, first - 1, -1):  # downwards: what stands before u is that of the frame before
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
    """Go back from frame `stop` - 1 to frame `begin`, from a position in `best`; return the position before them.

    Args:
        start, end: (U,) 0 until a label is met; filled.
        score: (U,) -inf until a label is met; filled.
    """
    n_labels = len(labels)
    on_label = position < n_labels
    at = position if on_label else position - n_labels - 1  # the label that the path is at, or is behind
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
