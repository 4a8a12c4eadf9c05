"""Mixtures: the probabilities of the n-grams, sums, and the weights that held-out text asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asr.errors import ConfigError, DataError
from asr.lm.corpus import Corpus
from asr.lm.mixing import best_weights, mixed
from asr.lm.ngram import NgramModel
from asr.lm.perplexity import measure_perplexity, predict
from asr.lm.pruning import pruned
from tests.lm.samples import estimate, sentences
from tests.lm.walking import Ngram, ngrams, prob, sums


@pytest.fixture(scope="module")
def models() -> list[NgramModel]:
    one = estimate(Corpus.of(sentences(60, seed=1, words=9), "characters"), 4)
    vocabulary = [*"abcdeghilmnoxyz", "<space>"]
    other = pruned(estimate(Corpus.of(sentences(200, seed=2), "characters", vocabulary=vocabulary), 5), 5e-5)
    missing = other.trie.length[1:] - other.trie.length[other.trie.suffix[1:]] > 1
    assert missing.sum() > 5  # n-grams whose shorter context was pruned
    return [one, other]


def test_every_n_gram_has_the_mean_of_its_probabilities(models: list[NgramModel]) -> None:
    mixture = mixed(models, [3.0, 1.0])
    names = ngrams(mixture)
    assert set(names) >= {*ngrams(models[0]), *ngrams(models[1])}
    assert set(mixture.symbols) == {*models[0].symbols, *models[1].symbols}
    for name in names[1 :: len(names) // 300]:
        if name[-1] != "<s>":
            expected = 0.75 * _prob(models[0], name) + 0.25 * _prob(models[1], name)
            assert prob(mixture, name[-1], name[:-1]) == pytest.approx(expected, rel=1e-5, abs=1e-12)


def _prob(model: NgramModel, name: Ngram) -> float:
    """The probability of the last symbol; a context is as long as the model knows its symbols."""
    unknown = [place for place, one in enumerate(name[:-1]) if one not in model.index]
    return prob(model, name[-1], name[max(unknown, default=-1) + 1 : -1]) if name[-1] in model.index else 0.0


def test_the_probabilities_behind_every_state_sum_to_one(models: list[NgramModel]) -> None:
    mixture = mixed(models, [0.5, 0.5])
    assert sums(mixture) == pytest.approx([1.0] * len(mixture.arcs.shorter), abs=1e-5)


def test_a_model_mixed_with_itself_predicts_as_before(models: list[NgramModel]) -> None:
    text = sentences(20, seed=1, words=9)
    mixture = mixed([models[0], models[0]], [0.3, 0.7])
    assert measure_perplexity(mixture, text).log_prob == pytest.approx(measure_perplexity(models[0], text).log_prob)


def test_a_model_whose_sums_are_off_mixes_and_prunes_as_it_is(models: list[NgramModel]) -> None:
    rng = np.random.default_rng(0)
    rough = np.minimum(0.0, models[0].arcs.log_prob + rng.normal(0.0, 0.1, len(models[0].arcs.log_prob)))
    model = replace(models[0], arcs=replace(models[0].arcs, log_prob=rough.astype(np.float32)))
    assert max(sums(model)) > 1.05
    text = sentences(20, seed=1, words=9)
    expected = measure_perplexity(model, text).log_prob
    assert measure_perplexity(mixed([model, models[1]], [1.0, 0.0]), text).log_prob == pytest.approx(expected, rel=1e-6)
    assert measure_perplexity(pruned(model, 0.0), text).log_prob == pytest.approx(expected, rel=1e-6)


def test_the_best_weights_are_those_of_a_fine_grid(models: list[NgramModel]) -> None:
    held_out = sentences(30, seed=1, words=9) + sentences(20, seed=2, words=9)
    weights = best_weights(models, held_out)
    assert sum(weights) == pytest.approx(1.0)
    probs = [np.where(one.known, np.exp(one.log_prob), 0.0) for one in (predict(model, held_out) for model in models)]
    grid = np.linspace(0.005, 0.995, 199)
    known = probs[0] + probs[1] > 0
    likelihoods = [np.log((one * probs[0] + (1 - one) * probs[1])[known]).sum() for one in grid]
    assert 0.05 < weights[0] < 0.95
    assert weights[0] == pytest.approx(grid[int(np.argmax(likelihoods))], abs=0.005)


def test_models_of_different_units_are_refused(models: list[NgramModel]) -> None:
    words = estimate(Corpus.of(["to be"], "words"), 2)
    with pytest.raises(ConfigError, match="different units, characters and words"):
        mixed([models[0], words], [0.5, 0.5])


@pytest.mark.parametrize("weights", [[0.5], [1.0, -0.1], [0.0, 0.0], [float("nan"), 1.0]])
def test_weights_that_are_none_are_refused(models: list[NgramModel], weights: list[float]) -> None:
    with pytest.raises(ConfigError, match="give one weight above 0 for each model"):
        mixed(models, weights)


def test_held_out_text_of_other_symbols_is_refused() -> None:
    model = estimate(Corpus.of(["a b"], "words"), 2)
    with pytest.raises(DataError, match="do not know any symbol of the held-out text"):
        best_weights([model, model], [" "])
