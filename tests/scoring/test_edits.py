from __future__ import annotations

import math

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from asr.scoring.edits import ErrorCounts, align, count_errors
from tests.reference import edit_distance

few_labels = st.lists(st.sampled_from(["aa", "b", "sil"]), max_size=9)
many_labels = st.lists(st.sampled_from([f"l{i}" for i in range(8)]), max_size=40)


# (reference, hypothesis, correct, substitutions, deletions, insertions), each counted by hand
BY_HAND = [
    ("", "", 0, 0, 0, 0),
    ("abc", "abc", 3, 0, 0, 0),
    ("abc", "", 0, 0, 3, 0),
    ("", "abc", 0, 0, 0, 3),
    ("kitten", "sitting", 4, 2, 0, 1),  # Levenshtein's textbook pair: distance 3
    ("saturday", "sunday", 5, 1, 2, 0),  # the other one: distance 3
    ("ab", "ba", 1, 0, 1, 1),  # two errors either way; one correct label is better than two substitutions
    ("abcd", "bcda", 3, 0, 1, 1),
]


@pytest.mark.parametrize(("reference", "hypothesis", "c", "s", "d", "i"), BY_HAND)
def test_counts_by_hand(reference: str, hypothesis: str, c: int, s: int, d: int, i: int) -> None:
    assert count_errors(reference, hypothesis) == ErrorCounts(c, s, d, i)


@given(few_labels, few_labels)
def test_counts_equal_the_recursion(reference: list[str], hypothesis: list[str]) -> None:
    assert count_errors(reference, hypothesis) == ErrorCounts(*edit_distance.counts(reference, hypothesis))


@given(many_labels, many_labels)
def test_errors_equal_rapidfuzz(reference: list[str], hypothesis: list[str]) -> None:
    assert count_errors(reference, hypothesis).errors == Levenshtein.distance(reference, hypothesis)


@given(st.lists(many_labels.filter(bool), min_size=1, max_size=4), st.data())
def test_summed_rate_equals_jiwer(references: list[list[str]], data: st.DataObject) -> None:
    hypotheses = [data.draw(many_labels) for _ in references]
    total = sum(map(count_errors, references, hypotheses), ErrorCounts())
    theirs = jiwer.process_words([" ".join(r) for r in references], [" ".join(h) for h in hypotheses])
    assert total.errors == theirs.substitutions + theirs.deletions + theirs.insertions
    assert total.rate == pytest.approx(theirs.wer)
    assert total.correct >= theirs.hits  # of equally short alignments we take the one with the most correct labels


@given(few_labels, few_labels)
def test_exchanging_sides_exchanges_deletions_and_insertions(reference: list[str], hypothesis: list[str]) -> None:
    there, back = count_errors(reference, hypothesis), count_errors(hypothesis, reference)
    assert there == ErrorCounts(back.correct, back.substitutions, back.insertions, back.deletions)


@given(few_labels, few_labels)
def test_alignment_spells_both_sides_and_has_the_counts(reference: list[str], hypothesis: list[str]) -> None:
    edits = align(reference, hypothesis)
    assert [edit.reference for edit in edits if edit.reference is not None] == reference
    assert [edit.hypothesis for edit in edits if edit.hypothesis is not None] == hypothesis
    operations = [edit.operation for edit in edits]
    names = ("correct", "substitution", "deletion", "insertion")
    assert ErrorCounts(*(operations.count(name) for name in names)) == count_errors(reference, hypothesis)
    for edit in edits:
        assert (edit.operation == "correct") == (edit.reference == edit.hypothesis)


def test_counts_know_both_lengths() -> None:
    counts = count_errors("saturday", "sunday")
    assert (counts.reference, counts.hypothesis, counts.errors) == (8, 6, 3)
    assert counts.rate == 3 / 8


def test_counts_add_up_before_dividing() -> None:
    short, long = ErrorCounts(0, 1, 0, 0), ErrorCounts(9, 0, 0, 0)
    total = sum([short, long], ErrorCounts())
    assert total == ErrorCounts(9, 1, 0, 0)
    assert total.rate == 0.1  # not the mean of 1.0 and 0.0


def test_rate_without_reference() -> None:
    assert ErrorCounts().rate == 0.0
    assert math.isinf(ErrorCounts(insertions=2).rate)


def test_insertions_can_make_a_rate_above_one() -> None:
    assert count_errors("a", "bcd").rate == 3.0


def test_counts_do_not_add_to_numbers() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        ErrorCounts() + 1  # type: ignore[operator]
