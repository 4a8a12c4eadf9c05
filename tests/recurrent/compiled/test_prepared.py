"""Layers that only recognise, against the same layers as they were."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import Tensor

from asr.config import Component, build
from asr.recurrent import compiled, paths
from asr.recurrent.cells.cell import Cell
from asr.recurrent.compiled.kinds import kind_of
from asr.recurrent.layer import RecurrentLayer
from asr.recurrent.layout import Layout
from asr.recurrent.stack import RecurrentStack
from tests.recurrent.cells.cases import CASES, Case

if not compiled.available():
    pytest.skip("no kernels on this machine", allow_module_level=True)

from asr.recurrent.compiled.instructions import multiplies_pairs
from asr.recurrent.compiled.prepared import can_be_prepared

rounding = pytest.mark.skipif(not multiplies_pairs(), reason="this processor has no products in bfloat16")

LENGTHS = [13, 9, 30, 1, 17]
N_INPUTS, HIDDEN = 45, 40


def is_packed(case: Case) -> bool:
    kind = kind_of(case.cell())
    return kind is not None and can_be_prepared(kind)


PACKED = [case for case in CASES if is_packed(case)]


def layer_of(case: Case) -> RecurrentLayer:
    torch.manual_seed(1)
    cells: list[Cell] = [build(Component.of(case.node()), n_inputs=N_INPUTS, hidden=HIDDEN) for _ in range(2)]
    for cell in cells:
        for parameter in cell.parameters():
            torch.nn.init.normal_(parameter, std=0.7 * HIDDEN**-0.5)
    return RecurrentLayer(*cells).eval()


def prepare(layer: RecurrentLayer, bfloat16: bool = False) -> bool:
    layer.prepared = paths.prepared(layer.cells, bfloat16)
    return layer.prepared is not None


def batch(lengths: list[int]) -> tuple[Tensor, Layout]:
    torch.manual_seed(0)
    layout = Layout(torch.tensor(lengths), max(lengths), torch.device("cpu"))
    return layout.pack(torch.randn(len(lengths), max(lengths), N_INPUTS)), layout


@torch.no_grad()
@pytest.mark.parametrize("case", PACKED, ids=str)
@pytest.mark.parametrize("lengths", [LENGTHS, [23]], ids=["batch", "single"])
def test_gives_the_bits_of_the_kernels(case: Case, lengths: list[int]) -> None:
    layer, (rows, layout) = layer_of(case), batch(lengths)
    expected = paths.kernels(layer.cells, rows, layout)
    assert prepare(layer)
    assert torch.equal(layer(rows, layout), expected)


@rounding
@torch.no_grad()
@pytest.mark.parametrize("case", [case for case in PACKED if case.name != "lstm_projected"], ids=str)
@pytest.mark.parametrize("lengths", [[3, 1, 2], [3]], ids=["batch", "single"])
def test_bfloat16_rounds_what_is_multiplied(case: Case, lengths: list[int]) -> None:
    """And nothing else. Few steps: where an output lies between two numbers, a last bit decides, and grows."""
    layer, (rows, layout) = layer_of(case), batch(lengths)
    exact = paths.kernels(layer.cells, rows, layout)
    expected = torch.cat([rounded(layer.cells[0], rows, layout), rounded_back(layer.cells[1], rows, layout)], dim=-1)
    assert prepare(layer, bfloat16=True)
    torch.testing.assert_close(layer(rows, layout), expected.float(), rtol=0, atol=1e-5)
    assert not torch.allclose(exact, expected.float(), rtol=0, atol=1e-4)


def rounded(cell: Cell, rows: Tensor, layout: Layout) -> Tensor:
    """A direction in float64 over rounded frames, weights and last outputs."""
    cell = copy.deepcopy(cell).double()
    for weights in (cell.weight_ih, cell.weight_hh):
        assert isinstance(weights, Tensor)
        weights.copy_(weights.bfloat16())
    steps = torch.split(cell.project(rows.bfloat16().double()), layout.step_sizes)
    state, outputs = cell.initial_state(steps[0]), []
    for at_time in steps:
        output, *others = (one[: len(at_time)] for one in state)
        output, state = cell.step(at_time, (output.bfloat16().double(), *others))
        outputs.append(output)
    return torch.cat(outputs)


def rounded_back(cell: Cell, rows: Tensor, layout: Layout) -> Tensor:
    return layout.reverse(rounded(cell, layout.reverse(rows), layout))


@rounding
@torch.no_grad()
def test_frames_may_lie_as_they_like_in_memory() -> None:
    stack, frames = RecurrentStack(8, n_labels=3, hidden=6, layers=1).eval(), torch.randn(8, 11).t()[None]
    assert stack.prepare(bfloat16=True)
    transposed, contiguous = (stack(one, torch.tensor([11]))[0] for one in (frames, frames.contiguous()))
    assert torch.equal(transposed, contiguous)


@torch.no_grad()
@pytest.mark.parametrize("bfloat16", [False, pytest.param(True, marks=rounding)])
def test_an_utterance_does_not_depend_on_its_batch(bfloat16: bool) -> None:
    torch.manual_seed(0)
    stack = RecurrentStack(N_INPUTS, n_labels=3, hidden=130, layers=2).eval()
    assert stack.prepare(bfloat16)
    frames, lengths = torch.randn(len(LENGTHS), max(LENGTHS), N_INPUTS), torch.tensor(LENGTHS)
    together, _ = stack(frames, lengths)
    for number, length in enumerate(LENGTHS):
        alone, _ = stack(frames[number : number + 1, :length], lengths[number : number + 1])
        torch.testing.assert_close(alone[0], together[number, :length], rtol=0, atol=1e-6)


def _seeded(case: Case) -> list[Cell]:
    torch.manual_seed(1)
    return [case.cell(torch.float32) for _ in range(2)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_cell_with_kernels_can_be_prepared(case: Case) -> None:
    """A single utterance; its weights need not be packed for that."""
    layer, exact = (RecurrentLayer(*_seeded(case)).eval() for _ in range(2))
    rows, layout = torch.randn(5, 4), Layout(torch.tensor([5]), 5, torch.device("cpu"))
    assert prepare(layer)
    rounds = multiplies_pairs() and case in PACKED
    assert prepare(RecurrentLayer(*_seeded(case)).eval(), bfloat16=True) == rounds
    with torch.no_grad():
        expected = paths.loop(exact.double().cells, rows.double(), layout).float()
        torch.testing.assert_close(layer(rows, layout), expected, rtol=0, atol=1e-5)


def test_training_goes_on_with_the_weights_as_they_are() -> None:
    layer, (rows, layout) = layer_of(CASES[2]), batch(LENGTHS)
    assert prepare(layer)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
    assert layer(rows, layout).requires_grad  # a gradient is asked for: prepared weights have none
    assert not layer(rows, layout).any()
    layer.train()
    layer.eval()
    with torch.no_grad():
        assert not layer(rows, layout).any()


def test_a_copy_is_as_it_was_before() -> None:
    layer, (rows, layout) = layer_of(CASES[2]), batch(LENGTHS)
    assert prepare(layer)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.zero_()
            assert not other(rows, layout).any()
            assert layer(rows, layout).any()


@torch.no_grad()
@pytest.mark.parametrize("bfloat16", [False, pytest.param(True, marks=rounding)])
def test_nan_in_a_weight_shows(bfloat16: bool) -> None:
    layer, (rows, layout) = layer_of(CASES[2]), batch([5])
    weights = layer.cells[0].weight_hh
    assert isinstance(weights, Tensor)
    weights[0, 0] = torch.nan
    assert prepare(layer, bfloat16)
    assert layer(rows, layout)[1:, 0].isnan().all()


def test_what_changes_later_does_not_show() -> None:
    """Weights of the moment, all of them."""
    layer, (rows, layout) = layer_of(next(case for case in PACKED if case.name == "lstm_peephole")), batch(LENGTHS)
    with torch.no_grad():
        before = layer(rows, layout)
        assert prepare(layer)
        for parameter in layer.parameters():
            parameter.zero_()
        assert torch.equal(layer(rows, layout), before)
        layer.to("cpu", torch.float64)
        layer.to(torch.float32)
        assert not layer(rows, layout).any()


def test_a_stack_is_prepared_as_a_whole_or_not_at_all() -> None:
    stack = RecurrentStack(4, n_labels=2, hidden=8, layers=2).eval()
    assert stack.prepare()
    stack.layers[1].double()
    assert not stack.prepare(bfloat16=True)
    first, second = (layer.prepared for layer in stack.layers)
    assert first is not None
    assert second is None


def test_a_kernel_is_not_given_another_devices_memory() -> None:
    layer, (rows, layout) = layer_of(CASES[2]), batch(LENGTHS)
    run = paths.prepared(layer.cells)
    assert run is not None
    with torch.no_grad(), pytest.raises(TypeError, match="on meta"):
        run(rows.to("meta"), layout)


def test_where_the_processor_cannot_round_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = layer_of(CASES[2])
    monkeypatch.setattr("asr.recurrent.compiled.instructions.multiplies_pairs", lambda: False)
    assert not prepare(layer, bfloat16=True)
    assert prepare(layer)


def test_where_kernels_cannot_run_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, layout = batch(LENGTHS)
    layer = layer_of(CASES[2]).double()
    assert not prepare(layer)
    monkeypatch.setattr(compiled, "available", lambda: False)
    layer = layer_of(CASES[2])
    assert not prepare(layer)
    with torch.no_grad():
        assert layer(rows, layout).shape == (sum(LENGTHS), 2 * HIDDEN)
