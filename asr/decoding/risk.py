"""Minimum Bayes risk decoding: choose the candidate with the fewest expected errors instead of the likeliest.

    choice = argmin over c of  sum over c' of p(c') * d(c', c)

with the posteriors p of the candidates and the edit distance d between their labels or words (Goel and Byrne 2000,
"Minimum Bayes-risk automatic speech recognition"). The likeliest candidate minimises the expected number of wrong
utterances; this choice minimises the expected number of wrong labels or words, which error rates count.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from asr.decoding.confidence import NEGLIGIBLE
from asr.scoring.edits import common_ends

RISKS = ("none", "labels", "words")
"""Values of the option `risk`: the unit in which errors are counted; `none` chooses by score."""


def expected_errors(sequences: Sequence[Sequence[Hashable]], posteriors: Sequence[float]) -> list[float]:
    """Return the expected edit distance of each candidate to the reference, if the reference is one of the candidates.

    Args:
        sequences: the labels or words of each candidate.
        posteriors: the posterior of each candidate; those that are `NEGLIGIBLE` relative to the best are left out.

    >>> expected_errors(["cat", "cut"], [0.75, 0.25])
    [0.25, 0.75]
    """
    least = NEGLIGIBLE * max(posteriors)
    likely = [(one, p) for one, p in zip(sequences, posteriors, strict=True) if p >= least]
    return [math.fsum(p * distance(one, other) for other, p in likely) for one in sequences]


def distance(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Return the edit distance; fast if the sequences differ in a few places, as candidates of a search do.

    >>> distance("kitten", "sitting")
    3
    """
    start, stop = common_ends(one, other)
    one, other = one[start : len(one) - stop], other[start : len(other) - stop]
    if not one or not other:
        return len(one) + len(other)
    row = list(range(len(other) + 1))
    for place, token in enumerate(one, 1):
        diagonal, row[0] = row[0], place
        for column, its in enumerate(other, 1):
            best = min(diagonal + (token != its), row[column] + 1, row[column - 1] + 1)
            diagonal, row[column] = row[column], best
    return row[-1]


def by_risk(risk: Sequence[float]) -> list[int]:
    """Return the numbers of the candidates by rising risk; of equal ones the earlier first.

    >>> by_risk([0.5, 0.25, 0.5])
    [1, 0, 2]
    """
    return sorted(range(len(risk)), key=lambda i: (round(risk[i], 12), i))
