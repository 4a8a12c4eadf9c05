"""Every way to run a layer, against the equations and against each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from asr.recurrent import compiled, paths
from asr.recurrent.cells.cell import Cell, State
from asr.recurrent.cells.lstm import LstmCell
from asr.recurrent.layer import RecurrentLayer
from asr.recurrent.layout import Layout
from tests.reference import lstm as reference

needs_kernels = pytest.mark.skipif(not compiled.available(), reason="no kernels on this machine")
EVERY_PATH = [pytest.param(paths.kernels, marks=needs_kernels, id="kernels"), paths.vendor, paths.loop]


def problem(
    lengths: list[int], n_inputs: int, hidden: int, dtype: torch.dtype = torch.float32
) -> tuple[list[Cell], Tensor, Layout]:
    """Two cells with weights as large as they can be before steps amplify rounding, and the rows of a batch."""
    torch.manual_seed(0)
    cells: list[Cell] = [LstmCell(n_inputs, hidden).to(dtype) for _ in range(2)]
    for cell in cells:
        for parameter in cell.parameters():
            torch.nn.init.normal_(parameter, std=1.5 * hidden**-0.5)
    layout = Layout(torch.tensor(lengths), max(lengths), torch.device("cpu"))
    return cells, torch.randn(sum(lengths), n_inputs, dtype=dtype, requires_grad=True), layout


def gradients(run: paths.Run, cells: list[Cell], rows: Tensor, layout: Layout) -> list[Tensor]:
    """Of the rows and of all weights, for a fixed gradient of the outputs."""
    outputs = run(cells, rows, layout)
    torch.manual_seed(1)
    weights = [parameter for cell in cells for parameter in cell.parameters()]
    return list(
        torch.autograd.grad(outputs, [rows, *weights], torch.randn(outputs.shape, dtype=torch.float64).to(rows))
    )


@pytest.mark.parametrize("run", EVERY_PATH)
@pytest.mark.parametrize("lengths", [[5, 2, 7], [4], [3, 3]])
def test_follows_the_equations(run: paths.Run, lengths: list[int]) -> None:
    cells, rows, layout = problem(lengths, n_inputs=3, hidden=4)
    outputs = layout.unpack(run(cells, rows, layout)).detach()
    frames = layout.unpack(rows).detach().double().numpy()
    weights = [[p.detach().double().numpy() for p in (c.weight_ih, c.weight_hh, c.bias)] for c in cells]
    for row, utterance, length in zip(outputs, frames, lengths, strict=True):
        expected = reference.bidirectional(utterance[:length], *weights)
        np.testing.assert_allclose(row[:length], expected, atol=2e-6)
        assert not row[length:].any()


@pytest.mark.parametrize("run", EVERY_PATH)
@pytest.mark.parametrize("lengths", [[5, 2, 7], [3, 3]])
def test_one_direction_alone_is_that_one_of_both(run: paths.Run, lengths: list[int]) -> None:
    cells, rows, layout = problem(lengths, n_inputs=3, hidden=4)
    for layer, part in (
        (RecurrentLayer(cells[0], None), slice(0, 4)),
        (RecurrentLayer(None, cells[1]), slice(4, 8)),
    ):
        assert layer.output_size == 4
        expected = run(cells, rows, layout)[:, part]
        turn = layout.reverse if layer.forward_cell is None else torch.positive
        outputs = turn(run(layer.cells, turn(rows), layout))
        torch.testing.assert_close(outputs, expected, rtol=0, atol=1e-6)
        torch.testing.assert_close(layer(rows, layout), expected, rtol=0, atol=1e-6)
        wanted = [rows, *layer.parameters()]
        for one, other in zip(
            torch.autograd.grad(outputs.square().sum(), wanted),
            torch.autograd.grad(expected.square().sum(), wanted),
            strict=True,
        ):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("run", [paths.vendor, paths.loop])
@pytest.mark.parametrize("lengths", [[3, 1, 2], [2, 2]])
def test_gradients_in_float64(run: paths.Run, lengths: list[int]) -> None:
    cells, rows, layout = problem(lengths, n_inputs=2, hidden=3, dtype=torch.float64)
    weights = [parameter for cell in cells for parameter in cell.parameters()]
    assert torch.autograd.gradcheck(lambda rows, *_: run(cells, rows, layout), (rows, *weights))


@needs_kernels
@settings(deadline=None, max_examples=20)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=20),
    n_inputs=st.sampled_from([1, 7, 32, 45]),
    hidden=st.sampled_from([1, 5, 16, 33, 64, 128]),
)
def test_kernels_equal_the_loop_in_float64(lengths: list[int], n_inputs: int, hidden: int) -> None:
    cells, rows, layout = problem(lengths, n_inputs, hidden)
    fast = [paths.kernels(cells, rows, layout), *gradients(paths.kernels, cells, rows, layout)]
    exact_cells: list[Cell] = [cell.double() for cell in cells]
    exact_rows = rows.detach().double().requires_grad_()
    exact = [paths.loop(exact_cells, exact_rows, layout), *gradients(paths.loop, exact_cells, exact_rows, layout)]
    for one, other in zip(fast, exact, strict=True):
        difference, scale = (one - other).detach().abs().max(), other.detach().abs().max() + 0.1
        assert difference < 1e-5 * scale


@needs_kernels
def test_kernels_refuse_a_second_gradient() -> None:
    cells, rows, layout = problem([2], n_inputs=2, hidden=2)
    total = paths.kernels(cells, rows, layout).sum()
    total.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="can be computed only once"):
        total.backward()


@needs_kernels
def test_kernels_notice_weights_changed_before_the_gradient() -> None:
    cells, rows, layout = problem([2], n_inputs=2, hidden=2)
    total = paths.kernels(cells, rows, layout).sum()
    with torch.no_grad():
        cells[1].weight_hh.add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()


class Leaky(Cell):
    """A user's cell: h = 0.5 h + W x."""

    def __init__(self, n_inputs: int, hidden: int) -> None:
        super().__init__(n_inputs, hidden)
        self.weight_ih = torch.nn.Parameter(torch.randn(hidden, n_inputs))
        self.weight_hh = torch.nn.Parameter(0.5 * torch.eye(hidden))
        self.bias = torch.nn.Parameter(torch.zeros(hidden))

    def initial_state(self, like: Tensor) -> State:
        return (like.new_zeros(len(like), self.hidden),)

    def point(self, projected: Tensor, recurrent: Tensor, state: State) -> tuple[Tensor, State]:
        return projected + recurrent, (projected + recurrent,)


