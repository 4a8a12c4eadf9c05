"""Rows without padding and back, joined frames, and the schedules of the time loops."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from asr.recurrent.layout import Layout

batches = st.lists(st.integers(1, 9), min_size=1, max_size=20)
more = st.integers(0, 2)  # frames of padding behind the longest utterance


def numbered(lengths: list[int], n_frames: int) -> Tensor:
    """(B, T, 1) with b + t / 100 on the frames and NaN on the padding."""
    frames = torch.full((len(lengths), n_frames, 1), math.nan)
    for b, length in enumerate(lengths):
        frames[b, :length, 0] = b + torch.arange(length) / 100
    return frames


def layout(lengths: list[int], n_frames: int) -> Layout:
    return Layout(torch.tensor(lengths), n_frames, torch.device("cpu"))


@given(batches, more)
def test_packing_drops_the_padding_alone(lengths: list[int], more: int) -> None:
    n_frames = max(lengths) + more
    frames = numbered(lengths, n_frames)
    rows = layout(lengths, n_frames).pack(frames)
    assert rows.shape == (sum(lengths), 1)
    assert torch.equal(layout(lengths, n_frames).unpack(rows), frames.nan_to_num(0.0))


@given(batches, st.booleans())
def test_steps_hold_each_utterance_from_its_first_step_on(lengths: list[int], backward: bool) -> None:
    order = layout(lengths, 9)
    rows = order.pack(numbered(lengths, 9))
    steps = order.to_steps(rows, backward)
    expected = sorted(range(len(lengths)), key=lambda b: -lengths[b])
    for column, b in enumerate(expected):
        values = [b + t / 100 for t in range(lengths[b])]
        values = values[::-1] if backward else values
        assert steps[:, column, 0].tolist() == pytest.approx(values + [0.0] * (max(lengths) - lengths[b]))
    assert torch.equal(order.from_steps(steps, backward), rows)


@given(batches)
def test_reversing_turns_each_utterance_round_within_its_length(lengths: list[int]) -> None:
    order = layout(lengths, 9)
    rows = order.pack(numbered(lengths, 9))
    frames = order.unpack(order.reverse(rows))[..., 0]
    for b, length in enumerate(lengths):
        assert frames[b, :length].tolist() == pytest.approx([b + t / 100 for t in reversed(range(length))])
    assert torch.equal(order.reverse(order.reverse(rows)), rows)


@given(batches)
def test_sorted_entries_are_longest_first_and_come_back(lengths: list[int]) -> None:
    order = layout(lengths, 9)
    names = torch.arange(len(lengths))
    assert [lengths[b] for b in order.sort(names)] == sorted(lengths, reverse=True)
    assert torch.equal(order.unsort(order.sort(names)), names)
    first_rows = order.pack(numbered(lengths, 9))[: len(lengths), 0]  # all utterances have a first frame
    assert torch.equal(first_rows, order.sort(names).float())
    assert order.step_sizes == [sum(length > t for length in lengths) for t in range(max(lengths))]


@given(batches, st.integers(1, 4), more)
@example(lengths=[1, 2], factor=2, more=0)  # of one length afterwards, but not in the order of the batch
def test_joined_frames_stand_side_by_side(lengths: list[int], factor: int, more: int) -> None:
    n_frames = max(lengths) + more
    order = layout(lengths, n_frames)
    rows, joined = order.join(order.pack(numbered(lengths, n_frames) + 1), factor)
    assert joined.lengths.tolist() == [-(-length // factor) for length in lengths]
    result = joined.unpack(rows)
    assert result.shape == (len(lengths), -(-n_frames // factor), factor)
    for b, length in enumerate(lengths):
        flat = result[b].flatten()
        assert flat[:length].tolist() == pytest.approx([1 + b + t / 100 for t in range(length)])
        assert not flat[length:].any()


@settings(deadline=None)
@given(batches, st.sampled_from([1, 2, 4, 6, 16]))
def test_schedules_reach_every_row_after_the_one_it_continues(lengths: list[int], threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        order = layout(lengths, 9)
        schedules = order.schedules
    finally:
        torch.set_num_threads(before)
    names = order.pack(numbered(lengths, 9))[:, 0].mul(100).round().int().tolist()  # 100 * utterance + frame
    for parts, direction in zip(schedules, (1, -1), strict=True):
        continued = {}
        for part in parts:
            for here, size, last, carried in part.tolist():
                for r in range(size):
                    continued[names[here + r]] = names[last + r] if r < carried else None
        expected = {}
        for b, length in enumerate(lengths):
            for t in range(length):
                exists = 0 <= t - direction < length
                expected[100 * b + t] = 100 * b + t - direction if exists else None
        assert continued == expected


def test_gradients_reach_frames_and_skip_padding() -> None:
    frames = numbered([2, 3], 4).requires_grad_()
    order = layout([2, 3], 4)
    (order.unpack(order.pack(frames)) * torch.arange(8.0).view(2, 4, 1)).sum().backward()
    assert frames.grad is not None
    assert frames.grad[..., 0].tolist() == [[0, 1, 0, 0], [4, 5, 6, 0]]
