"""Forced alignment by listing every path that spells a labelling."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, product

from tests.reference.ctc import labelling_of


def best_paths(log_probs: Sequence[Sequence[float]], labels: Sequence[int], blank: int = 0) -> list[tuple[int, ...]]:
    """All paths of `labels` whose log probability is the highest, up to rounding; none if no path spells them.

    Args:
        log_probs: (T, L) natural logarithms; L ** T paths are listed.
        labels: without blanks.
        blank: index of blank.
    """
    width = len(log_probs[0]) if log_probs else 1
    paths = [p for p in product(range(width), repeat=len(log_probs)) if labelling_of(p, blank) == tuple(labels)]
    if not paths:
        return []
    best = max(path_log_probability(log_probs, path) for path in paths)
    return [path for path in paths if path_log_probability(log_probs, path) >= best - 1e-9]


def path_log_probability(log_probs: Sequence[Sequence[float]], path: Sequence[int]) -> float:
    """The sum of the path's log probabilities."""
    return sum(log_probs[t][label] for t, label in enumerate(path))


def runs_of(path: Sequence[int], blank: int = 0) -> list[tuple[int, int]]:
    """The first frame of each label's run and the frame behind its last one."""
    runs, at = [], 0
    for label, run in groupby(path):
        length = len(list(run))
        if label != blank:
            runs.append((at, at + length))
        at += length
    return runs
