"""Batches of items with similar lengths, within a budget of frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from asr.seeds import generator

_LENGTH_JITTER = 0.1  # relative; an item meets others of similar length in each epoch, and padding stays small


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
        """Frames without the padding."""
        return int(self.lengths.sum())

    def to(self, device: str) -> Batch:
        """Return the same batch with frames and labels on a device; lengths stay on the CPU."""
        if device == "cpu":
            return self
        return Batch(self.frames.to(device), self.lengths, self.labels.to(device), self.label_lengths, self.utt_ids)


def collate(frames: Sequence[Tensor], labels: Sequence[Sequence[int]], utt_ids: Sequence[str], blank: int) -> Batch:
    """Pad utterances to one batch.

    Args:
        frames: for each utterance (T_b, F) float32.
        labels: for each utterance its label indices.
        utt_ids: the utterances' ids.
        blank: the label that pads label sequences.
    """
    return Batch(
        frames=torch.nn.utils.rnn.pad_sequence(list(frames), batch_first=True),
        lengths=torch.tensor([len(one) for one in frames], dtype=torch.int64),
        labels=torch.nn.utils.rnn.pad_sequence(
            [torch.tensor(one, dtype=torch.int64) for one in labels], batch_first=True, padding_value=blank
        ),
        label_lengths=torch.tensor([len(one) for one in labels], dtype=torch.int64),
        utt_ids=tuple(utt_ids),
    )


def group_by_length(sizes: Sequence[float], frame_budget: int, max_utterances: int) -> list[list[int]]:
    """Group items by size.

    Args:
        sizes: the size of each item, such as its frames.
        frame_budget: the largest size of a batch, padding included; a single item may exceed it.
        max_utterances: the largest number of items in a batch.

    Returns:
        For each batch the indices of its items; each index appears once, the smallest items come first.
    """
    batches: list[list[int]] = []
    current: list[int] = []
    for index in np.argsort(np.asarray(sizes), kind="stable").tolist():
        padded = sizes[index] * (len(current) + 1)  # the newest is the longest
        if current and (padded > frame_budget or len(current) == max_utterances):
            batches.append(current)
            current = []
        current.append(index)
    return [*batches, current] if current else batches


def epoch_batches(
    sizes: Sequence[int], frame_budget: int, max_utterances: int, seed: int, epoch: int
) -> list[list[int]]:
    """Draw the batches of one epoch: as `group_by_length`, with slightly random sizes and in random order.

    The result depends on the arguments alone, so a resumed run gets the same batches.
    """
    rng = generator(seed, "batches", epoch)
    jittered = np.asarray(sizes) * rng.uniform(1 - _LENGTH_JITTER, 1 + _LENGTH_JITTER, len(sizes))
    batches = group_by_length(jittered.tolist(), frame_budget, max_utterances)
    return [batches[i] for i in rng.permutation(len(batches))]
