"""The latency-controlled stack against the stack itself, and against what bounds its context."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from asr.errors import ConfigError
from asr.recurrent.chunked import ChunkedStack
from asr.recurrent.stack import RecurrentStack
from tests.recurrent.cells.cases import CASES, HIDDEN, N_INPUTS, Case, randomise

EVERY_CELL = pytest.mark.parametrize("case", CASES, ids=str)


def stack(**options: object) -> RecurrentStack:
    torch.manual_seed(0)
    chosen = {"hidden": HIDDEN, "layers": 3, **options}
    model = RecurrentStack(N_INPUTS, n_labels=5, **chosen).double().eval()  # type: ignore[arg-type]
    randomise(model, 0.4)
    return model


def whole(model: RecurrentStack, frames: Tensor) -> Tensor:
    with torch.no_grad():
        return model(frames[None], torch.tensor([len(frames)]))[0][0]  # type: ignore[no-any-return]


def in_pieces(chunked: ChunkedStack, frames: Tensor, sizes: list[int]) -> Tensor:
    """As a microphone gives them; what does not fit into the sizes comes last."""
    with torch.no_grad():
        pieces = torch.split(frames, [*sizes, len(frames) - sum(sizes)])
        return torch.cat([*(chunked.push(piece) for piece in pieces), chunked.end()])


@EVERY_CELL
def test_equals_the_stack_where_the_context_reaches_the_end(case: Case) -> None:
    model = stack(cell=case.node(), skips=True, time_reduction=2)
    frames = torch.randn(11, N_INPUTS, dtype=torch.float64)
    chunked = ChunkedStack(model, chunk=4, right=8)
    torch.testing.assert_close(in_pieces(chunked, frames, [3, 5]), whole(model, frames), rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(
    n_frames=st.integers(1, 20),
    chunk=st.integers(1, 6),
    right=st.integers(0, 6),
    reduction=st.sampled_from([1, 2, 3]),
    cuts=st.lists(st.integers(0, 20), max_size=4),
)
def test_pieces_change_nothing(n_frames: int, chunk: int, right: int, reduction: int, cuts: list[int]) -> None:
    """And an utterance leaves nothing behind for the next."""
    model = stack(time_reduction=reduction)
    frames = torch.randn(n_frames, N_INPUTS, dtype=torch.float64)
    edges = sorted(min(cut, n_frames) for cut in cuts)
    sizes = [end - start for start, end in zip([0, *edges], edges, strict=False)]
    chunked = ChunkedStack(model, chunk * reduction, right * reduction)
    at_once = in_pieces(chunked, frames, [])
    assert len(at_once) == model.out_length(n_frames)
    torch.testing.assert_close(in_pieces(chunked, frames, sizes), at_once, rtol=0, atol=0)


def test_what_a_chunk_sees() -> None:
    """All before it, its context behind it, and nothing later."""
    model, n_frames, chunk, right = stack(), 12, 3, 2
    frames = torch.randn(n_frames, N_INPUTS, dtype=torch.float64, requires_grad=True)
    chunked = ChunkedStack(model, chunk, right)
    outputs = torch.cat([chunked.push(frames), chunked.end()])
    for first in range(0, n_frames, chunk):
        (gradient,) = torch.autograd.grad(outputs[first, 0], frames, retain_graph=True)
        seen = gradient.abs().sum(1) > 0
        assert seen[: first + chunk + right].all()
        assert not seen[first + chunk + right :].any()


def test_answers_come_when_the_context_is_there() -> None:
    chunked = ChunkedStack(stack(), chunk=4, right=2)
    frames = torch.randn(11, N_INPUTS, dtype=torch.float64)
    assert [len(chunked.push(frame[None])) for frame in frames] == [0, 0, 0, 0, 0, 4, 0, 0, 0, 4, 0]
    assert len(chunked.end()) == 3
    assert len(chunked.end()) == 0


def test_one_direction_needs_no_context() -> None:
    model = stack(direction="forward")
    frames = torch.randn(7, N_INPUTS, dtype=torch.float64)
    outputs = in_pieces(ChunkedStack(model, chunk=1, right=0), frames, [])
    torch.testing.assert_close(outputs, whole(model, frames), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("chunk", "right"), [(0, 2), (2, -2), (3, 2), (2, 1)])
def test_refuses_what_does_not_divide(chunk: int, right: int) -> None:
    with pytest.raises(ConfigError, match="multiples of model.time_reduction=2"):
        ChunkedStack(stack(time_reduction=2), chunk, right)
