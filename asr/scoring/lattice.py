"""Count errors between transcripts with alternatives or optional words, which stand for several word sequences.

Conventions, those of NIST's `sclite -s -D`:

- The errors are those of the pair of sequences, one from each side, that agrees best. Only its words count, so the
  number of reference words depends on the hypothesis.
- An optional word without a counterpart is correct, on either side. An optional word that is aligned with another word
  counts like any other.
- The best alignment has the lowest cost, with sclite's costs: 4 for a substitution, 3 for a deletion or an insertion, 2
  for an optional word without a counterpart. Of several, the one with the fewest errors counts, then the one with the
  most correct words, then the one with the fewest insertions; sclite takes the first that it finds. Unlike in
  `asr.scoring.edits`, one more error may be counted to avoid several substitutions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from asr.scoring.edits import ErrorCounts, count_errors


class Arc(NamedTuple):
    """A word that leads from one node to another; `word` is None for an arc without a word."""

    start: int
    end: int
    word: str | None
    optional: bool = False


@dataclass(frozen=True)
class Lattice:
    """A set of allowed word sequences: all paths from the first node to the last.

    Attributes:
        n_nodes: the number of nodes, which are numbered from 0.
        arcs: the arcs; each leads from a lower to a higher node, and every node but the first is the end of an arc.
    """

    n_nodes: int
    arcs: tuple[Arc, ...]

    @classmethod
    def of(cls, words: Sequence[str]) -> Lattice:
        """Make a lattice with a single path."""
        return cls(len(words) + 1, tuple(Arc(i, i + 1, word) for i, word in enumerate(words)))

    @property
    def is_chain(self) -> bool:
        """True if there is a single path; some of its words may be optional."""
        return all(arc[:2] == (i, i + 1) for i, arc in enumerate(self.arcs))

    def arriving(self) -> list[list[Arc]]:
        """Return the arcs that end at each node."""
        found: list[list[Arc]] = [[] for _ in range(self.n_nodes)]
        for arc in self.arcs:
            found[arc.end].append(arc)
        return found

    def replace(self, fold: Callable[[str], str | None]) -> Lattice:
        """Return the lattice with each word replaced by `fold(word)`; None removes the word."""
        return Lattice(
            self.n_nodes,
            tuple(arc._replace(word=None if arc.word is None else fold(arc.word)) for arc in self.arcs),
        )

    def characters(self) -> Lattice:
        """Return a lattice of the same sequences as characters, with a space between two words.

        An optional word becomes an alternative to no word: if it is left out, its characters do not count at all.
        """
        # Each node becomes two places: (node, 0) before the first word, and (node, 1) after a word, where the next word
        # begins with a space. Places within a word sort after the node where it starts, so all steps lead upwards.
        last = self.n_nodes - 1
        steps: list[_Step] = [((last, 0), (last, 1), None)]  # a sequence may have no word at all
        for number, (start, end, word, optional) in enumerate(self.arcs):
            for begun in (0, 1):
                if word is None or optional:
                    steps.append(((start, begun), (end, begun), None))
                if word is not None:
                    symbols = " " * begun + word
                    within = [(start, begun, number, i) for i in range(1, len(symbols))]
                    steps += zip([(start, begun), *within], [*within, (end, 1)], symbols, strict=True)
        return _numbered(steps)


_Place = tuple[int, ...]
_Step = tuple[_Place, _Place, str | None]


def _numbered(steps: list[_Step]) -> Lattice:
    """Return the lattice of the steps that can be reached from the first place."""
    steps = sorted(steps, key=lambda step: step[0])
    reached = {steps[0][0]}
    kept = []
    for step in steps:
        if step[0] in reached:
            reached.add(step[1])
            kept.append(step)
    number = {place: i for i, place in enumerate(sorted(reached))}
    return Lattice(len(number), tuple(Arc(number[start], number[end], symbol) for start, end, symbol in kept))


def count_errors_between(reference: Sequence[str] | Lattice, hypothesis: Sequence[str] | Lattice) -> ErrorCounts:
    """Count the errors of one hypothesis; either side may be a sequence of words or a lattice.

    >>> um = Lattice(2, (Arc(0, 1, "um"), Arc(0, 1, None)))
    >>> count_errors_between(um, ["uh"])
    ErrorCounts(correct=0, substitutions=0, deletions=0, insertions=1)
    """
    if not isinstance(reference, Lattice) and not isinstance(hypothesis, Lattice):
        return count_errors(reference, hypothesis)
    rows = reference if isinstance(reference, Lattice) else Lattice.of(reference)
    columns = hypothesis if isinstance(hypothesis, Lattice) else Lattice.of(hypothesis)
    costs = _Costs(len(rows.arcs) + len(columns.arcs))
    missing, added = _alone(rows, costs.deletion, costs), _alone(columns, costs.insertion, costs)
    if columns.is_chain:
        return costs.counts(_cheapest_against_chain(rows, missing, columns, added, costs))
    if rows.is_chain:
        return costs.counts(_cheapest_against_chain(columns, added, rows, missing, costs))
    return costs.counts(_cheapest(rows, missing, columns, added, costs))


class _Costs:
    """The cost of each operation, as one number whose digits are compared from the highest on.

    The digits are: sclite's cost, errors, minus the correct words, insertions, substitutions. The last is only there to
    read the counts from the cost of an alignment.
    """

    def __init__(self, n_words: int) -> None:
        self._base = n_words + 1  # above the largest value of a lower digit
        self.correct = self._number(0, 0, 1, 0, 0)
        self.substitution = self._number(4, 1, 0, 0, 1)
        self.deletion = self._number(3, 1, 0, 0, 0)
        self.insertion = self._number(3, 1, 0, 1, 0)
        self.left_out = self._number(2, 0, 1, 0, 0)
        fits = (n_words + 3) * self.substitution < 2**63
        self.dtype = np.dtype(np.int64) if fits else np.dtype(object)  # object: integers of any size, but slower

    def _number(self, weight: int, errors: int, correct: int, insertions: int, substitutions: int) -> int:
        number = 0
        for digit in (weight, errors, -correct, insertions, substitutions):
            number = number * self._base + digit
        return number

    def counts(self, cost: int) -> ErrorCounts:
        """Return the counts of an alignment with this cost."""
        cost, substitutions = divmod(cost, self._base)
        cost, insertions = divmod(cost, self._base)
        correct = -cost % self._base
        errors = (cost + correct) // self._base % self._base
        return ErrorCounts(correct, substitutions, errors - substitutions - insertions, insertions)


def _alone(lattice: Lattice, missing: int, costs: _Costs) -> dict[Arc, int]:
    """Return the cost of each arc without a counterpart; `missing` is the cost of a word that is not optional."""
    return {arc: 0 if arc.word is None else costs.left_out if arc.optional else missing for arc in lattice.arcs}


def _cheapest(rows: Lattice, missing: dict[Arc, int], columns: Lattice, added: dict[Arc, int], costs: _Costs) -> int:
    """Return the cost of the best alignment, by the recursion of Wagner and Fischer (1974) over pairs of nodes."""
    into_columns = columns.arriving()
    best: list[list[int]] = []
    for above in rows.arriving():
        row: list[int] = []
        best.append(row)
        for before in into_columns:
            ways = [best[arc.start][len(row)] + missing[arc] for arc in above]
            ways += [row[arc.start] + added[arc] for arc in before]
            ways += [
                best[up.start][left.start] + (costs.correct if up.word == left.word else costs.substitution)
                for up in above
                if up.word is not None
                for left in before
                if left.word is not None
            ]
            row.append(min(ways, default=0))
    return best[-1][-1]


def _cheapest_against_chain(
    rows: Lattice, missing: dict[Arc, int], chain: Lattice, added: dict[Arc, int], costs: _Costs
) -> int:
    """Return the cost of the best alignment with a lattice of a single path, whose nodes are computed at once."""
    words = np.array([arc.word for arc in chain.arcs], dtype=object)
    steps = np.zeros(chain.n_nodes, dtype=costs.dtype)
    steps[1:] = np.cumsum(np.array([added[arc] for arc in chain.arcs], dtype=costs.dtype))
    last_use = {arc.start: arc.end for arc in sorted(rows.arcs, key=lambda arc: arc.end)}
    best = {0: steps}
    for node, above in enumerate(rows.arriving()):
        if node == 0:
            continue
        row = np.minimum.reduce([best[arc.start] + missing[arc] for arc in above])
        for arc in above:
            if arc.word is not None:
                against = np.where(words == arc.word, costs.correct, costs.substitution).astype(costs.dtype)
                against[words == None] = 2 * costs.substitution  # noqa: E711  # elementwise: no word, no counterpart
                np.minimum(row[1:], best[arc.start][:-1] + against, out=row[1:])
        row -= steps  # a cell depends on its left neighbour; without the steps, this is a running minimum
        np.minimum.accumulate(row, out=row)
        row += steps
        best[node] = row
        for start in {arc.start for arc in above if last_use[arc.start] == node}:
            del best[start]  # saves memory for long transcripts
    return int(best[rows.n_nodes - 1][-1])
