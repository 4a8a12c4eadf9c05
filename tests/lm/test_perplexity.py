"""Perplexity: many sentences at a time as one by one, and symbols that the model does not know."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asr.errors import DataError
from asr.lm.corpus import Corpus
from asr.lm.model import Unit
from asr.lm.ngram import ngram_model
from asr.lm.perplexity import measure_perplexity
from asr.lm.pruning import pruned
from asr.lm.trie import unigrams
from tests.lm.samples import estimate, sentences
from tests.lm.walking import ngrams, numbers_of, sentence_log_prob


@pytest.mark.parametrize("unit", ["words", "characters", "labels"])
@pytest.mark.parametrize("threshold", [0.0, 1e-4])
def test_equals_the_walk_through_the_automaton(unit: Unit, threshold: float) -> None:
    model = pruned(estimate(Corpus.of(sentences(200), unit), 4), threshold)
    text = sentences(60, seed=0)[20:] + sentences(20, seed=3, words=50)
    known = [
        one for one in text if model.arcs.unknown not in numbers_of(model, one.split() if unit != "characters" else one)
    ]
    found = measure_perplexity(model, known if unit != "characters" else text)
    used = known if unit != "characters" else text
    assert found.log_prob == pytest.approx(sum(sentence_log_prob(model, one) for one in used), rel=1e-6)
    assert found.sentences == len(used) > 20
    assert found.unknown == 0
    assert found.predicted == found.symbols + found.sentences
    assert found.perplexity == pytest.approx(math.exp(-found.log_prob / found.predicted))


def test_no_context_reaches_beyond_its_sentence() -> None:
    # Programs that count one long text find <s> and </s> in it: a b </s> <s> c is one piece.
    whole = Corpus(("<s>", "</s>", "<unk>", "a", "c"), "words", np.array([0, 3, 1, 0, 4, 1], np.int32),
                   np.array([0, 6]), np.array([1]))  # fmt: skip
    model = estimate(whole, 3)
    assert "</s> <s> c" in {" ".join(one) for one in ngrams(model)}
    assert measure_perplexity(model, ["a", "c"]).log_prob == pytest.approx(
        sentence_log_prob(model, "a") + sentence_log_prob(model, "c")
    )


def test_unknown_words_are_counted_and_left_out() -> None:
    model = estimate(Corpus.of(["to be", "be to"], "words"), 2)
    with_it, without = measure_perplexity(model, ["xx", "to"]), measure_perplexity(model, ["to"])
    assert (with_it.symbols, with_it.unknown, with_it.predicted, with_it.sentences) == (2, 1, 3, 2)
    assert with_it.unknown_share == 0.5
    assert without.unknown_share == 0.0
    end_behind_unknown = model.arcs.step(model.arcs.step(model.arcs.start, model.arcs.unknown)[1], model.arcs.end)[0]
    assert with_it.log_prob == pytest.approx(without.log_prob + end_behind_unknown)


def test_bits_per_character_count_blanks_and_ends_of_lines() -> None:
    text = ["ab c"]
    of_characters = measure_perplexity(estimate(Corpus.of(text, "characters"), 2), text)
    of_words = measure_perplexity(estimate(Corpus.of(text, "words"), 2), text)
    assert of_characters.characters == of_words.characters == 5
    assert of_words.bits_per_character == pytest.approx(-of_words.log_prob / math.log(2) / 5)
    assert measure_perplexity(estimate(Corpus.of(text, "labels"), 2), text).bits_per_character is None


def test_no_text_is_an_error() -> None:
    with pytest.raises(DataError, match="the text to measure the perplexity on is empty"):
        measure_perplexity(estimate(Corpus.of(["a"], "words"), 2), ["", " "])


def test_ends_that_the_model_does_not_have_are_no_unknown_symbols() -> None:
    model = ngram_model(("<unk>", "a", "b"), "words", unigrams(3), np.log([1.0, 0.2, 0.4, 0.4]), np.zeros(4))
    found = measure_perplexity(model, ["a b", "a x"])
    assert (found.symbols, found.unknown, found.predicted) == (4, 1, 3)
