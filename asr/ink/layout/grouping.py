"""Clustering from evidence between pairs."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from asr.ink.layout.strokes import Floats, Ints


@dataclass(frozen=True)
class Groups:
    """A division into groups.

    Attributes:
        of: (n,) the group of each member; groups are numbered from 0 in the order of their first members.
        between: the sum of the evidence between two groups, the smaller number first.
    """

    of: Ints
    between: dict[tuple[int, int], float]


def grouped(n: int, pairs: Ints, evidence: Floats) -> Groups:
    """Unite the two groups with the largest sum of evidence, again and again, while that sum is above 0.

    Greedy additive edge contraction (M. Keuper et al., "Efficient decomposition of image and mesh graphs by lifted
    multicuts", ICCV 2015): an approximate solution of correlation clustering, which also finds the number of groups.

    Args:
        n: number of members.
        pairs: (E, 2) members, numbered from 0; a pair may occur several times.
        evidence: (E,) above 0 for being in the same group, below 0 against it.
    """
    between = _sums(n, pairs, evidence)
    parent = list(range(n))
    waiting = [(-value, i, j) for i in range(n) for j, value in between[i].items() if i < j and value > 0]
    heapq.heapify(waiting)
    while waiting:
        value, i, j = heapq.heappop(waiting)
        if parent[i] != i or parent[j] != j or between[i].get(j) != -value:
            continue
        if len(between[i]) < len(between[j]):
            i, j = j, i
        parent[j] = i
        for k, changed in _contract(between, i, j):
            if changed > 0:
                heapq.heappush(waiting, (-changed, min(i, k), max(i, k)))
    return _numbered(parent, between)


def _sums(n: int, pairs: Ints, evidence: Floats) -> list[dict[int, float]]:
    apart = pairs[:, 0] != pairs[:, 1]
    ordered = np.sort(pairs[apart], axis=1)
    keys, which = np.unique(ordered[:, 0] * n + ordered[:, 1], return_inverse=True)
    sums = np.bincount(which, evidence[apart], minlength=len(keys))
    between: list[dict[int, float]] = [{} for _ in range(n)]
    for i, j, value in zip((keys // n).tolist(), (keys % n).tolist(), sums.tolist(), strict=True):
        between[i][j] = between[j][i] = value
    return between


def _contract(between: list[dict[int, float]], i: int, j: int) -> list[tuple[int, float]]:
    """Merge group j into i; return the new evidence between i and each neighbour of j."""
    own, others = between[i], between[j]
    del own[j]
    changed = []
    for k, value in others.items():
        if k != i:
            del between[k][j]
            own[k] = between[k][i] = own.get(k, 0.0) + value
            changed.append((k, own[k]))
    between[j] = {}
    return changed


def _numbered(parent: list[int], between: list[dict[int, float]]) -> Groups:
    numbers: dict[int, int] = {}
    of = []
    for member in range(len(parent)):
        root = member
        while parent[root] != root:
            parent[root] = parent[parent[root]]
            root = parent[root]
        of.append(numbers.setdefault(root, len(numbers)))
    left = {
        (min(numbers[i], numbers[j]), max(numbers[i], numbers[j])): value
        for i in numbers
        for j, value in between[i].items()
    }
    return Groups(np.array(of, dtype=np.int64), left)
