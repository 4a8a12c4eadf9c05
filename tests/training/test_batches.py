"""Batches: every utterance once an epoch, within the budget, a function of (seed, epoch) alone."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from asr.training.batches import collate, epoch_batches

SIZES = st.lists(st.integers(1, 500), max_size=60)


@given(SIZES, st.integers(1, 3000), st.integers(1, 16), st.integers(0, 5))
def test_an_epoch_holds_every_utterance_once(sizes: list[int], budget: int, most: int, epoch: int) -> None:
    batches = epoch_batches(sizes, budget, most, seed=1, epoch=epoch)
    assert sorted(index for batch in batches for index in batch) == list(range(len(sizes)))
    assert all(1 <= len(batch) <= most for batch in batches)


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
    frames = [np.ones((2, 3), dtype=np.float32), np.full((4, 3), 2.0, dtype=np.float32)]
    batch = collate(frames, [[5], [6, 7]], ["a", "b"], blank=9)
    assert batch.frames.dtype == torch.float32
    assert batch.frames.tolist() == [[[1.0] * 3] * 2 + [[0.0] * 3] * 2, [[2.0] * 3] * 4]
    assert batch.lengths.tolist() == [2, 4]
    assert batch.labels.tolist() == [[5, 9], [6, 7]]
    assert batch.label_lengths.tolist() == [1, 2]
    assert {one.dtype for one in (batch.lengths, batch.labels, batch.label_lengths)} == {torch.int64}
    assert batch.utt_ids == ("a", "b")
    assert batch.size == 6


def test_collate_takes_views_that_cannot_be_written_and_labels_that_are_empty() -> None:
    """As frames of a cache and utterances without a transcript are."""
    frames = np.arange(6, dtype=np.float32).reshape(3, 2)
    frames.setflags(write=False)
    batch = collate([frames[::2], frames], [[], []], ["a", "b"], blank=0)
    assert batch.frames[0].tolist() == [[0, 1], [4, 5], [0, 0]]
    assert batch.labels.shape == (2, 0)
    batch.frames.add_(1.0)
    assert frames[0, 0] == 0
