"""Forced alignment: the likeliest path of a known labelling, which states when each of its labels is emitted.

The labels are u = 0..U-1. A path is, at every frame, at a label or at the blank before or behind one. It stays where it
is, goes from a blank to the label behind it or from a label to the blank behind it, or goes from a label to the next
one at once if the two differ (A. Graves and others, "Connectionist temporal classification", ICML 2006, section 4.1,
with a maximum in place of the sum). The objective is log p(path) = sum over t of log p_t(path_t); nothing is pruned.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.compiling import Loop, can_compile
from asr.ctc.guard import count_repeats, frames_needed

_WORTH_COMPILING = 2_000_000
"""Frames times labels from which on the plain loop takes longer than importing numba."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where the labels of a known labelling stand on its likeliest path.

    Attributes:
        labels: (U,) int64, the labelling.
        start: (U,) int64, the first frame of the label's run.
        end: (U,) int64, the frame behind the last one of its run.
        score: (U,) float64, the highest log posterior in its run.
        log_probability: that of the path.
    """

    labels: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    score: NDArray[np.float64]
    log_probability: float


def align(log_probs: NDArray[np.float32], labels: NDArray[np.int64], blank: int = 0) -> Alignment:
    """Find the likeliest path of a labelling.

    Args:
        log_probs: (T, L) natural logarithms, normalised over the labels.
        labels: (U,) indices without blanks, U >= 0.
        blank: index of the blank.

    Raises:
        ValueError: fewer frames than the labels need, a label outside 0..L-1, NaN, or no path whose probability is
            above 0.
    """
    log_probs, labels = np.ascontiguousarray(log_probs, dtype=np.float32), np.ascontiguousarray(labels, dtype=np.int64)
    _check(log_probs, labels, blank)
    n_frames, n_labels = len(log_probs), len(labels)
    start, end = np.zeros(n_labels, dtype=np.int64), np.zeros(n_labels, dtype=np.int64)
    score = np.full(n_labels, -np.inf)
    at_label, at_blank = np.full(n_labels, -np.inf), np.full(n_labels + 1, -np.inf)
    back = np.empty(n_frames * n_labels, dtype=np.uint8)
    arrays: tuple[NDArray[Any], ...] = (log_probs.reshape(-1), labels, at_label, at_blank, back, start, end, score)
    if _compiles(n_frames * n_labels):
        log_probability = _VITERBI.compiled(*arrays, n_frames, log_probs.shape[1], blank)
    else:
        log_probability = _VITERBI(*(memoryview(array) for array in arrays), n_frames, log_probs.shape[1], blank)
    if log_probability == -np.inf:
        raise ValueError("the log_probs of every path of these labels are -inf")
    return Alignment(labels, start, end, score, float(log_probability))


def _compiles(n_cells: int) -> bool:
    return can_compile() and (n_cells >= _WORTH_COMPILING or "numba" in sys.modules)


def _check(log_probs: NDArray[np.float32], labels: NDArray[np.int64], blank: int) -> None:
    if log_probs.ndim != 2 or labels.ndim != 1:
        raise ValueError(f"log_probs must be (T, L) and labels (U,), got {log_probs.shape} and {labels.shape}")
    width = log_probs.shape[1]
    if not 0 <= blank < width:
        raise ValueError(f"blank must lie in 0..{width - 1}, got {blank}")
    if len(labels) and (labels.min() < 0 or labels.max() >= width or (labels == blank).any()):
        raise ValueError(f"labels must lie in 0..{width - 1} without {blank}, the blank, got {labels.tolist()}")
    if log_probs.size and math.isnan(log_probs.min()):
        raise ValueError(f"log_probs hold NaN at frame {int(np.isnan(log_probs).any(axis=1).argmax())}")
    if len(log_probs) < 2 * len(labels) and len(log_probs) < (needed := frames_needed(labels.tolist())):
        counts = f"{len(labels)} labels with {count_repeats(labels.tolist())} repeats"
        raise ValueError(f"{len(log_probs)} frames cannot carry {counts}, which need {needed}")


def _viterbi(
    log_probs: Any,
    labels: Any,
    at_label: Any,
    at_blank: Any,
    back: Any,
    start: Any,
    end: Any,
    score: Any,
    n_frames: int,
    width: int,
    blank: int,
) -> Any:
    """Fill `start`, `end` and `score` and return the log probability of the best path.

    Args:
        log_probs: (T * L,)
        labels: (U,)
        at_label: (U,) -inf; the best log probability of a path to each label at the current frame.
        at_blank: (U + 1,) -inf; the same of the blank before each label, and of the blank behind the last one.
        back: (T * U,) any; how the best path came to a label (0: it was there, 1: from the blank before, 2: from the
            label before), plus 3 if it came to the blank behind the label from that label.
        start, end: (U,) zeros.
        score: (U,) -inf.
        n_frames, width, blank: T, L, the index of the blank.
    """
    n_labels = len(labels)
    at_blank[0] = 0.0
    for t in range(n_frames):
        row, cells = t * width, t * n_labels
        p_blank = log_probs[row + blank]
        last = min(n_labels - 1, t)  # a label further on needs more frames before it
        first = max(0, n_labels - n_frames + t)  # a label further back needs more frames behind it
        for u in range(last, first - 1, -1):  # downwards: what stands before u is that of the frame before
            here, way = at_label[u], 0
            best = at_blank[u + 1]
            if here > best:
                best, way = here, 3
            at_blank[u + 1] = best + p_blank
            came = at_blank[u]
            best, step = here, 0
            if came > best:
                best, step = came, 1
            if u > 0 and labels[u] != labels[u - 1]:
                came = at_label[u - 1]
                if came > best:
                    best, step = came, 2
            at_label[u] = best + log_probs[row + labels[u]]
            back[cells + u] = way + step
        at_blank[0] += p_blank
    at = n_labels - 1  # the label that the path is at, or is behind
    on_label = n_labels > 0 and at_label[n_labels - 1] > at_blank[n_labels]
    total = at_label[n_labels - 1] if on_label else at_blank[n_labels]
    if total == -math.inf:
        return total
    for t in range(n_frames - 1, -1, -1):
        if at < 0:
            break
        way = back[t * n_labels + at]
        if not on_label:
            on_label = way >= 3
            continue
        p = log_probs[t * width + labels[at]]
        if p > score[at]:
            score[at] = p
        if end[at] == 0:
            end[at] = t + 1
        start[at] = t
        step = way % 3
        if step > 0:
            at -= 1
            on_label = step == 2
    return total


_VITERBI = Loop(_viterbi)
