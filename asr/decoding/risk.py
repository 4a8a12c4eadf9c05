"""Minimum Bayes risk: the candidate with the fewest expected errors, instead of the likeliest.

    choice = argmin over c of  sum over c' of p(c') * d(c', c)

with the posteriors p of the candidates and the edit distance d between their labels or words (Goel and Byrne 2000,
"Minimum Bayes-risk automatic speech recognition"). The likeliest candidate is the choice of least risk under the loss
that counts wrong utterances; this choice has the least risk under the loss that error rates count.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from asr.decoding.confidence import NEGLIGIBLE, common_ends

RISKS = ("none", "labels", "words")
"""The unit in which errors are counted; `none` chooses by score only."""


def expected_errors(sequences: Sequence[Sequence[Hashable]], posteriors: Sequence[float]) -> list[float]:
    """Return the expected edit distance of each candidate to the truth, as if that were one of the candidates.

    Args:
        sequences: labels or words of each candidate.
        posteriors: of the candidates; those that are `NEGLIGIBLE` beside the best are left out of the sum.
    """
    least = NEGLIGIBLE * max(posteriors)
    likely = [(one, p) for one, p in zip(sequences, posteriors, strict=True) if p >= least]
    return [math.fsum(p * distance(one, other) for other, p in likely) for one in sequences]


def distance(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Return the edit distance; quick for candidates of one search, which differ in a few places.

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
    """Return the numbers of the candidates, the one of least risk first; of equal ones the earlier first."""
    return sorted(range(len(risk)), key=lambda i: (round(risk[i], 12), i))
