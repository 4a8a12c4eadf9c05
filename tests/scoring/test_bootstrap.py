from __future__ import annotations

import random

import numpy as np
import pytest

from asr.scoring.bootstrap import _student_quantile, interval
from asr.scoring.edits import ErrorCounts


def counted(errors: int, reference: int) -> ErrorCounts:
    return ErrorCounts(correct=reference - errors, substitutions=errors)


def coverage(n_speakers: int, utterances: int, by_speaker: bool, trials: int = 300) -> float:
    """How often the interval holds the true rate when speakers differ: each has a rate of its own, 10 % on average."""
    generator = np.random.default_rng(7)
    speakers = [f"s{k}" for k in range(n_speakers) for _ in range(utterances)] if by_speaker else None
    held = 0
    for _ in range(trials):
        rates = np.repeat(generator.beta(6, 54, n_speakers), utterances)
        lengths = generator.integers(20, 60, n_speakers * utterances)
        counts = [counted(int(e), int(n)) for e, n in zip(generator.binomial(lengths, rates), lengths, strict=True)]
        found = interval(counts, speakers, seed=1)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.1 <= found.high
    return held / trials


def test_interval_over_speakers_holds_the_true_rate_in_95_of_100() -> None:
    assert 0.93 <= coverage(n_speakers=40, utterances=5, by_speaker=True) <= 0.97


def test_ten_speakers_are_enough() -> None:
    assert 0.92 <= coverage(n_speakers=10, utterances=8, by_speaker=True) <= 0.97


def test_interval_over_utterances_would_be_too_short() -> None:
    assert coverage(n_speakers=20, utterances=20, by_speaker=False, trials=60) < 0.85  # the reason for drawing speakers


def test_no_speakers_at_all_draws_utterances() -> None:
    counts = [counted(k % 4, 10) for k in range(50)]
    assert interval(counts) == interval(counts, [None] * 50)
    assert interval(counts).grouped_by == "utterances"
    assert interval(counts).groups == 50
    assert interval(counts).note == ""


def test_an_utterance_without_a_speaker_is_one_of_its_own() -> None:
    counts = [counted(k, 10) for k in range(4)]
    found = interval(counts, ["a", "a", None, None])
    assert (found.groups, found.grouped_by) == (3, "speakers")


def test_one_speaker_falls_back_to_utterances_and_says_so() -> None:
    counts = [counted(k % 4, 10) for k in range(50)]
    found = interval(counts, ["me"] * 50)
    assert (found.low, found.high) == (interval(counts).low, interval(counts).high)
    assert found.grouped_by == "utterances"
    assert "one of the speakers only" in found.note


@pytest.mark.parametrize("n", [0, 1])
def test_no_interval_from_fewer_than_two_utterances(n: int) -> None:
    found = interval([counted(1, 10)] * n, ["a"] * n)
    assert (found.low, found.high) == (None, None)
    assert found.note == f"an interval needs 2 utterances, there are {n}"


def test_no_interval_without_reference_labels() -> None:
    found = interval([ErrorCounts(insertions=2)] * 5)
    assert (found.low, found.high, found.note) == (None, None, "the references are empty")


def test_empty_references_among_others_count_their_insertions() -> None:
    found = interval([ErrorCounts(insertions=3), ErrorCounts(correct=10)])
    assert found.low == 0.0
    assert found.high == pytest.approx(0.3)  # one of each; twice the empty one has no rate and is left out


def test_equal_utterances_leave_no_doubt() -> None:
    found = interval([counted(1, 10)] * 20)
    assert (found.low, found.high) == (0.1, 0.1)


def test_interval_holds_the_rate_and_neither_order_nor_process_changes_it() -> None:
    counts = [counted(k % 5, 8 + k % 7) for k in range(60)]
    speakers = [f"s{k % 9}" for k in range(60)]
    order = list(range(60))
    random.Random(3).shuffle(order)
    found = interval(counts, speakers)
    assert found == interval([counts[k] for k in order], [speakers[k] for k in order])
    assert interval(counts) == interval([counts[k] for k in order])
    assert found.low is not None
    assert found.high is not None
    assert found.low < sum(counts, ErrorCounts()).rate < found.high


def test_a_lower_level_gives_a_shorter_interval() -> None:
    counts = [counted(k % 5, 10) for k in range(60)]
    wide, narrow = interval(counts), interval(counts, level=0.5)
    assert wide.low is not None
    assert wide.high is not None
    assert narrow.low is not None
    assert narrow.high is not None
    assert wide.low < narrow.low < narrow.high < wide.high


def test_more_utterances_than_speakers_are_refused() -> None:
    with pytest.raises(ValueError, match="2 utterances but 1 speakers"):
        interval([counted(1, 10)] * 2, ["a"])


# two-sided 95 % points of Student's t as printed in statistical tables
@pytest.mark.parametrize(("degrees", "table"), [(4, 2.776), (9, 2.262), (23, 2.069), (120, 1.980)])
def test_student_quantiles_equal_the_tables(degrees: int, table: float) -> None:
    assert _student_quantile(1.959964, degrees) == pytest.approx(table, rel=3e-3)