def test_a_users_cell_runs_through_the_loop() -> None:
    cells: list[Cell] = [Leaky(1, 1), Leaky(1, 1)]
    rows, layout = torch.ones(3, 1), Layout(torch.tensor([3]), 3, torch.device("cpu"))
    assert paths.choose(cells, rows, layout) is paths.loop
    outputs = paths.loop(cells, rows, layout)
    expected = torch.tensor([1.0, 1.5, 1.75])[:, None] * torch.cat([cell.weight_ih for cell in cells], dim=1)
    torch.testing.assert_close(outputs[:, :1], expected[:, :1])
    torch.testing.assert_close(outputs[:, 1:], expected[:, 1:].flip(0))


class Wrapped(Cell):
    """A user's cell around another module, with no weights of its own."""

    def __init__(self, n_inputs: int, hidden: int) -> None:
        super().__init__(n_inputs, hidden)
        self.module = torch.nn.GRUCell(n_inputs, hidden)

    def initial_state(self, like: Tensor) -> State:
        return (like.new_zeros(len(like), self.hidden),)

    def project(self, rows: Tensor) -> Tensor:
        return rows

    def step(self, projected: Tensor, state: State) -> tuple[Tensor, State]:
        now = self.module(projected, state[0])
        return now, (now,)


def test_a_users_cell_needs_no_weights_of_any_name() -> None:
    cell, rows = Wrapped(3, 2), torch.randn(4, 3)
    layout = Layout(torch.tensor([4]), 4, torch.device("cpu"))
    assert paths.choose([cell], rows, layout) is paths.loop
    assert paths.prepared([cell]) is None
    assert paths.prepared([cell], bfloat16=True) is None


@needs_kernels
def test_choice_depends_on_the_call_alone() -> None:
    cells, rows, layout = problem([3, 2], n_inputs=2, hidden=2)
    single = Layout(torch.tensor([5]), 5, torch.device("cpu"))
    assert paths.choose(cells, rows, layout) is paths.kernels
    assert paths.choose(cells, rows, single) is paths.kernels
    with torch.no_grad():
        assert paths.choose(cells, rows, layout) is paths.kernels
        assert paths.choose(cells, rows, single) is paths.vendor
    assert paths.choose(cells, rows.double(), layout) is paths.vendor


def test_without_kernels_the_vendors_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "available", lambda: False)
    cells, rows, layout = problem([3, 2], n_inputs=2, hidden=2)
    assert paths.choose(cells, rows, layout) is paths.vendor
