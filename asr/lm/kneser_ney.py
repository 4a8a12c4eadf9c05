"""Interpolated modified Kneser-Ney smoothing (Chen and Goodman 1999), of words or of labels.

    p(w | h) = (a(hw) - D(a(hw))) / sum_x a(hx) + b(h) p(w | h')

h' is h without its first symbol, and b(h) what the discounts take from h's n-grams, over sum_x a(hx). The adjusted
count a of the longest n-grams, and of those that start with `<s>`, is their count; that of the others is the number of
different symbols before them in the text. The 1-grams are interpolated with the uniform distribution over all symbols
but `<s>`, so that symbols that never occurred, `<unk>` among them, have a probability as well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.lm.counting import Counts
from asr.lm.ngram import NgramModel, model_of
from asr.lm.trie import ROOT

FALLBACK = (0.5, 1.0, 1.5)
"""The discounts of a length whose counts define none, as of `lmplz --discount_fallback`."""


def estimate_from_counts(counts: Counts) -> NgramModel:
    """Estimate a model from counts.

    Raises:
        DataError: nothing was counted.
    """
    if not counts.count.any():
        raise DataError("there is no text to estimate a language model from; give a text with at least one symbol")
    trie, adjusted = counts.trie, adjusted_counts(counts)
    taken = _taken(counts, adjusted)
    total = trie.sums(adjusted)
    # Contexts of no n-gram give all their mass to the shorter one.
    left = np.divide(trie.sums(taken), total, out=np.ones(len(trie)), where=total > 0)
    prob = np.zeros(len(trie))
    prob[ROOT] = 1.0 / (trie.n_symbols - 1)  # of the uniform distribution, behind the 1-grams
    for length in range(1, trie.order + 1):
        level = trie.level(length)
        parent = trie.parent[level]
        own = adjusted[level] - taken[level]
        np.divide(own, total[parent], out=own, where=total[parent] > 0)
        prob[level] = own + left[parent] * prob[trie.suffix[level]]
    with np.errstate(divide="ignore"):
        return model_of(counts.symbols, counts.unit, trie, np.log(prob), np.log(np.where(trie.has_children, left, 1.0)))


def adjusted_counts(counts: Counts) -> NDArray[np.int64]:
    """Return (M,) the adjusted counts: the number of symbols before an n-gram, or its count where none can be."""
    trie = counts.trie
    adjusted = counts.count.copy()
    for length in range(1, trie.order):
        longer = trie.suffix[trie.level(length + 1)]
        before = np.bincount(longer, minlength=len(trie))[trie.level(length)]
        level = trie.level(length)
        adjusted[level] = np.where(counts.opens[level], adjusted[level], before)
    return adjusted


def _taken(counts: Counts, adjusted: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (M,) the discount of the adjusted count of each n-gram."""
    taken = np.zeros(len(adjusted))
    for length in range(1, counts.trie.order + 1):
        level = counts.trie.level(length)
        discount = np.array([0.0, *discounts(adjusted[level])])
        taken[level] = discount[np.minimum(adjusted[level], 3)]
    return taken


def discounts(adjusted: NDArray[np.int64]) -> tuple[float, float, float]:
    """Return the discounts of the counts 1, 2, and 3 or more (Chen and Goodman 1999, equation 26).

    If there are few n-grams that all occur often, as of labels, no n-gram may have a count of 1, 2, 3 or 4,
    or the formula may give less than nothing or more than the count. The length then takes `FALLBACK`.

    Args:
        adjusted: the adjusted counts of all n-grams of one length.
    """
    n = [0, *(int(np.count_nonzero(adjusted == k)) for k in (1, 2, 3, 4))]
    if 0 in n[1:4]:
        return FALLBACK
    y = n[1] / (n[1] + 2 * n[2])
    one, two, three = (k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3))
    return (one, two, three) if 0 < one <= 1 and 0 < two <= 2 and 0 < three <= 3 else FALLBACK
