from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.scoring.edits import ErrorCounts, count_errors
from asr.scoring.lattice import Lattice, count_errors_between
from asr.scoring.trn_words import words_of
from tests.reference import alternatives
from tests.reference.alternatives import Choice, Optional

words = st.sampled_from(["a", "b", "cd"])
plain_transcripts = st.lists(words, max_size=6).map(tuple)
transcripts: st.SearchStrategy[Any] = st.recursive(
    st.lists(words | words.map(Optional), max_size=4).map(tuple),
    lambda inner: st.tuples(
        st.lists(words | words.map(Optional), max_size=2).map(tuple),
        st.lists(inner, min_size=1, max_size=3).map(tuple).map(Choice),
        st.lists(words | words.map(Optional), max_size=2).map(tuple),
    ).map(lambda parts: (*parts[0], parts[1], *parts[2])),
    max_leaves=4,
)


def counted(reference: str, hypothesis: str) -> ErrorCounts:
    return count_errors_between(words_of(reference, escapes=False), words_of(hypothesis, escapes=False))


# (reference, hypothesis, correct, substitutions, deletions, insertions): what sclite 2.10 says with -s -D
SCLITE = [
    ("hello (uh) world", "hello world", 3, 0, 0, 0),
    ("hello (uh) world", "hello uh world", 3, 0, 0, 0),
    ("hello (uh) world", "hello (uh) world", 3, 0, 0, 0),
    ("hello (uh) world", "hello er world", 2, 1, 0, 0),
    ("hello world", "hello (uh) world", 3, 0, 0, 0),
    ("(uh)", "", 1, 0, 0, 0),
    ("((uh)) b", "b", 2, 0, 0, 0),
    ("a (uh b) c", "a c", 2, 0, 2, 0),
    ("( )", "", 0, 0, 2, 0),
    ("a(b)", "a", 0, 1, 0, 0),
    ("a { b / c } d", "a c d", 3, 0, 0, 0),
    ("a {b / c} d", "a c d", 3, 0, 0, 0),
    ("a { b/c } d", "a c d", 3, 0, 0, 0),
    ("a {b} c", "a b c", 3, 0, 0, 0),
    ("a { b / c } d", "a x d", 2, 1, 0, 0),
    ("a { b / @ } d", "a d", 2, 0, 0, 0),
    ("a { b / c d / @ } e", "a c d e", 4, 0, 0, 0),
    ("a { b / { c / d } e } f", "a d e f", 4, 0, 0, 0),
    ("a x d", "a { x / e } d", 3, 0, 0, 0),
    ("a { b c / d } e", "a { d / c } e", 3, 0, 0, 0),
    ("a { (uh) / b } c", "a c", 3, 0, 0, 0),
    ("a @ b", "a b", 2, 0, 0, 0),
    ("a / c", "a c", 2, 0, 1, 0),
    ("a } c", "a } c", 3, 0, 0, 0),
    ("A b", "a B", 0, 2, 0, 0),
]


@pytest.mark.parametrize(("reference", "hypothesis", "c", "s", "d", "i"), SCLITE)
def test_counts_are_those_of_sclite(reference: str, hypothesis: str, c: int, s: int, d: int, i: int) -> None:
    assert counted(reference, hypothesis) == ErrorCounts(c, s, d, i)


@settings(deadline=None)
@given(transcripts, transcripts)
def test_counts_equal_those_of_the_best_pair_of_sequences(reference: Any, hypothesis: Any) -> None:
    expected = alternatives.counts(reference, hypothesis)
    assert counted(alternatives.written(reference), alternatives.written(hypothesis)) == ErrorCounts(*expected)


@given(plain_transcripts, plain_transcripts)
def test_words_without_alternatives_count_as_words(reference: tuple[str, ...], hypothesis: tuple[str, ...]) -> None:
    assert count_errors_between(reference, hypothesis) == count_errors(reference, hypothesis)
    expected = ErrorCounts(*alternatives.counts(reference, hypothesis))
    assert count_errors_between(Lattice.of(reference), hypothesis) == expected
    assert count_errors_between(reference, Lattice.of(hypothesis)) == expected


@settings(deadline=None)
@given(transcripts, plain_transcripts)
def test_characters_equal_those_of_the_best_text(reference: Any, hypothesis: tuple[str, ...]) -> None:
    lattice = words_of(alternatives.written(reference), escapes=False)
    if not isinstance(lattice, Lattice):
        lattice = Lattice.of(lattice)
    texts = tuple(tuple(text) for text in alternatives.text_sequences(reference))
    expected = alternatives.counts((Choice(texts),), tuple(" ".join(hypothesis)))
    assert count_errors_between(lattice.characters(), " ".join(hypothesis)) == ErrorCounts(*expected)


def test_words_can_be_replaced_and_dropped() -> None:
    lattice = words_of("{ A / sil } (B) sil", escapes=False)
    assert isinstance(lattice, Lattice)
    folded = lattice.replace(lambda word: None if word == "sil" else word.lower())
    assert count_errors_between(folded, ("b",)) == ErrorCounts(correct=1)
    assert count_errors_between(folded, ("a",)) == ErrorCounts(correct=2)


def test_two_optional_words_are_left_out_rather_than_substituted() -> None:
    assert counted("(uh) a", "(er) a") == ErrorCounts(correct=3)  # both cost 4; sclite takes the other


def test_many_alternatives_take_a_moment() -> None:
    reference = words_of("{ a / b } (c) " * 200, escapes=False)
    assert count_errors_between(reference, ("b",) * 200) == ErrorCounts(correct=400)


def test_long_transcripts_are_counted_exactly() -> None:
    """So many words that the numbers of a cost need more than 64 bits."""
    found = count_errors_between(words_of("a (uh) { b / c } d", escapes=False), ("a", "c", "x", *["y"] * 6000))
    assert found == ErrorCounts(correct=3, substitutions=1, insertions=6000)


def test_deep_nesting_is_read() -> None:
    reference = words_of("{ a / " * 3000 + "b" + " }" * 3000, escapes=False)
    assert count_errors_between(reference, ("b",)) == ErrorCounts(correct=1)
