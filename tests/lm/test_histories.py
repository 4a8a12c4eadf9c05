"""The probability of contexts: a dense Markov chain, and the text that a model was estimated from."""

from __future__ import annotations

import numpy as np
import pytest

from asr.lm.corpus import Corpus
from asr.lm.histories import context_probabilities
from asr.lm.ngram import NgramModel
from asr.lm.pruning import pruned
from tests.lm.samples import estimate, sentences
from tests.lm.walking import ngrams


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("threshold", [0.0, 1e-4])
def test_equals_the_stationary_distribution_of_the_dense_chain(order: int, threshold: float) -> None:
    model = pruned(estimate(Corpus.of(sentences(40, words=8), "words"), order), threshold)
    names, share = ngrams(model), context_probabilities(model)
    stationary = dict(zip((names[node] for node in model.state_nodes), _stationary(model), strict=True))
    for name, found in zip(names, share.tolist(), strict=True):
        behind = sum(one for state, one in stationary.items() if state[max(0, len(state) - len(name)) :] == name)
        if name in stationary:
            assert found == pytest.approx(behind, rel=1e-3, abs=1e-5)


def _stationary(model: NgramModel) -> np.ndarray:
    states = len(model.arcs.shorter)
    matrix = np.zeros((states, states))
    for state in range(states):
        for symbol in range(len(model.symbols)):
            log_prob, target = model.arcs.step(state, symbol)
            matrix[state, model.arcs.start if symbol == model.arcs.end else target] += np.exp(log_prob)
    assert matrix.sum(axis=1) == pytest.approx(np.ones(states), abs=1e-5)
    mass = np.full(states, 1 / states)
    for _ in range(2000):
        mass = 0.5 * mass + 0.5 * mass @ matrix
    return mass


def test_the_contexts_of_a_period_are_averaged() -> None:
    model = estimate(Corpus.of(["a b c"] * 50, "words"), 3)
    share = dict(zip(ngrams(model), context_probabilities(model).tolist(), strict=True))
    assert share[("a", "b")] == pytest.approx(0.25, abs=0.03)
    assert share[("<s>",)] == pytest.approx(0.25, abs=0.03)


def test_it_is_near_the_share_in_the_text() -> None:
    text = sentences(400)
    model = estimate(Corpus.of(text, "characters"), 5)
    share = dict(zip(ngrams(model), context_probabilities(model).tolist(), strict=True))
    joined = "".join(f"{one}\n" for one in text)
    for pair in ("ab", "e ", "hi"):
        expected = joined.count(pair) / len(joined)
        assert share[tuple("<space>" if one == " " else one for one in pair)] == pytest.approx(expected, rel=0.25)
