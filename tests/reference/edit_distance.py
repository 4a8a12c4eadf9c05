"""Edit counts by trying everything: slow, obviously right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache


def counts(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[int, int, int, int]:
    """(correct, substitutions, deletions, insertions): fewest errors, among those the most correct labels."""
    ref, hyp = tuple(reference), tuple(hypothesis)

    @cache
    def best(i: int, j: int) -> tuple[int, int, int, int]:
        """Of the first i reference and the first j hypothesis labels."""
        if i == 0 and j == 0:
            return (0, 0, 0, 0)
        ways = []
        if i and j:
            c, s, d, n = best(i - 1, j - 1)
            ways.append((c + 1, s, d, n) if ref[i - 1] == hyp[j - 1] else (c, s + 1, d, n))
        if i:
            c, s, d, n = best(i - 1, j)
            ways.append((c, s, d + 1, n))
        if j:
            c, s, d, n = best(i, j - 1)
            ways.append((c, s, d, n + 1))
        return min(ways, key=lambda way: (sum(way[1:]), -way[0]))

    return best(len(ref), len(hyp))
