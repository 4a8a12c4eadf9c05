"""Pruning: the formula against the relative entropy of two whole models, and what is left."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from asr.lm.corpus import Corpus
from asr.lm.histories import context_probabilities
from asr.lm.ngram import NgramModel, ngram_model
from asr.lm.perplexity import measure_perplexity
from asr.lm.pruning import changes, pruned, pruned_to
from tests.lm.samples import estimate, sentences
from tests.lm.walking import Ngram, ngrams, prob, sums


@pytest.fixture(scope="module")
def model() -> NgramModel:
    return estimate(Corpus.of(sentences(80, words=12), "words"), 3)


def test_the_change_is_the_relative_entropy_of_the_models(model: NgramModel) -> None:
    change, names, trie = changes(model), ngrams(model), model.trie
    leaves = [node for node in range(1, len(trie)) if trie.length[node] == trie.order]
    for node in leaves[:: len(leaves) // 12]:
        keep = np.arange(len(trie)) != node
        expected = math.expm1(_divergence(model, _without(model, keep), names[node][:-1]))
        assert change[node] == pytest.approx(expected, rel=1e-3, abs=1e-9)


def _without(model: NgramModel, keep: np.ndarray) -> NgramModel:
    """The model without an n-gram of the longest; its context's weight so that the probabilities sum to one."""
    trie, nodes = model.trie.kept(keep)
    backoffs = model.backoffs.astype(float)[nodes]
    context = int(model.trie.parent[np.flatnonzero(~keep)[0]])
    before = ngram_model(model.symbols, model.unit, trie, model.log_probs[nodes], backoffs)
    name = ngrams(model)[context]
    own = {one[-1]: prob(before, one[-1], name) for one in ngrams(before) if one[:-1] == name and len(one) > 1}
    others = sum(prob(before, one, name[1:]) for one in before.symbols if one not in own and one != "<s>")
    backoffs[np.flatnonzero(nodes == context)] = math.log((1.0 - sum(own.values())) / others)
    return ngram_model(model.symbols, model.unit, trie, model.log_probs[nodes], backoffs)


def _divergence(before: NgramModel, after: NgramModel, context: Ngram) -> float:
    """p(h) sum_w p(w | h) log(p(w | h) / p'(w | h)); the other contexts' predictions do not change."""
    whole = context_probabilities(before)[ngrams(before).index(context)]
    words = [one for one in before.symbols if one != "<s>"]
    pairs = [(prob(before, word, context), prob(after, word, context)) for word in words]
    return whole * sum(p * math.log(p / q) for p, q in pairs)


@pytest.mark.parametrize("threshold", [1e-6, 1e-4, 1e-3, 10.0])
def test_what_is_left_is_normalised_and_a_tree(model: NgramModel, threshold: float) -> None:
    smaller = pruned(model, threshold)
    assert sums(smaller) == pytest.approx([1.0] * len(smaller.arcs.shorter), abs=2e-6)
    left = set(ngrams(smaller))
    assert left <= set(ngrams(model))
    assert all(one[:-1] in left for one in left if one)
    assert {one for one in ngrams(model) if len(one) == 1} <= left
    assert (threshold == 10.0) == (smaller.trie.order == 1)


def test_less_is_left_of_it_the_higher_the_threshold_and_it_predicts_worse(model: NgramModel) -> None:
    models = [model, *(pruned(model, threshold) for threshold in (0.0, 1e-4, 3e-4, 1e-3))]
    sizes = [len(one.trie) for one in models]
    assert sizes[0] == sizes[1]
    assert sizes[1:] == sorted(sizes[1:], reverse=True)
    assert len(set(sizes[1:])) == 4
    text = sentences(80, words=12)
    perplexities = [measure_perplexity(one, text).perplexity for one in models]
    assert perplexities[0] == pytest.approx(perplexities[1])
    assert perplexities[1:] == sorted(perplexities[1:])


def test_pruned_to_a_number_keeps_at_most_so_many_and_the_most_useful(model: NgramModel) -> None:
    number = len(model.trie) // 2
    smaller = pruned_to(model, number)
    assert number - 5 <= len(smaller.trie) - 1 <= number
    change = dict(zip(ngrams(model), changes(model).tolist(), strict=True))
    left = set(ngrams(smaller))
    assert min(change[one] for one in left) > max(value for one, value in change.items() if one not in left)
    assert pruned_to(model, len(model.trie)) is model


def test_what_is_impossible_takes_nothing_else_with_it() -> None:
    model = estimate(Corpus.of(sentences(50), "words"), 3)
    log_prob = model.arcs.log_prob.copy()
    log_prob[model.arcs.unknown] = -np.inf
    twograms = model.trie.level(2)
    log_prob[twograms.start - 1] = -np.inf
    found = changes(replace(model, arcs=replace(model.arcs, log_prob=log_prob)))
    assert not np.isnan(found).any()
