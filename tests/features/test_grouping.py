"""Groups of similar sizes: every item once, within the budget."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asr.features.grouping import group_by_length, padded

SIZES = st.lists(st.integers(1, 500), max_size=60)


@given(SIZES, st.integers(1, 3000), st.integers(1, 16))
def test_groups_hold_every_item_once_from_short_to_long(sizes: list[int], budget: int, most: int) -> None:
    order = [index for batch in group_by_length(sizes, budget, most) for index in batch]
    assert sorted(order) == list(range(len(sizes)))
    assert [sizes[index] for index in order] == sorted(sizes)


@given(SIZES, st.integers(1, 3000), st.integers(1, 16))
def test_groups_keep_the_budget_unless_one_utterance_exceeds_it(sizes: list[int], budget: int, most: int) -> None:
    for batch in group_by_length(sizes, budget, most):
        padded = len(batch) * max(sizes[i] for i in batch)
        assert 1 <= len(batch) <= most
        assert padded <= budget or len(batch) == 1


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 4))
def test_padding_is_zero_behind_each_utterance(sizes: list[int], dim: int) -> None:
    frames = [np.full((size, dim), number, dtype=np.float32) for number, size in enumerate(sizes, start=1)]
    batch, lengths = padded(frames)
    assert (batch.shape, batch.dtype, lengths.dtype) == ((len(sizes), max(sizes), dim), np.float32, np.int64)
    assert lengths.tolist() == sizes
    for row, one in zip(batch, frames, strict=True):
        assert np.array_equal(row[: len(one)], one)
        assert not row[len(one) :].any()
