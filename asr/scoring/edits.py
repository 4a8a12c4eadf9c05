"""Align a hypothesis with a reference, and count substitutions, deletions and insertions.

Conventions:

- A substitution, a deletion (a reference label that the hypothesis lacks) and an insertion are one error each.
- Several alignments may have the same, smallest number of errors. The one with the most correct labels is counted,
  which is the one with the fewest substitutions. So the three counts do not depend on the order of the search, and
  exchanging reference and hypothesis only exchanges deletions and insertions.
- jiwer and Kaldi count the same number of errors, but may divide it differently. NIST sclite also prefers fewer
  substitutions (it weighs a substitution with 4, the others with 3), but may count one more error to avoid several
  substitutions: for 1997 of 2000 random utterances with about 37 % errors it gave the same four numbers, and for 3 one
  more error. Here the number of errors is always the smallest.
- Counts are summed over utterances before anything is divided: a rate is errors / reference labels of the whole set,
  never a mean of the rates of utterances.
- For an empty reference, each hypothesis label is an insertion. The rate of a set without any reference label is 0.0 if
  nothing was inserted, and infinite otherwise.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Operation = Literal["correct", "substitution", "deletion", "insertion"]

_DIAGONAL, _UP, _LEFT = 0, 1, 2


@dataclass(frozen=True)
class ErrorCounts:
    """Numbers of correct, substituted, deleted and inserted labels; counts can be added.

    >>> counts = sum([ErrorCounts(correct=8, deletions=2), ErrorCounts(correct=10, insertions=1)], ErrorCounts())
    >>> counts.errors, counts.reference, counts.rate
    (3, 20, 0.15)
    """

    correct: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    @property
    def reference(self) -> int:
        """The number of labels in the reference."""
        return self.correct + self.substitutions + self.deletions

    @property
    def hypothesis(self) -> int:
        """The number of labels in the hypothesis."""
        return self.correct + self.substitutions + self.insertions

    @property
    def errors(self) -> int:
        """The sum of substitutions, deletions and insertions."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors / reference labels (1.0 is 100 %); without reference labels 0.0 or, with insertions, inf."""
        if self.reference == 0:
            return float("inf") if self.errors else 0.0
        return self.errors / self.reference

    def __add__(self, other: ErrorCounts) -> ErrorCounts:
        if not isinstance(other, ErrorCounts):
            return NotImplemented
        return ErrorCounts(
            self.correct + other.correct,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )


class Edit(NamedTuple):
    """One step of an alignment; `reference` is None for an insertion, `hypothesis` is None for a deletion."""

    operation: Operation
    reference: str | None
    hypothesis: str | None


def count_errors(reference: Sequence[str], hypothesis: Sequence[str]) -> ErrorCounts:
    """Count the errors of one hypothesis.

    Args:
        reference: the labels of the reference; a string is a sequence of characters.
        hypothesis: the labels of the hypothesis.

    >>> count_errors("kitten", "sitting")
    ErrorCounts(correct=4, substitutions=2, deletions=0, insertions=1)
    """
    start, stop = common_ends(reference, hypothesis)
    n_same = start + stop
    rows, columns = _as_numbers(reference[start : len(reference) - stop], hypothesis[start : len(hypothesis) - stop])
    weight = len(rows) + len(columns) + 1  # one error outweighs all possible substitutions
    cost = _last_row(rows, columns, weight)[-1]
    errors, substitutions = divmod(int(cost), weight)
    deletions = (errors - substitutions + len(rows) - len(columns)) // 2  # deletions - insertions = rows - columns
    return ErrorCounts(
        correct=n_same + len(rows) - substitutions - deletions,
        substitutions=substitutions,
        deletions=deletions,
        insertions=errors - substitutions - deletions,
    )


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """Return the steps of the alignment that `count_errors` counts, in order.

    Several alignments may have these counts; always the same one is returned, but the choice is arbitrary. The function
    needs one byte of memory for each pair of a reference and a hypothesis label.

    >>> [edit.operation for edit in align("abc", "ac")]
    ['correct', 'deletion', 'correct']
    """
    start, stop = common_ends(reference, hypothesis)
    inner_reference = reference[start : len(reference) - stop]
    inner_hypothesis = hypothesis[start : len(hypothesis) - stop]
    came_from = _pointers(*_as_numbers(inner_reference, inner_hypothesis))
    i, j = len(inner_reference), len(inner_hypothesis)
    middle: list[Edit] = []
    while i or j:
        step = came_from[i, j]
        if step == _DIAGONAL:
            i, j = i - 1, j - 1
            same = inner_reference[i] == inner_hypothesis[j]
            middle.append(Edit("correct" if same else "substitution", inner_reference[i], inner_hypothesis[j]))
        elif step == _UP:
            i -= 1
            middle.append(Edit("deletion", inner_reference[i], None))
        else:
            j -= 1
            middle.append(Edit("insertion", None, inner_hypothesis[j]))
    before = [Edit("correct", label, label) for label in reference[:start]]
    after = [Edit("correct", label, label) for label in reference[len(reference) - stop :]]
    return [*before, *reversed(middle), *after]


