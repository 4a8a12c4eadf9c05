"""The arrays of the lexicon search, and how they grow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asr.decoding.lexicon_kernel import N_COUNTS, N_FOUND, N_LIVE, NONE, Beam, Candidates, Found

_FIRST = 1024


class Memory:
    """The hypotheses, the beam and the candidates of one search; see `asr.decoding.lexicon_kernel`.

    Args:
        width: how many hypotheses the beam holds.
        n_labels: L, the size of the inventory.
        word_state: the state of the model of words before the first word.
        label_state: the state of the model of labels before the first label.
        ahead: the look-ahead of the root.
    """

    def __init__(self, width: int, n_labels: int, word_state: int, label_state: int, ahead: float) -> None:
        self.found = _room_for_found(_FIRST + 2 * width)
        hypothesis, head, link = np.zeros((3, width), np.int32)
        active, mark = np.zeros((2, n_labels), np.int64)
        self.beam = Beam(hypothesis, head, link, active, mark, *np.zeros((2, width)))
        self.new = _room_for_candidates(4 * width)
        self.scale, self.counts = np.full(1, ahead), np.zeros(N_COUNTS, np.int64)
        self.counts[[N_LIVE, N_FOUND]] = 1
        self.beam.in_blank[0] = 1.0
        for array, value in zip(
            self.found, (-1, -1, 0, NONE, word_state, label_state, -1, -1, 0, 0, 1, 0), strict=True
        ):
            array[0] = value

    @property
    def live(self) -> NDArray[np.int32]:
        """The numbers of the hypotheses in the beam."""
        hypotheses: NDArray[np.int32] = self.beam.hypothesis[: self.counts[N_LIVE]]
        return hypotheses

    @property
    def best(self) -> int:
        """The number of the best hypothesis in the beam, which must not be empty; it may be within a word."""
        n_live = len(self.live)
        return int(self.live[(self.beam.in_blank[:n_live] + self.beam.in_label[:n_live]).argmax()])

    def more_hypotheses(self) -> None:
        """Remove the hypotheses that are no ancestor of one in the beam; double the arrays if most of them stay."""
        kept = self._needed()
        size = len(self.found.parent) * (2 if 2 * len(kept) > len(self.found.parent) else 1)
        moved = np.full(len(self.found.parent) + 1, NONE, np.int32)  # moved[NONE], the last, is NONE
        moved[kept] = np.arange(len(kept))
        old, self.found = self.found, _room_for_found(size)
        for array, before in zip(self.found, old, strict=True):
            array[: len(kept)] = before[kept]
        parents = self.found.parent[: len(kept)] = moved[old.parent[kept]]
        self.found.child[: len(kept)] = NONE
        for one, parent in enumerate(parents.tolist()):
            if parent != NONE:
                self.found.sibling[one] = self.found.child[parent]
                self.found.child[parent] = one
        self.beam.hypothesis[: len(self.live)] = moved[self.live]
        self.counts[N_FOUND] = len(kept)

    def _needed(self) -> NDArray[np.int64]:
        """Return the numbers of the hypotheses in the beam and of all their ancestors, sorted."""
        needed = {0}
        for one in self.live.tolist():
            while one not in needed:
                needed.add(one)
                one = int(self.found.parent[one])
        return np.array(sorted(needed))


def _room_for_found(size: int) -> Found:
    return Found(*np.empty((10, size), np.int32), *np.empty((2, size)))


def _room_for_candidates(size: int) -> Candidates:
    return Candidates(*np.empty((7, size), np.int32), *np.empty((6, size)))
