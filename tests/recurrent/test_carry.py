"""A state that is carried from one piece of the utterances to the next: the same as reading them in one piece."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from asr.errors import ConfigError
from asr.recurrent import paths
from asr.recurrent.cells.cell import Cell
from asr.recurrent.cells.lstm import LstmCell
from asr.recurrent.compiled.kinds import can_continue
from asr.recurrent.layout import Layout
from asr.recurrent.stack import RecurrentStack
from tests.recurrent.cells.cases import CASES, Case, problem, randomise

B, T = 3, 5


def gradients(outputs: Tensor, rows: Tensor, cell: Cell) -> list[Tensor]:
    """Gradients of the rows and the weights, for a fixed gradient of the outputs."""
    torch.manual_seed(1)
    given = torch.randn(outputs.shape).to(outputs)
    return list(torch.autograd.grad(outputs, [rows, *cell.parameters()], given, allow_unused=True))


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_cell_goes_on_where_it_was(case: Case, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    cell = case.cell(dtype)
    (before, layout), (after, _) = problem([T] * B, dtype), problem([T] * B, dtype)
    start = cell.initial_state(cell.project(before[:B]).detach())
    first, state = paths.carry(cell, before, layout, start)
    second, last = paths.carry(cell, after, layout, state)
    whole, end = paths.stream(cell, torch.cat([before, after]), Layout(torch.full((B,), 2 * T), 2 * T, before.device))
    tolerance = {"rtol": 1e-4, "atol": 2e-5}
    torch.testing.assert_close(torch.cat([first, second]), whole, **tolerance)
    for one, expected in zip(last, end, strict=True):
        torch.testing.assert_close(one, expected.detach(), **tolerance)
        assert not one.requires_grad
    detached = tuple(one.detach() for one in state)
    expected_gradients = gradients(paths.stream(cell, after, layout, detached)[0], after, cell)
    for one, other in zip(gradients(second, after, cell), expected_gradients, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_the_kernels_take_the_cells_that_a_language_model_is_made_of() -> None:
    able = {str(case) for case in CASES if can_continue(case.cell())}
    assert {"lstm", "lstm_peephole", "odyssey-CIFG"} <= able
    assert not able & {"odyssey-FGR", "lstm_projected-3", "gru", "lstm_layernorm"}


@pytest.mark.parametrize("threads", [1, 2])
def test_no_bit_depends_on_threads_or_on_the_other_utterances(threads: int) -> None:
    cell = LstmCell(4, 8)
    randomise(cell)
    torch.manual_seed(2)
    rows, state = torch.randn(T, 16, 4), (torch.randn(16, 8), torch.randn(16, 8))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        together, _ = paths.carry(cell, rows.flatten(0, 1), layout_of(16), state)
        alone, _ = paths.carry(cell, rows[:, :2].flatten(0, 1), layout_of(2), tuple(one[:2] for one in state))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(together.view(T, 16, 8)[:, :2], alone.view(T, 2, 8))


def layout_of(size: int) -> Layout:
    return Layout(torch.full((size,), T), T, torch.device("cpu"))


def test_utterances_of_different_lengths_are_refused() -> None:
    rows, layout = problem([3, 2], torch.float32)
    with pytest.raises(ValueError, match=r"the same length .*, got \[3, 2\]"):
        paths.carry(LstmCell(4, 4), rows, layout, (torch.zeros(2, 4), torch.zeros(2, 4)))


@pytest.mark.parametrize("skips", [False, True])
def test_a_stack_in_pieces_equals_the_stack(skips: bool) -> None:
    torch.manual_seed(3)
    stack = RecurrentStack(4, 6, hidden=7, layers=3, direction="forward", skips=skips).eval()
    frames = torch.randn(B, 12, 4)
    whole, _ = stack(frames, torch.full((B,), 12))
    states, found = stack.initial_states(B), []
    for piece in frames.split([1, 4, 7], dim=1):
        log_probs, states = stack.carry(piece, states)
        found.append(log_probs)
    torch.testing.assert_close(torch.cat(found, dim=1), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("options", [{"direction": "both"}, {"direction": "forward", "time_reduction": 2}])
def test_a_stack_that_looks_ahead_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="direction=forward and time_reduction=1"):
        RecurrentStack(4, 6, hidden=4, layers=1, **options).initial_states(1)  # type: ignore[arg-type]
