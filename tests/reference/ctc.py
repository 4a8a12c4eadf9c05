"""CTC by listing every path: a label for each frame, repeats merged, blanks removed (Graves 2006, section 3)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby, product


def labelling_of(path: Sequence[int], blank: int = 0) -> tuple[int, ...]:
    """What a path spells."""
    return tuple(label for label, _ in groupby(path) if label != blank)


def labelling_probabilities(posteriors: Sequence[Sequence[float]], blank: int = 0) -> dict[tuple[int, ...], float]:
    """The probability of every labelling that has a path.

    Args:
        posteriors: (T, L) probabilities; L ** T paths are listed.
        blank: index of blank.
    """
    n_labels = len(posteriors[0]) if posteriors else 1
    probabilities: dict[tuple[int, ...], float] = defaultdict(float)
    for path in product(range(n_labels), repeat=len(posteriors)):
        probabilities[labelling_of(path, blank)] += math.prod(posteriors[t][label] for t, label in enumerate(path))
    return dict(probabilities)


def loss(posteriors: Sequence[Sequence[float]], labels: Sequence[int], blank: int = 0) -> float:
    """Minus the log-probability of a labelling, inf when no path spells it."""
    probability = labelling_probabilities(posteriors, blank).get(tuple(labels), 0.0)
    return -math.log(probability) if probability > 0 else math.inf


def shortest_path_length(labels: Sequence[int], n_labels: int, longest: int, blank: int = 0) -> int:
    """Frames of the shortest path that spells `labels`, found by trying all paths of up to `longest` frames."""
    for n_frames in range(longest + 1):
        for path in product(range(n_labels), repeat=n_frames):
            if labelling_of(path, blank) == tuple(labels):
                return n_frames
    raise ValueError(f"no path of up to {longest} frames spells {labels}")
