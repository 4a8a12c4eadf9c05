"""From emissions to times: the rule by hand, and what it always gives."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.corpus.inventory import Inventory
from asr.corpus.phonemes import FOLDS
from asr.recogniser.alignment_timing import Emission, Timing, times_of, timing_of

RULE = Timing(share=0.5, lag=0.01, tail=0.05, offsets={"t": -0.02})


def test_the_gap_is_shared_and_each_label_has_its_offset() -> None:
    emissions = [Emission("a", 0.2, 0.22), Emission("t", 0.28, 0.3), Emission("a", 0.34, 0.36)]
    times = times_of(emissions, RULE, 0.0, 0.4)
    starts = [0.2 - 0.03 + 0.01, 0.28 - 0.03 + 0.01 - 0.02, 0.34 - 0.02 + 0.01]  # of the first gap, 0.06 s are shared
    assert [start for start, _ in times] == pytest.approx(starts)
    assert [end for _, end in times] == pytest.approx([*starts[1:], 0.4])


def test_a_label_before_a_pause_and_the_last_one_end_soon_after_their_emission() -> None:
    times = times_of([Emission("a", 0.2, 0.22), Emission("a", 1.2, 1.22)], RULE, 0.0, 2.0)
    assert times == [pytest.approx((0.18, 0.27)), pytest.approx((1.18, 1.27))]


@given(st.lists(st.integers(0, 30), min_size=2, max_size=12), st.floats(0, 1), st.floats(-0.1, 0.1), st.integers(0, 1))
def test_times_rise_and_never_overlap(steps: list[int], share: float, offset: float, late: int) -> None:
    places, at = [], 0
    for step in steps:
        at += step
        places.append((at * 0.02, (at + 1) * 0.02))
        at += 1
    emissions = [Emission("ab"[number % 2], *place) for number, place in enumerate(places)]
    times = times_of(emissions, Timing(share, 0.03 * late, 0.05, {"a": offset}), 0.0, at * 0.02)
    assert all(start < end for start, end in times)
    assert all(before[1] <= after[0] + 1e-9 for before, after in pairwise(times))
    assert times[0][0] >= 0


def test_shipped_numbers_are_those_of_an_inventory() -> None:
    for fold in ("timit61", "timit61_to_cmu39"):
        timing = timing_of(Inventory.from_utterances([], "labels", fold))
        assert 0 < timing.share < 0.5
        assert 0 < timing.tail < 0.1
        assert set(timing.offsets) <= {label for label in FOLDS[fold].values() if label is not None}
        assert all(abs(offset) < 0.1 for offset in timing.offsets.values())
    other = timing_of(Inventory(("<blank>", "A"), "characters"))
    assert not other.offsets
    assert 0 < other.share < 0.5
