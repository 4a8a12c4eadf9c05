from __future__ import annotations

import json
from collections.abc import Sequence

import jiwer
import pytest

from asr.scoring.bootstrap import Interval
from asr.scoring.edits import ErrorCounts, count_errors
from asr.scoring.rates import Rate, rate_of, unit_of

# (reference, hypothesis, speaker); counted by hand: 1 substitution, 1 deletion, 1 insertion on 8 words
SENTENCES = [
    ("the edison light", "the addison light", "a"),
    ("went out", "went", "a"),
    ("no doubt", "no doubt", "b"),
    ("yes", "yes yes", "b"),
]
WORDS = [(reference.split(), hypothesis.split(), speaker) for reference, hypothesis, speaker in SENTENCES]


def rate_of_pairs(
    pairs: Sequence[tuple[Sequence[str], Sequence[str], str | None]], unit: str = "labels", seed: int = 0
) -> Rate:
    counts = [count_errors(reference, hypothesis) for reference, hypothesis, _ in pairs]
    return rate_of(counts, [speaker for _, _, speaker in pairs], unit, seed)


def test_rate_sums_before_it_divides() -> None:
    rate = rate_of_pairs(WORDS, "words")
    assert rate.counts == ErrorCounts(correct=6, substitutions=1, deletions=1, insertions=1)
    assert rate.percent == pytest.approx(100 * 3 / 8)
    assert rate.percent == pytest.approx(100 * jiwer.wer([r for r, _, _ in SENTENCES], [h for _, h, _ in SENTENCES]))
    assert (rate.reference, rate.groups, rate.interval.grouped_by) == (8, 2, "speakers")


def test_characters_with_spaces_are_counted_as_jiwer_does() -> None:
    rate = rate_of_pairs([(list(r), list(h), s) for r, h, s in SENTENCES], "characters")
    assert rate.percent == pytest.approx(100 * jiwer.cer([r for r, _, _ in SENTENCES], [h for _, h, _ in SENTENCES]))
    assert rate.reference == sum(len(r) for r, _, _ in SENTENCES)


def test_sentence_errors_are_wrong_utterances() -> None:
    rate = rate_of_pairs([((r,), (h,), s) for r, h, s in SENTENCES], "utterances")
    assert rate.counts == ErrorCounts(correct=1, substitutions=3)
    assert rate.percent == 75.0


def test_an_empty_reference_is_not_left_out() -> None:
    assert rate_of_pairs([((), ("yes",), None), (("no",), ("no",), None)]).percent == 100.0


def test_a_rate_prints_its_interval_and_counts() -> None:
    rate = Rate(ErrorCounts(2672, 120, 60, 51), Interval(0.0723, 0.0904, 24, "speakers"), "labels")
    assert str(rate) == "8.1 % [7.2, 9.0] (231 errors / 2852 reference labels; 120 sub, 60 del, 51 ins)"


def test_a_rate_without_an_interval_says_so() -> None:
    rate = rate_of([ErrorCounts(correct=9, deletions=1)], unit="words")
    assert str(rate) == "10.0 % [no interval] (1 error / 10 reference words; 0 sub, 1 del, 0 ins)"
    assert rate.interval.note == "an interval needs 2 utterances, there are 1"


def test_result_json_holds_what_the_architecture_names() -> None:
    values = rate_of_pairs(WORDS, "words").to_dict()
    assert {"percent", "low", "high", "reference", "substitutions", "deletions", "insertions"} <= set(values)
    assert values["percent"] == 37.5
    read = Rate.from_dict(json.loads(json.dumps(values)))
    assert read.counts == rate_of_pairs(WORDS, "words").counts
    assert read.to_dict() == values


def test_no_reference_labels_is_no_number_in_json() -> None:
    values = rate_of([ErrorCounts(insertions=1), ErrorCounts(insertions=2)]).to_dict()
    assert (values["percent"], values["low"], values["high"], values["reference"]) == (None, None, None, 0)
    assert values["note"] == "the references are empty"
    json.dumps(values, allow_nan=False)


def test_the_seed_only_moves_the_interval() -> None:
    one, two = rate_of_pairs(WORDS * 5, seed=1), rate_of_pairs(WORDS * 5, seed=2)
    assert one.counts == two.counts
    assert one == rate_of_pairs(WORDS * 5, seed=1)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("wer", "words"),
        ("cer", "characters"),
        ("cer_folded", "characters"),
        ("per_39_no_sil", "labels"),
        ("ser", "utterances"),
    ],
)
def test_units_follow_from_names(name: str, unit: str) -> None:
    assert unit_of(name) == unit
