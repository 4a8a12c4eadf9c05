"""Batches of items with similar lengths within a budget of frames, and their tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asr.features.grouping import group_by_length, padded
from asr.seeds import generator

_LENGTH_JITTER = 0.1  # relative; batches differ in each epoch, and padding stays small


@dataclass(frozen=True)
class Batch:
    """Utterances padded on the right to a common length.

    Attributes:
        frames: (B, T, F) float32, zeros beyond each length.
        lengths: (B,) int64 frames.
        labels: (B, U) int64, blanks beyond each label length.
        label_lengths: (B,) int64.
        utt_ids: the utterances' ids.
    """

    frames: Tensor
    lengths: Tensor
    labels: Tensor
    label_lengths: Tensor
    utt_ids: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The utterances' ids."""
        return self.utt_ids

    @property
    def size(self) -> int:
        """The number of frames without padding."""
        return int(self.lengths.sum())

    def to(self, device: str) -> Batch:
        """Return the same batch with frames and labels on a device; lengths stay on the CPU."""
        if device == "cpu":
            return self
        return Batch(self.frames.to(device), self.lengths, self.labels.to(device), self.label_lengths, self.utt_ids)


def collate(
    frames: Sequence[NDArray[np.float32]], labels: Sequence[Sequence[int]], utt_ids: Sequence[str], blank: int
) -> Batch:
    """Pad utterances to one batch of tensors.

    Args:
        frames: for each utterance (T_b, F) float32.
        labels: for each utterance its label indices.
        utt_ids: the utterances' ids.
        blank: the label that pads label sequences.
    """
    batch, lengths, filled, label_lengths = map(torch.from_numpy, (*padded(frames), *_padded_labels(labels, blank)))
    return Batch(batch, lengths, filled, label_lengths, tuple(utt_ids))


def _padded_labels(labels: Sequence[Sequence[int]], blank: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return labels padded with blanks, (B, U), and their lengths, (B,)."""
    lengths = np.array([len(one) for one in labels], dtype=np.int64)
    filled = np.full((len(labels), int(lengths.max())), blank, dtype=np.int64)
    for row, one in zip(filled, labels, strict=True):
        row[: len(one)] = one
    return filled, lengths


def epoch_batches(
    sizes: Sequence[int], frame_budget: int, max_utterances: int, seed: int, epoch: int
) -> list[list[int]]:
    """Return the batches of one epoch, as lists of indices into `sizes`.

    Items are grouped by slightly randomised sizes, and the batches are in random order. The result depends only on the
    arguments, so a resumed run gets the same batches.

    Args:
        sizes: the size of each item, in frames or another unit.
        frame_budget: the largest size of a batch, with padding.
        max_utterances: the largest number of items in a batch.
        seed: the seed of the run.
        epoch: the number of the epoch, from 0.

    >>> sorted(sum(epoch_batches([5, 90, 7, 80], 200, 8, seed=1, epoch=0), []))
    [0, 1, 2, 3]
    """
    rng = generator(seed, "batches", epoch)
    jittered = np.asarray(sizes) * rng.uniform(1 - _LENGTH_JITTER, 1 + _LENGTH_JITTER, len(sizes))
    batches = group_by_length(jittered.tolist(), frame_budget, max_utterances)
    return [batches[i] for i in rng.permutation(len(batches))]
