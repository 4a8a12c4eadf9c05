"""Compute the evidence for labels, words and utterances, from which confidences follow.

The evidence consists of two numbers (`Trust`):

- its **posterior** over the candidates c of the search,

      p(c) = exp(scale * score(c)) / sum over c' of exp(scale * score(c')),

  summed over the candidates that contain it at the same place, according to the alignment with the fewest errors
  (Wessel, Schlüter, Macherey and Ney 2001, "Confidence measures for large vocabulary continuous speech recognition",
  with an N-best list instead of a word graph);
- the **peak**, the highest posterior of the network in the run of a label, multiplied over the labels of a word or an
  utterance. It ignores language models and alternatives, but it reveals a label that is nowhere likely although all
  candidates contain it, because the list of candidates is short.

`asr.decoding.calibration` combines both into one number.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from asr.decoding.hypothesis import Evidence, Hypothesis, Trust
from asr.scoring.edits import common_ends

NEGLIGIBLE = 1e-4
"""Candidates with a lower probability, relative to the best one, are not aligned. Also the limit of logits."""


def candidate_posteriors(scores: Sequence[float], scale: float) -> list[float]:
    """Return the posteriors of candidates with these total scores; they are equal if all scores are -inf.

    >>> candidate_posteriors([0.0, -1000.0], 1.0)
    [1.0, 0.0]
    """
    best = max(scores)
    weights = [1.0 if score == best else math.exp(scale * (score - best)) for score in scores]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def evidence_of(
    hypothesis: Hypothesis,
    labels: Sequence[float] | None = None,
    words: Sequence[float] | None = None,
    utterance: float = 1.0,
) -> Evidence:
    """Collect the evidence for the parts of a hypothesis.

    Args:
        hypothesis: a hypothesis in which the confidences of labels are peaks. Its words consist of its labels except
            the spaces, in order.
        labels: the posterior of each label over the candidates; None: there is a single candidate.
        words: the posterior of each word; None: there is a single candidate.
        utterance: the posterior of the whole hypothesis.
    """
    peaks = [span.confidence for span in hypothesis.spans]
    return Evidence(
        _trusts(labels, peaks),
        _trusts(words, _word_peaks(hypothesis)),
        Trust(utterance, math.prod(peaks)),
    )


def _trusts(posteriors: Sequence[float] | None, peaks: Sequence[float]) -> tuple[Trust, ...]:
    given = [1.0] * len(peaks) if posteriors is None else posteriors
    return tuple(Trust(*pair) for pair in zip(given, peaks, strict=True))


def _word_peaks(hypothesis: Hypothesis) -> list[float]:
    """Return, for each word, the product of the peaks of its labels."""
    peaks, spans = [], iter(hypothesis.spans)
    span = next(spans, None)
    for word in hypothesis.words:
        peak = 1.0
        while span is not None and span.start < word.end:
            peak *= 1.0 if span.label.isspace() else span.confidence
            span = next(spans, None)
        peaks.append(peak)
    return peaks


def shares_of(place: int, sequences: Sequence[Sequence[Hashable]], posteriors: Sequence[float]) -> list[float]:
    """Sum, for each token of a sequence, the posteriors of the sequences that contain it at the same place.

    Args:
        place: the number of the sequence.
        sequences: the labels or words of each candidate.
        posteriors: the posterior of each candidate; those that are `NEGLIGIBLE` relative to that of the sequence itself
            are left out, and the others scaled to sum to 1.

    >>> shares_of(0, ["ab", "ac"], [0.75, 0.25])
    [1.0, 0.75]
    """
    one = sequences[place]
    least, total = NEGLIGIBLE * posteriors[place], 0.0
    shares = [0.0] * len(one)
    for other, posterior in zip(sequences, posteriors, strict=True):
        if posterior >= least:
            total += posterior
            for at in matching_places(one, other):
                shares[at] += posterior
    return [share / total for share in shares]


def matching_places(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[int]:
    """Return the places of a sequence whose token another sequence contains at the same place.

    Two tokens are at the same place if the alignment with the fewest errors pairs them; of several such alignments, the
    one with the most correct tokens counts (as in `asr.scoring.edits`).

    >>> matching_places("abcd", "xabd")
    [0, 1, 3]
    """
    if one == other:
        return list(range(len(one)))
    start, stop = common_ends(one, other)
    middle = _matching_within(one[start : len(one) - stop], other[start : len(other) - stop])
    return [*range(start), *(start + at for at in middle), *range(len(one) - stop, len(one))]


def _matching_within(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[int]:
    """Do what `matching_places` does, by the recursion of Wagner and Fischer (1974).

    A substitution costs a little more than an insertion, which gives the alignment with the most correct tokens.
    """
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