def common_ends(reference: Sequence[Hashable], hypothesis: Sequence[Hashable]) -> tuple[int, int]:
    """Return the lengths of the common beginning and, after it, of the common end of two sequences.

    Some best alignment pairs them completely, so only the rest needs to be aligned.

    >>> common_ends("abcd", "axd")
    (1, 1)
    """
    shorter = min(len(reference), len(hypothesis))
    start = 0
    while start < shorter and reference[start] == hypothesis[start]:
        start += 1
    stop = 0
    while stop < shorter - start and reference[-1 - stop] == hypothesis[-1 - stop]:
        stop += 1
    return start, stop


def _as_numbers(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Replace each label of two sequences by a number, so that numpy can compare them."""
    numbers: dict[str, int] = {}
    rows = [numbers.setdefault(label, len(numbers)) for label in reference]
    columns = [numbers.setdefault(label, len(numbers)) for label in hypothesis]
    return np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64)


def _next_row(
    row: NDArray[np.int64], differs: NDArray[np.bool_], weight: int, steps: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Compute one row of the recursion of Wagner and Fischer (1974), all columns at once.

    For insertions, a cell depends on its left neighbour; after subtracting `weight` times the column, this is a running
    minimum. A substitution costs weight + 1, so that of alignments with equally many errors the one with the fewest
    substitutions wins.

    Args:
        row: (C + 1,) the costs of the row before.
        differs: (C,) whether the reference label of this row differs from each hypothesis label.
        weight: the cost of a deletion or an insertion.
        steps: (C + 1,) `weight` times the column.
    """
    after = row + weight
    np.minimum(after[1:], row[:-1] + differs * (weight + 1), out=after[1:])
    after -= steps
    np.minimum.accumulate(after, out=after)
    after += steps
    return after


def _last_row(rows: NDArray[np.int64], columns: NDArray[np.int64], weight: int) -> NDArray[np.int64]:
    """Return (len(columns) + 1,) the cost of aligning the whole reference with each prefix of the hypothesis."""
    steps = np.arange(len(columns) + 1, dtype=np.int64) * weight
    row = steps
    for differs in rows[:, None] != columns[None, :]:
        row = _next_row(row, differs, weight, steps)
    return row


def _pointers(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return (rows + 1, columns + 1) the last step of the best alignment of each pair of prefixes."""
    weight = len(rows) + len(columns) + 1
    steps = np.arange(len(columns) + 1, dtype=np.int64) * weight
    came_from = np.full((len(rows) + 1, len(columns) + 1), _LEFT, dtype=np.uint8)
    row = steps
    for i, label in enumerate(rows, start=1):
        differs = columns != label
        after = _next_row(row, differs, weight, steps)
        diagonal = after[1:] == row[:-1] + differs * (weight + 1)
        came_from[i, after == row + weight] = _UP
        came_from[i, 1:][diagonal] = _DIAGONAL
        row = after
    return came_from
