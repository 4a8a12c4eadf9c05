"""CTC token passing: the best path through words, with a word bigram (Graves 2012, section 7.5.3).

A word is a chain of states: a blank before, between and behind its labels. A token in a state holds the score of the
best path that has come there, and its words. At each frame a token may stay, go on within its word, or leave it and
enter any word, with the bigram's log probability of that word behind the one it leaves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Token(NamedTuple):
    """The score of a path, its words, and the last label of the last word if the path ends in it, else None."""

    score: float
    words: tuple[str, ...] = ()
    last: int | None = None


def pass_tokens(
    log_probs: Sequence[Sequence[float]],
    spellings: Sequence[tuple[str, Sequence[int]]],
    bigram: Mapping[tuple[str, str], float],
    blank: int = 0,
) -> Token:
    """Return the best path that reads at least one word.

    Args:
        log_probs: (T, L), T >= 1.
        spellings: words and their labels; a word may stand several times.
        bigram: log probability of a word behind another; `<s>` stands before the first, `</s>` behind the last.
        blank: index of blank.
    """
    states = [
        [blank if at % 2 == 0 else labels[at // 2] for at in range(2 * len(labels) + 1)] for _, labels in spellings
    ]
    tokens = [[Token(-math.inf)] * len(chain) for chain in states]
    leaving = [Token(0.0)]
    for frame in log_probs:
        moved = []
        for (word, _), chain, old in zip(spellings, states, tokens, strict=True):
            entering = [
                Token(one.score + bigram[one.words[-1] if one.words else "<s>", word], (*one.words, word), one.last)
                for one in leaving
            ]
            now = []
            for at, label in enumerate(chain):
                sources = [old[at]]
                sources += [old[at - 1]] if at >= 1 else entering
                if at == 1:
                    sources += [one for one in entering if one.last != label]
                if at >= 3 and label not in (blank, chain[at - 2]):
                    sources.append(old[at - 2])
                best = max(sources, key=lambda one: one.score)
                now.append(Token(best.score + frame[label], best.words))
            moved.append(now)
        tokens = moved
        leaving = [
            one
            for chain, now in zip(states, tokens, strict=True)
            for one in (now[-1], now[-2]._replace(last=chain[-2]))
        ]
    ends = [one._replace(score=one.score + bigram[one.words[-1], "</s>"]) for one in leaving if one.words]
    return max(ends, key=lambda one: one.score, default=Token(-math.inf))
