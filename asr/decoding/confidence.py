"""The evidence for a label, a word or an utterance, from which confidences are made.

It consists of two numbers (`Trust`):

- its **posterior** over the candidates c of the search,

      p(c) = exp(scale * score(c)) / sum over c' of exp(scale * score(c')),

  summed over the candidates that hold it at its place, which is the one that the alignment with fewest errors gives it
  (an N-best list in the place of the word graph of Wessel, Schlüter, Macherey and Ney 2001, "Confidence measures for
  large vocabulary continuous speech recognition");
- the **peak** of the network's posteriors in the run of a label, multiplied over the labels of a word or an utterance:
  it knows nothing of language models and alternatives, but it sees a label that stood out nowhere, where all candidates
  agree because the list of them ends.

`asr.decoding.calibration` makes one number of both.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from asr.decoding.hypothesis import Evidence, Hypothesis, Trust

NEGLIGIBLE = 1e-4
"""Candidates whose probability, relative to the best one's, is below this are not aligned; logits end there, too."""


def candidate_posteriors(scores: Sequence[float], scale: float) -> list[float]:
    """Return the posteriors of candidates with these total scores; equal ones where no candidate is possible.

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
        hypothesis: the confidences of its labels are peaks; its words hold its labels but the spaces, in order.
        labels: posteriors over the candidates, one for each label; None: there is one candidate only.
        words: the same for each word.
        utterance: the same of all of it.
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
    """Sum, for each token of a sequence, the posteriors of the sequences that hold it at its place.

    Args:
        place: number of the sequence.
        sequences: labels or words of each candidate.
        posteriors: of the candidates; those that are `NEGLIGIBLE` beside that of the sequence itself are left out.
    """
    one = sequences[place]
    least, total = NEGLIGIBLE * posteriors[place], 0.0
    shares = [0.0] * len(one)
    for other, posterior in zip(sequences, posteriors, strict=True):
        if posterior >= least:
            total += posterior
            for at in held(one, other):
                shares[at] += posterior
    return [share / total for share in shares]


def held(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[int]:
    """Return the places of a sequence whose token stands at the same place of another one.

    Tokens stand at the same place where an alignment with fewest errors, and among those with most correct tokens,
    puts them above each other (as in `asr.scoring.edits`).

    >>> held("abcd", "xabd")
    [0, 1, 3]
    """
    if one == other:
        return list(range(len(one)))
    start, stop = common_ends(one, other)
    middle = _held_within(one[start : len(one) - stop], other[start : len(other) - stop])
    return [*range(start), *(start + at for at in middle), *range(len(one) - stop, len(one))]


def common_ends(one: Sequence[Hashable], other: Sequence[Hashable]) -> tuple[int, int]:
    """Return the lengths of the common beginning and, of the rest, the common end: some best alignment keeps both."""
    start, stop, least = 0, 0, min(len(one), len(other))
    while start < least and one[start] == other[start]:
        start += 1
    while stop < least - start and one[-1 - stop] == other[-1 - stop]:
        stop += 1
    return start, stop


def _held_within(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[int]:
    """Align by the recursion of Wagner and Fischer (1974); a substitution costs a little more than an insertion."""
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
