"""Errors between transcripts that allow several word sequences: alternatives, and words that may be left out.

Conventions, those of NIST's `sclite -s -D`:
- The errors are those of the pair of sequences, one from each side, that agrees best. Its words are the ones that
  count, so the number of reference words depends on the hypothesis.
- An optional word that has no counterpart is correct, whichever side it stands on. One that stands against another word
  is a word like any other.
- The best alignment is the one that sclite looks for: 4 for a substitution, 3 for a deletion or an insertion, 2 for a
  word left out. Of several with the same sum, the one with the fewest errors counts, then the one with the most correct
  words, then the one with the fewest insertions; sclite takes the one that it meets first. The sums differ from
  `asr.scoring.edits` in one place: an error more may be paid to save several substitutions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from asr.scoring.edits import ErrorCounts, count_errors


class Arc(NamedTuple):
    """A word between two nodes; None for no word at all."""

    start: int
    end: int
    word: str | None
    optional: bool = False


@dataclass(frozen=True)
class Lattice:
    """Word sequences of which any may be taken: the ways from the first node to the last one.

    Attributes:
        n_nodes: nodes are numbered from 0; every arc leads from a lower to a higher number.
        arcs: every node but the first is the end of one.
    """

    n_nodes: int
    arcs: tuple[Arc, ...]

    @classmethod
    def of(cls, words: Sequence[str]) -> Lattice:
        """A lattice with a single way."""
        return cls(len(words) + 1, tuple(Arc(i, i + 1, word) for i, word in enumerate(words)))

    @property
    def is_chain(self) -> bool:
        """Whether there is a single way, on which some words may be optional."""
        return all(arc[:2] == (i, i + 1) for i, arc in enumerate(self.arcs))

    def arriving(self) -> list[list[Arc]]:
        """The arcs that end at each node."""
        found: list[list[Arc]] = [[] for _ in range(self.n_nodes)]
        for arc in self.arcs:
            found[arc.end].append(arc)
        return found

    def replace(self, fold: Callable[[str], str | None]) -> Lattice:
        """Replace each word by what `fold` makes of it; None drops the word."""
        return Lattice(
            self.n_nodes,
            tuple(arc._replace(word=None if arc.word is None else fold(arc.word)) for arc in self.arcs),
        )

    def characters(self) -> Lattice:
        """The same sequences as characters, with a space between two words.

        Characters of an optional word are an alternative to nothing: left out, they do not count at all.
        """
        # Each node is there twice, in front of the first word (0) and behind a word (1), where the next one needs a
        # space. The places within a word follow the node that it starts from, so that all places sort along the ways.
        last = self.n_nodes - 1
        steps: list[_Step] = [((last, 0), (last, 1), None)]  # no word at all is a way to the end, too
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
    """The lattice of all steps that the first place leads to."""
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
    """Count the errors of one hypothesis, with alternatives on either side or without.

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
    """Costs of the operations as one number each, whose digits are compared in turn.

    From the highest: sclite's weights, errors, minus the correct words, insertions; and substitutions, which are only
    there to be read off.
    """

    def __init__(self, n_words: int) -> None:
        self._base = n_words + 1  # more than the lower digits of a whole alignment can be
        self.correct = self._number(0, 0, 1, 0, 0)
        self.substitution = self._number(4, 1, 0, 0, 1)
        self.deletion = self._number(3, 1, 0, 0, 0)
        self.insertion = self._number(3, 1, 0, 1, 0)
        self.left_out = self._number(2, 0, 1, 0, 0)
        fits = (n_words + 3) * self.substitution < 2**63
        self.dtype = np.dtype(np.int64) if fits else np.dtype(object)  # object: integers of any size, and slower

    def _number(self, weight: int, errors: int, correct: int, insertions: int, substitutions: int) -> int:
        number = 0
        for digit in (weight, errors, -correct, insertions, substitutions):
            number = number * self._base + digit
        return number

    def counts(self, cost: int) -> ErrorCounts:
        """The counts of an alignment of this cost."""
        cost, substitutions = divmod(cost, self._base)
        cost, insertions = divmod(cost, self._base)
        correct = -cost % self._base
        errors = (cost + correct) // self._base % self._base
        return ErrorCounts(correct, substitutions, errors - substitutions - insertions, insertions)


def _alone(lattice: Lattice, missing: int, costs: _Costs) -> dict[Arc, int]:
    """Cost of each arc without a counterpart."""
    return {arc: 0 if arc.word is None else costs.left_out if arc.optional else missing for arc in lattice.arcs}


def _cheapest(rows: Lattice, missing: dict[Arc, int], columns: Lattice, added: dict[Arc, int], costs: _Costs) -> int:
    """Cost of the best alignment: the recursion of Wagner and Fischer (1974) over pairs of nodes."""
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
    """Cost of the best alignment with a lattice that has a single way, all of whose nodes are computed at once."""
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
        row -= steps  # a cell depends on its left neighbour: a running minimum, once the steps are taken off
        np.minimum.accumulate(row, out=row)
        row += steps
        best[node] = row
        for start in {arc.start for arc in above if last_use[arc.start] == node}:
            del best[start]  # or a long transcript would fill the memory
    return int(best[rows.n_nodes - 1][-1])
