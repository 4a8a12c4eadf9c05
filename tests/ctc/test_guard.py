"""The guard, against trying all paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.ctc.guard import frames_needed, unfit
from tests.reference import ctc as reference


@given(st.lists(st.integers(1, 2), max_size=4))
def test_needs_as_many_frames_as_the_shortest_path(labels: list[int]) -> None:
    assert frames_needed(labels) == reference.shortest_path_length(labels, n_labels=3, longest=8)


def test_names_those_that_do_not_fit() -> None:
    repeated = [*range(1, 35), 1, 1, 1, 1, 1, 1]  # 40 labels, 5 repeats
    remedy = "lower stacking.stride or model.time_reduction"
    assert unfit(["fits", "FADG0_SI1279", "short"], [45, 44, 1], [repeated, repeated, [2, 3]]) == {
        1: f"'FADG0_SI1279': 44 frames cannot carry 40 labels with 5 repeats (needs 45); {remedy}",
        2: f"'short': 1 frame cannot carry 2 labels with 0 repeats (needs 2); {remedy}",
    }


def test_every_list_has_an_entry_for_every_utterance() -> None:
    with pytest.raises(ValueError, match="shorter"):
        unfit(["a", "b"], [3], [[1], [2]])
