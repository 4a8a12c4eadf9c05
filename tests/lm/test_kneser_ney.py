"""The estimate, against dictionaries and recursion, and against another program where it is installed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import DataError
from asr.lm.corpus import Corpus
from asr.lm.kneser_ney import FALLBACK, discounts
from tests.lm.samples import estimate
from tests.lm.walking import prob
from tests.reference.kneser_ney import BEGIN, END, KneserNey

WORDS = ("a", "b", "c", "d")
SENTENCES = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8), min_size=1, max_size=12)


@given(SENTENCES, st.integers(1, 5))
def test_equals_the_definition_behind_every_context(sentences: list[list[str]], order: int) -> None:
    model = estimate(Corpus.of([" ".join(one) for one in sentences], "words", vocabulary=WORDS), order)
    expected = KneserNey(sentences, order, (*WORDS, END, "<unk>"))
    for context in (*itertools.product(WORDS, repeat=2), (), (BEGIN,), (BEGIN, "a"), ("c",), ("a", "a", "b", "a")):
        for word in expected.vocabulary:
            wanted = expected.prob(word, context[max(0, len(context) - order + 1) :])
            assert prob(model, word, context) == pytest.approx(wanted, rel=2e-6)


def test_the_formulas_discounts_are_used_where_they_are_defined() -> None:
    rng = np.random.default_rng(0)
    sentences = [[f"w{min(30, rng.geometric(0.2))}" for _ in range(8)] for _ in range(80)]
    vocabulary = {word for sentence in sentences for word in sentence}
    expected = KneserNey(sentences, 3, {*vocabulary, END, "<unk>"})
    assert [expected.discounts(length)[1:] != FALLBACK for length in (1, 2, 3)] == [True, True, True]
    model = estimate(Corpus.of([" ".join(one) for one in sentences], "words"), 3)
    for context in (("w1", "w2"), ("w1", "w15"), (BEGIN, "w1"), ("w5", "w4"), ()):
        for word in expected.vocabulary:
            assert prob(model, word, context) == pytest.approx(expected.prob(word, context), rel=2e-6)


def test_discounts_by_hand() -> None:
    # n1 = 6, n2 = 3, n3 = 2, n4 = 1: Y = 6 / 12
    counts = np.array([1] * 6 + [2] * 3 + [3] * 2 + [4] + [0] * 5)
    assert discounts(counts) == pytest.approx((0.5, 2 - 3 * 0.5 * 2 / 3, 3 - 4 * 0.5 * 1 / 2))


@pytest.mark.parametrize("counts", [[5, 6, 7], [1, 2, 4], [1] * 9 + [2, 3, 3, 3], []])
def test_counts_that_define_no_discounts_take_the_fallback(counts: list[int]) -> None:
    assert discounts(np.array(counts, np.int64)) == FALLBACK


def test_a_sentence_that_counts_three_times_is_there_three_times() -> None:
    once = estimate(Corpus.of(["to be", "to be", "to be", "be to"], "words"), 3)
    weighted = estimate(Corpus.of(["to be", "be to"], "words", weights=[3, 1]), 3)
    assert once.symbols == weighted.symbols
    np.testing.assert_array_equal(once.arcs.log_prob, weighted.arcs.log_prob)


@pytest.mark.parametrize("sentences", [[], ["", "  "]])
def test_no_text_is_an_error(sentences: list[str]) -> None:
    with pytest.raises(DataError, match="the text for the language model is empty"):
        estimate(Corpus.of(sentences, "words", vocabulary=["a"]), 3)
