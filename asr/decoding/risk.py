"""Minimum Bayes risk: the candidate with the fewest expected errors, instead of the likeliest.

    choice = argmin over c of  sum over c' of p(c') * d(c', c)

with the posteriors p of the candidates and the edit distance d between their labels or words (Goel and Byrne 2000,
"Minimum Bayes-risk automatic speech recognition"). The likeliest candidate is the choice of least risk under the loss
that counts wrong utterances; this one is that under the loss that error rates count.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from asr.scoring.edits import count_errors

RISKS = ("none", "labels", "words")
"""What the errors are counted in; `none` chooses by score alone."""


def expected_errors(sequences: Sequence[Sequence[Hashable]], posteriors: Sequence[float]) -> list[float]:
    """Return the expected edit distance of each candidate to what is right, if it is one of them.

    Args:
        sequences: labels or words of each candidate.
        posteriors: of the candidates.
    """
    distances = [[0.0] * len(sequences) for _ in sequences]
    for i, one in enumerate(sequences):
        for j in range(i):
            distances[i][j] = distances[j][i] = count_errors(one, sequences[j]).errors  # type: ignore[arg-type]
    return [math.fsum(p * d for p, d in zip(posteriors, row, strict=True)) for row in distances]


def by_risk(risk: Sequence[float]) -> list[int]:
    """Return the numbers of the candidates, the one of least risk first; of equal ones the earlier first."""
    return sorted(range(len(risk)), key=lambda i: (round(risk[i], 12), i))
