"""The sentences that the embedded corpus says."""

from __future__ import annotations

import random
import re

from data_prep.espeak.sentences import compose, distinct, words, written


def test_written_sentences_are_many_and_different() -> None:
    sentences = written()
    assert len(sentences) == 500
    assert len({" ".join(words(sentence)) for sentence in sentences}) == 500
    for sentence in sentences:
        assert re.fullmatch(r"[A-Z][A-Za-z' ,]+[.?]", sentence), sentence
        assert 4 <= len(words(sentence)) <= 9, sentence


def test_composed_sentences_are_english_by_the_letter() -> None:
    rng = random.Random(5)
    sentences = [compose(rng) for _ in range(3000)]
    assert len(set(sentences)) > 2900
    for sentence in sentences:
        assert re.fullmatch(r"[A-Z][A-Za-z ]+[.?]", sentence), sentence
        assert 5 <= len(words(sentence)) <= 12, sentence
        for article, following in re.findall(r"\b([Aa]n?) (\w+)", sentence):
            vowel = following[0] in "aeiou" and not following.startswith("use")
            assert (len(article) == 2) == vowel or following == "hour", sentence


def test_distinct_sentences_use_up_the_written_ones_first() -> None:
    few = list(distinct(30, random.Random(1)))
    assert set(few) <= set(written())
    assert few != list(distinct(30, random.Random(2)))
    many = list(distinct(700, random.Random(1)))
    assert len({" ".join(words(sentence)) for sentence in many}) == 700
    assert set(written()) <= set(many)


def test_words_drop_punctuation_and_case() -> None:
    assert words("Dad's hat, I think, isn't here.") == ["dad's", "hat", "i", "think", "isn't", "here"]
