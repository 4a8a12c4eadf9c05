"""Pruning by relative entropy (Stolcke 1998): remove the n-grams that change the model's predictions least.

Without the n-gram (h, w), the probability of w comes from the shorter context h', and the back-off weight of h changes.
The relative entropy between the models before and after is

    D = -p(h) { p(w|h) [log p(w|h') + log b'(h) - log p(w|h)] + [log b'(h) - log b(h)] (1 - sum_x p(x|h)) }

where b' is the back-off weight of h without the n-gram, and x runs over the symbols that h has an n-gram with. e^D - 1
is the relative change of the perplexity. An n-gram stays as long as a longer one begins with it.

Stolcke computes p(h) as a product of the model's probabilities. After Kneser-Ney smoothing that product is far from
the true p(h) (Chelba and others 2010), so this module uses `asr.lm.histories`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asr.lm.backoff import Masses, cumulated_backoffs, fitting_backoffs, lower_log_probs, masses
from asr.lm.histories import context_probabilities
from asr.lm.ngram import NgramModel, ngram_model
from asr.lm.progress import Progress, silent
from asr.lm.trie import ROOT, Trie

_LEAST = 1e-12


def pruned(model: NgramModel, threshold: float, on_progress: Progress = silent) -> NgramModel:
    """Remove the n-grams whose removal raises the perplexity by less than a threshold.

    1-grams stay. The probabilities after each context still sum to one.

    Args:
        model: the model.
        threshold: a relative change of the perplexity, such as 1e-8.
        on_progress: called while the contexts are weighted.
    """
    return _kept(model, changes(model, on_progress) >= threshold)


def pruned_to(model: NgramModel, number: int, on_progress: Progress = silent) -> NgramModel:
    """Remove the n-grams that change the perplexity least, until at most `number` are left; 1-grams stay.

    >>> from asr.lm.corpus import Corpus
    >>> from asr.lm.counting import count_ngrams
    >>> from asr.lm.kneser_ney import estimate_from_counts
    >>> corpus = Corpus.of(["to be", "or not to be"], "words")
    >>> model = estimate_from_counts(count_ngrams(corpus, order=2))
    >>> [len(one.trie) - 1 for one in (model, pruned_to(model, 10))]
    [13, 10]
    """
    change = changes(model, on_progress)
    surplus = len(change) - 1 - number
    if surplus <= 0:
        return model
    threshold = np.partition(change, surplus - 1)[surplus - 1]
    return _kept(model, change > threshold)


def changes(model: NgramModel, on_progress: Progress = silent) -> NDArray[np.float64]:
    """Return (M,) the relative rise of the perplexity if an n-gram and all longer ones that begin with it are removed.

    It is infinite for the root and for 1-grams, and never less for an n-gram than for a longer one that begins with it.
    """
    trie = model.trie
    log_probs, backoffs = model.log_probs.astype(np.float64), model.backoffs.astype(np.float64)
    history = context_probabilities(model, on_progress)
    cumulated = cumulated_backoffs(trie, backoffs)
    change = np.full(len(trie), np.inf)
    for length in range(trie.order, 1, -1):
        level = trie.level(length)
        lower = lower_log_probs(trie, log_probs, cumulated, level)
        change[level] = np.maximum(
            np.expm1(_divergence(trie, level, log_probs, lower, backoffs, history)), _largest(trie, length, change)
        )
    return change


def _divergence(
    trie: Trie,
    level: slice,
    log_probs: NDArray[np.float64],
    lower: NDArray[np.float64],
    backoffs: NDArray[np.float64],
    history: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return D of the n-grams of one length, in nats."""
    parent = trie.parent[level]
    prob, below = np.exp(log_probs[level]), np.exp(lower)
    size = len(trie)
    left = np.maximum(1.0 - np.bincount(parent, prob, size), _LEAST)[parent]
    open_ = np.maximum(1.0 - np.bincount(parent, below, size), _LEAST)[parent]
    weight = np.log(left + prob) - np.log(open_ + below)  # b'
    with np.errstate(invalid="ignore"):  # an n-gram of probability 0 gives 0 * inf; it counts as 0
        own = np.where(prob > 0.0, prob * (lower + weight - log_probs[level]), 0.0)
    gain = own + (weight - backoffs[parent]) * left
    divergence: NDArray[np.float64] = np.maximum(0.0, -history[parent] * gain)
    return divergence


def _largest(trie: Trie, length: int, change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest change among the children of each n-gram of a length."""
    level, children = trie.level(length), trie.level(length + 1)
    largest = np.zeros(level.stop - level.start)
    if children.stop > children.start:
        np.maximum.at(largest, trie.parent[children] - level.start, change[children])
    return largest


def _kept(model: NgramModel, keep: NDArray[np.bool_]) -> NgramModel:
    """Return the model without some n-grams; each context gives the mass of its removed n-grams to the back-off.

    Args:
        model: the model.
        keep: (M,) whether each n-gram stays.
    """
    keep[ROOT] = True
    log_probs = model.log_probs.astype(np.float64)
    before = masses(model.trie, log_probs, model.backoffs.astype(np.float64))
    lost = model.trie.sums(np.where(keep, 0.0, np.exp(log_probs)))
    trie, nodes = model.trie.kept(keep)
    wanted = Masses((before.left + lost)[nodes], before.total[nodes])
    return ngram_model(
        model.symbols, model.unit, trie, log_probs[nodes], fitting_backoffs(trie, log_probs[nodes], wanted)
    )
