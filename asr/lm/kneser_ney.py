"""Estimate n-gram models with interpolated modified Kneser-Ney smoothing (Chen and Goodman 1999).

    p(w | h) = (a(hw) - D(a(hw))) / sum_x a(hx) + b(h) p(w | h')
    b(h) = sum_x D(a(hx)) / sum_x a(hx)

h' is h without its first symbol, D is the discount. The adjusted count a of the longest n-grams, and of those that
start with `<s>`, is their count. The adjusted count of all others is the number of different symbols before them in the
text. The 1-grams are interpolated with the uniform distribution over all symbols but `<s>`, so that symbols that never
occurred, such as `<unk>`, have a probability as well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asr.errors import DataError
from asr.lm.counting import Counts
from asr.lm.ngram import NgramModel, ngram_model
from asr.lm.trie import ROOT

FALLBACK = (0.5, 1.0, 1.5)
"""The discounts for n-grams of a length whose counts do not determine them; KenLM's `--discount_fallback`."""


def estimate_from_counts(counts: Counts) -> NgramModel:
    """Estimate a model from counts.

    Raises:
        DataError: all counts are 0.

    >>> from asr.lm.corpus import Corpus
    >>> from asr.lm.counting import count_ngrams
    >>> from asr.lm.perplexity import measure_perplexity
    >>> corpus = Corpus.of(["to be", "or not to be"], "words")
    >>> model = estimate_from_counts(count_ngrams(corpus, order=2))
    >>> round(measure_perplexity(model, ["to be"]).perplexity, 2)
    1.99
    """
    if not counts.count.any():
        raise DataError("the text for the language model is empty; give a text with at least one symbol")
    trie, adjusted = counts.trie, adjusted_counts(counts)
    discount = _discount_of_each(counts, adjusted)
    total = trie.sums(adjusted)
    # N-grams that are no contexts give all their mass to the shorter context.
    left = np.divide(trie.sums(discount), total, out=np.ones(len(trie)), where=total > 0)
    prob = np.zeros(len(trie))
    prob[ROOT] = 1.0 / (trie.n_symbols - 1)  # the uniform distribution, to which 1-grams back off
    for length in range(1, trie.order + 1):
        level = trie.level(length)
        parent = trie.parent[level]
        own = adjusted[level] - discount[level]
        np.divide(own, total[parent], out=own, where=total[parent] > 0)
        prob[level] = own + left[parent] * prob[trie.suffix[level]]
    with np.errstate(divide="ignore"):
        return ngram_model(
            counts.symbols, counts.unit, trie, np.log(prob), np.log(np.where(trie.has_children, left, 1.0))
        )


def adjusted_counts(counts: Counts) -> NDArray[np.int64]:
    """Return (M,) the adjusted counts a: the number of different symbols before an n-gram.

    The longest n-grams, and those that start with `<s>`, keep their count.
    """
    trie = counts.trie
    adjusted = counts.count.copy()
    for length in range(1, trie.order):
        longer = trie.suffix[trie.level(length + 1)]
        before = np.bincount(longer, minlength=len(trie))[trie.level(length)]
        level = trie.level(length)
        adjusted[level] = np.where(counts.opens[level], adjusted[level], before)
    return adjusted


def _discount_of_each(counts: Counts, adjusted: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (M,) the discount D(a) of each n-gram."""
    of_each = np.zeros(len(adjusted))
    for length in range(1, counts.trie.order + 1):
        level = counts.trie.level(length)
        discount = np.array([0.0, *discounts(adjusted[level])])
        of_each[level] = discount[np.minimum(adjusted[level], 3)]
    return of_each


def discounts(adjusted: NDArray[np.int64]) -> tuple[float, float, float]:
    """Return the discounts of the counts 1, 2, and 3 or more (Chen and Goodman 1999, equation 26).

    Returns `FALLBACK` if no n-gram has a count of 1, 2 or 3, or if a discount is 0, negative or larger than the count.
    That happens with few n-grams that all occur often, such as those of phonemes.

    Args:
        adjusted: the adjusted counts of all n-grams of one length.

    >>> discounts(np.array([1, 1, 1, 1, 2, 2, 3, 4]))
    (0.5, 1.25, 1.0)
    >>> discounts(np.array([7, 8, 9]))
    (0.5, 1.0, 1.5)
    """
    n = [0, *(int(np.count_nonzero(adjusted == k)) for k in (1, 2, 3, 4))]
    if 0 in n[1:4]:
        return FALLBACK
    y = n[1] / (n[1] + 2 * n[2])
    one, two, three = (k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3))
    return (one, two, three) if 0 < one <= 1 and 0 < two <= 2 and 0 < three <= 3 else FALLBACK
