"""How sure a decoder can be of a label, a word, an utterance: posteriors over the candidates of its search.

The posterior of a candidate is its share of the probability of all candidates,

    p(c) = exp(scale * score(c)) / sum over c' of exp(scale * score(c')),

and a label or word of a hypothesis is as probable as the candidates together that hold it at its place, the one that
the alignment with fewest errors gives it (an N-best list used as a word graph is: Wessel, Schlüter, Macherey and Ney
2001, "Confidence measures for large vocabulary continuous speech recognition").

A list of candidates ends, so what all of them share has a posterior of 1. Their other source, the highest posterior of
the network in the run of each label, knows nothing of language models and alternatives, but it sees a label that
nowhere stood out. A confidence is the product of both; `asr.decoding.calibration` makes a probability of it.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from asr.decoding.hypothesis import Hypothesis, Span


@dataclass(frozen=True)
class Shares:
    """The posterior of a hypothesis, and of all that it consists of.

    Attributes:
        utterance: of the whole labelling.
        labels: one for each label.
        words: one for each word.
    """

    utterance: float
    labels: tuple[float, ...]
    words: tuple[float, ...]

    def applied(self, hypothesis: Hypothesis) -> Hypothesis:
        """Multiply the confidences of a hypothesis by these shares."""
        return replace(
            hypothesis,
            spans=_weighted(hypothesis.spans, self.labels),
            words=_weighted(hypothesis.words, self.words),
            confidence=hypothesis.confidence * self.utterance,
        )


def _weighted(spans: Sequence[Span], shares: Sequence[float]) -> tuple[Span, ...]:
    return tuple(replace(one, confidence=one.confidence * share) for one, share in zip(spans, shares, strict=True))


def utterance_confidence(words: Sequence[Span]) -> float:
    """Return how sure it is that all words are right, as if they were right and wrong alone: the product.

    >>> utterance_confidence([Span("a", 0, 1, 0.5), Span("b", 1, 2, 0.5)])
    0.25
    """
    return math.prod(word.confidence for word in words)


def candidate_posteriors(scores: Sequence[float], scale: float) -> list[float]:
    """Return the posteriors of candidates with these total scores; equal ones where no candidate is possible.

    >>> candidate_posteriors([0.0, -1000.0], 1.0)
    [1.0, 0.0]
    """
    best = max(scores)
    weights = [1.0 if score == best else math.exp(scale * (score - best)) for score in scores]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def shares_of(place: int, sequences: Sequence[Sequence[Hashable]], posteriors: Sequence[float]) -> tuple[float, ...]:
    """Sum, for each token of a sequence, the posteriors of the sequences that hold it at its place.

    Args:
        place: number of the sequence.
        sequences: labels or words of each candidate.
        posteriors: of the candidates.
    """
    one = sequences[place]
    shares = [0.0] * len(one)
    for other, posterior in zip(sequences, posteriors, strict=True):
        for at in held(one, other):
            shares[at] += posterior
    return tuple(min(share, 1.0) for share in shares)


def held(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[int]:
    """Return the places of a sequence whose token stands at the same place of another one.

    Tokens stand at the same place where an alignment with fewest errors, and among those with most correct tokens,
    puts them above each other (as in `asr.scoring.edits`).

    >>> held("abcd", "xabd")
    [0, 1, 3]
    """
    if one == other:
        return list(range(len(one)))
    start, least = 0, min(len(one), len(other))
    while start < least and one[start] == other[start]:
        start += 1
    stop = 0
    while stop < least - start and one[-1 - stop] == other[-1 - stop]:
        stop += 1
    middle = _held_within(one[start : len(one) - stop], other[start : len(other) - stop])
    return [*range(start), *(start + at for at in middle), *range(len(one) - stop, len(one))]


def _held_within(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[int]:
    """The recursion of Wagner and Fischer (1974); a substitution costs a little more than an insertion."""
    rows, columns = len(one), len(other)
    if min(rows, columns) == 0 or (rows == columns == 1):  # nothing, or two different tokens
        return []
    error = rows + columns + 1
    costs = [[column * error for column in range(columns + 1)]]
    for row in range(rows):
        above, token = costs[-1], one[row]
        cost = [above[0] + error]
        for column in range(columns):
            diagonal = above[column] + (0 if token == other[column] else error + 1)
            cost.append(min(diagonal, above[column + 1] + error, cost[column] + error))
        costs.append(cost)
    places, row, column = [], rows, columns
    while row and column:
        here = costs[row][column]
        same = one[row - 1] == other[column - 1]
        if here == costs[row - 1][column - 1] + (0 if same else error + 1):
            row, column = row - 1, column - 1
            if same:
                places.append(row)
        elif here == costs[row - 1][column] + error:
            row -= 1
        else:
            column -= 1
    return places[::-1]
