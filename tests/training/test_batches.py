"""Batches: every utterance once an epoch, within the budget, a function of (seed, epoch) alone."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from asr.training.batches import collate, epoch_batches, group_by_length

SIZES = st.lists(st.integers(1, 500), max_size=60)


@given(SIZES, st.integers(1, 3000), st.integers(1, 16), st.integers(0, 5))
def test_an_epoch_holds_every_utterance_once(sizes: list[int], budget: int, most: int, epoch: int) -> None:
    batches = epoch_batches(sizes, budget, most, seed=1, epoch=epoch)
    assert sorted(index for batch in batches for index in batch) == list(range(len(sizes)))
    assert all(1 <= len(batch) <= most for batch in batches)


@given(SIZES, st.integers(1, 3000), st.integers(1, 16))
def test_groups_keep_the_budget_unless_one_utterance_exceeds_it(sizes: list[int], budget: int, most: int) -> None:
    for batch in group_by_length(sizes, budget, most):
        padded = len(batch) * max(sizes[i] for i in batch)
        assert padded <= budget or len(batch) == 1


def test_batches_depend_on_seed_and_epoch_only() -> None:
    sizes = list(range(1, 80))
    first = epoch_batches(sizes, 300, 8, seed=1, epoch=2)
    torch.manual_seed(99)
    assert epoch_batches(sizes, 300, 8, seed=1, epoch=2) == first
    assert epoch_batches(sizes, 300, 8, seed=1, epoch=3) != first
    assert epoch_batches(sizes, 300, 8, seed=2, epoch=2) != first


def test_lengths_within_a_batch_are_similar() -> None:
    sizes = [10] * 20 + [1000] * 20
    for batch in epoch_batches(sizes, 4000, 8, seed=1, epoch=0):
        assert len({sizes[i] for i in batch}) == 1


def test_collate_pads_frames_with_zeros_and_labels_with_blanks() -> None:
    batch = collate([torch.ones(2, 3), torch.ones(4, 3)], [[5], [6, 7]], ["a", "b"], blank=0)
    assert batch.frames.shape == (2, 4, 3)
    assert batch.frames[0, 2:].abs().sum() == 0
    assert batch.lengths.tolist() == [2, 4]
    assert batch.labels.tolist() == [[5, 0], [6, 7]]
    assert batch.label_lengths.tolist() == [1, 2]
    assert batch.size == 6
