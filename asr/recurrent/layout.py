"""The order of the frames of a batch without padding, computed once per batch and used by every layer.

Inside the network, the frames of a batch are *rows* without padding, (N, F), with N the sum of the lengths. Rows are
sorted by time, and within one time step by utterance, longest first. Thus the rows of a step are adjacent, utterances
that have ended cost nothing, and no result can depend on padding.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

_LEAST_UTTERANCES_A_THREAD = 4  # with fewer, reading the recurrent weights takes longer than the multiplications


class Layout:
    """The order of the rows of one batch.

    Args:
        lengths: (B,) int64 on the CPU, each within 1..n_frames.
        n_frames: T, the number of frames of the padded batch.
        device: the device of the frames.
        order: (B,) indices of the utterances, longest first; None to compute it.

    >>> layout = Layout(torch.tensor([1, 3]), n_frames=3, device=torch.device("cpu"))
    >>> layout.pack(torch.tensor([[[1.0], [9.0], [9.0]], [[2.0], [3.0], [4.0]]])).flatten().tolist()
    [2.0, 1.0, 3.0, 4.0]
    """

    def __init__(self, lengths: Tensor, n_frames: int, device: torch.device, order: Tensor | None = None) -> None:
        self.lengths = lengths
        self.n_frames = n_frames
        self.device = device
        self.batch_size = len(lengths)
        self.n_rows = int(lengths.sum())
        self.n_steps = int(lengths.max())
        self.is_full = self.n_rows == self.n_steps * self.batch_size  # all utterances have the same length
        self._is_sorted = self.is_full and order is None
        self._order = torch.argsort(lengths, descending=True, stable=True) if order is None else order

    def pack(self, frames: Tensor) -> Tensor:
        """Turn frames (B, T, F) into rows (N, F). The padding is not read, and its gradient is 0."""
        if self._is_sorted:
            return frames[:, : self.n_steps].transpose(0, 1).flatten(0, 1)
        time, rank = self._row_indices
        places = self._order[rank] * self.n_frames + time
        return _take(frames.flatten(0, 1), places.to(self.device))

    def unpack(self, rows: Tensor) -> Tensor:
        """Turn rows (N, F) into (B, T, F), exactly 0 on the padding; time comes first in memory."""
        if self._is_sorted and self.n_steps == self.n_frames:
            return rows.view(self.n_frames, self.batch_size, -1).transpose(0, 1)
        time, rank = self._row_indices
        places = time * self.batch_size + self._order[rank]
        flat = _put(rows, places.to(self.device), self.n_frames * self.batch_size)
        return flat.view(self.n_frames, self.batch_size, -1).transpose(0, 1)

    def to_steps(self, rows: Tensor, backward: bool) -> Tensor:
        """Turn rows (N, F) into dense steps (S, B, F), longest utterance first, exactly 0 on the padding.

        Args:
            rows: (N, F).
            backward: reverse each utterance within its own length; its padding still comes last.
        """
        if not (self.is_full and not backward):
            rows = _put(rows, self._step_places[backward], self.n_steps * self.batch_size)
        return rows.view(self.n_steps, self.batch_size, -1)

    def from_steps(self, steps: Tensor, backward: bool) -> Tensor:
        """Turn steps (S, B, F), as `to_steps` returns them, into rows (N, F); the padding is not read."""
        rows = steps.flatten(0, 1)
        return rows if self.is_full and not backward else _take(rows, self._step_places[backward])

    def reverse(self, rows: Tensor) -> Tensor:
        """Reverse each utterance of rows (N, F) within its own length; doing it twice restores the rows."""
        return _take(rows, self._mirrored_rows)

    def sort(self, values: Tensor) -> Tensor:
        """Reorder values (B, ...), one entry per utterance, from the order of the batch to longest first."""
        return values if self._is_sorted else values.index_select(0, self._order.to(values.device))

    def unsort(self, values: Tensor) -> Tensor:
        """Reorder values (B, ...), one entry per utterance, from longest first to the order of the batch."""
        return values if self._is_sorted else values.index_select(0, self._order.argsort().to(values.device))

    @cached_property
    def step_sizes(self) -> list[int]:
        """The number of utterances at each step, which is its number of rows."""
        return self._step_sizes.tolist()

    def join(self, rows: Tensor, factor: int) -> tuple[Tensor, Layout]:
        """Concatenate every `factor` frames of an utterance to one frame; fill an incomplete last frame with zeros.

        Args:
            rows: (N, F).
            factor: 1 or more.

        Returns:
            Rows (N', factor * F) and their layout, with lengths ceil(length / factor).
        """
        lengths, n_frames = reduced_length(self.lengths, factor), reduced_length(self.n_frames, factor)
        joined = Layout(lengths, n_frames, self.device, self._order)
        time, rank = self._row_indices
        row = joined._step_starts[time // factor] + rank
        flat = _put(rows, (row * factor + time % factor).to(self.device), joined.n_rows * factor)
        return flat.view(joined.n_rows, -1), joined

    @cached_property
    def schedules(self) -> tuple[list[Tensor], list[Tensor]]:
        """The steps of the forward and of the backward direction, for time loops that work on rows.

        Each direction has one schedule for each of its threads, which share the utterances. A schedule is (steps, 4)
        int64, in reading order. Its columns are: the first row of a step, the number of rows, the first row of the step
        read before, and the number of rows that continue an utterance of that step.
        """
        threads = torch.get_num_threads() // 2  # two directions
        n_parts = max(1, min(threads, self.batch_size // _LEAST_UTTERANCES_A_THREAD))
        edges = [self.batch_size * part // n_parts for part in range(n_parts + 1)]
        parts = list(pairwise(edges))
        return [self._schedule(*part, False) for part in parts], [self._schedule(*part, True) for part in parts]

    def _schedule(self, first: int, end: int, backward: bool) -> Tensor:
        """Return the schedule of the utterances `first` to `end` - 1, counted from the longest."""
        starts = self._step_starts.numpy() + first  # numpy takes a third of torch's time for few numbers
        sizes = np.maximum(np.minimum(self._step_sizes.numpy(), end) - first, 0)
        if backward:
            starts, sizes = starts[::-1], sizes[::-1]
        steps = np.zeros((len(sizes), 4), dtype=np.int64)
        steps[:, 0], steps[:, 1] = starts, sizes
        steps[:, 2], steps[1:, 2] = starts[0], starts[:-1]
        steps[1:, 3] = np.minimum(sizes[1:], sizes[:-1])
        return torch.from_numpy(steps[sizes > 0])

    @cached_property
    def _sorted_lengths(self) -> Tensor:
        return self.lengths[self._order]

    @cached_property
    def _running(self) -> Tensor:
        """(S, B) bool: whether an utterance has a frame at a step."""
        return torch.arange(self.n_steps)[:, None] < self._sorted_lengths

    @cached_property
    def _step_sizes(self) -> Tensor:
        return self._running.sum(1)

    @cached_property
    def _step_starts(self) -> Tensor:
        return self._step_sizes.cumsum(0) - self._step_sizes

    @cached_property
    def _row_indices(self) -> tuple[Tensor, Tensor]:
        """The time of each row, (N,), and the place of its utterance in the order, (N,)."""
        time, rank = self._running.nonzero(as_tuple=True)
        return time, rank

    @cached_property
    def _mirrored_rows(self) -> Tensor:
        """(N,): for each row, the row that takes its place if its utterance is reversed."""
        time, rank = self._row_indices
        return (self._step_starts[self._sorted_lengths[rank] - 1 - time] + rank).to(self.device)

    @cached_property
    def _step_places(self) -> tuple[Tensor, Tensor]:
        """The index of each row among the (S * B) entries of `to_steps`, forward and backward."""
        time, rank = self._row_indices
        mirrored = self._sorted_lengths[rank] - 1 - time
        forward, backward = ((at * self.batch_size + rank).to(self.device) for at in (time, mirrored))
        return forward, backward


def reduced_length(length: Any, factor: int) -> Any:
    """Return ceil(length / factor), for an int or an integer tensor.

    >>> reduced_length(7, 2)
    4
    """
    return (length + factor - 1) // factor


def _take(rows: Tensor, places: Tensor) -> Tensor:
    """Return rows[places]; every place occurs at most once."""
    taken: Tensor = _Take.apply(rows, places)  # type: ignore[no-untyped-call]
    return taken


def _put(rows: Tensor, places: Tensor, n_rows: int) -> Tensor:
    """Return (n_rows, F) with row i of `rows` at places[i] and 0 elsewhere; every place occurs at most once."""
    put: Tensor = _Put.apply(rows, places, n_rows)  # type: ignore[no-untyped-call]
    return put


class _Take(torch.autograd.Function):
    """Row selection with a reproducible gradient: no row is taken twice, so the gradient is a copy and not a sum."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        ctx.n_rows = len(rows)
        return rows.index_select(0, places)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (places,) = ctx.saved_tensors
        return _put(gradient, places, ctx.n_rows), None


class _Put(torch.autograd.Function):
    """The inverse of `_Take`."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, places: Tensor, n_rows: int) -> Tensor:
        ctx.save_for_backward(places)
        return rows.new_zeros(n_rows, rows.shape[1]).index_copy_(0, places, rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (places,) = ctx.saved_tensors
        return _take(gradient, places), None, None
