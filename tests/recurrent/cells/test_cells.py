"""What every cell has to keep: its equations, its gradients, no word from the padding, its state in the open."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from asr.config import Component
from asr.ctc.loss import ctc_loss
from asr.experiment.schema import GROUPS
from asr.recurrent import paths
from asr.recurrent.cells.cell import Cell, State
from asr.recurrent.cells.lstm import LstmCell
from asr.recurrent.layout import Layout
from asr.recurrent.options import DIRECTIONS
from asr.recurrent.stack import RecurrentStack
from tests.composing import compose
from tests.recurrent.cells.cases import CASES, HIDDEN, N_INPUTS, Case, problem, randomise

EVERY_CELL = pytest.mark.parametrize("case", CASES, ids=str)
WITH_TORCH = pytest.mark.parametrize("case", [case for case in CASES if case.oracle is not None], ids=str)
LENGTHS = [5, 2, 7, 1]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def test_every_configured_cell_is_in_the_list() -> None:
    assert {case.name for case in CASES} == set(GROUPS["model/cell"])


def loop(cells: list[Cell], rows: Tensor, layout: Layout) -> Tensor:
    """(B, T, O)."""
    return layout.unpack(paths.loop(cells, rows, layout))


@EVERY_CELL
def test_follows_the_equations(case: Case) -> None:
    cells = [case.cell(), case.cell()]
    rows, layout = problem(LENGTHS)
    outputs, frames = loop(cells, rows, layout).detach().numpy(), layout.unpack(rows).detach().numpy()
    weights = [{name: value.numpy() for name, value in cell.state_dict().items()} for cell in cells]
    assert outputs.shape[2] == sum(cell.output_size for cell in cells)
    for row, utterance, length in zip(outputs, frames, LENGTHS, strict=True):
        forward = case.reference(utterance[:length], weights[0], **case.options)
        backward = case.reference(utterance[:length][::-1], weights[1], **case.options)[::-1]
        np.testing.assert_allclose(row[:length], np.concatenate([forward, backward], axis=1), rtol=0, atol=1e-12)
        assert not row[length:].any()


@WITH_TORCH
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-6), (torch.float64, 1e-13)])
def test_equals_torch(case: Case, dtype: torch.dtype, tolerance: float) -> None:
    """Outputs, final states and gradients; weights there and back."""
    cell, module = case.cell(dtype), case.module(dtype)
    for name, value in cell.to_torch().items():  # type: ignore[operator]
        getattr(module, f"{name}_l0").data.copy_(value)
    rows, layout = problem(LENGTHS, dtype)
    frames = layout.unpack(rows).detach().requires_grad_()
    packed = pack_padded_sequence(frames, layout.lengths, batch_first=True, enforce_sorted=False)
    out, last = module(packed)
    expected = pad_packed_sequence(out, batch_first=True)[0]
    outputs, state = paths.stream(cell, rows, layout)
    outputs = layout.unpack(outputs)
    torch.testing.assert_close(outputs, expected, rtol=0, atol=tolerance)
    for one, other in zip(state, last if isinstance(last, tuple) else (last,), strict=True):
        torch.testing.assert_close(one, other[0], rtol=0, atol=tolerance)
    weights = torch.randn_like(expected)
    (outputs * weights).sum().backward()
    (expected * weights).sum().backward()
    gradients = {"weight_ih": "weight_ih", "weight_hh": "weight_hh", "bias": "bias_ih"}
    gradients |= {"bias_hn": "bias_hh", "weight_hr": "weight_hr"}
    torch.testing.assert_close(layout.unpack(rows.grad), frames.grad, rtol=0, atol=10 * tolerance)
    for name, parameter in cell.named_parameters():
        of_torch = getattr(module, f"{gradients[name]}_l0").grad
        other = of_torch[-HIDDEN:] if name == "bias_hn" else of_torch
        torch.testing.assert_close(parameter.grad, other, rtol=10 * tolerance, atol=10 * tolerance)


@WITH_TORCH
def test_takes_weights_from_torch(case: Case) -> None:
    cell, module = case.cell(), case.module(torch.float64)
    cell.load_torch({name.removesuffix("_l0"): value for name, value in module.named_parameters()})  # type: ignore[operator]
    frames = torch.randn(6, 1, N_INPUTS, dtype=torch.float64)
    layout = Layout(torch.tensor([6]), 6, torch.device("cpu"))
    torch.testing.assert_close(paths.loop([cell], frames[:, 0], layout), module(frames)[0][:, 0], rtol=0, atol=1e-13)


@EVERY_CELL
def test_gradients_in_float64(case: Case) -> None:
    cell = case.cell()
    rows, layout = problem([3, 1])
    weights = [parameter for parameter in cell.parameters() if parameter.numel()]
    assert torch.autograd.gradcheck(lambda rows, *_: paths.loop([cell], rows, layout), (rows, *weights))


@EVERY_CELL
@pytest.mark.parametrize("size", [1, 3, 4])
def test_pieces_with_carried_state_give_the_whole(case: Case, size: int) -> None:
    """Outputs, last states, and gradients through the cuts."""
    cell = case.cell()
    rows, whole = problem([7, 7, 7])
    expected, last = paths.stream(cell, rows, whole)
    outputs, state = [], None
    for piece in whole.unpack(rows).split(size, dim=1):
        layout = Layout(torch.full((3,), piece.shape[1]), piece.shape[1], torch.device("cpu"))
        out, state = paths.stream(cell, layout.pack(piece), layout, state)
        outputs.append(layout.unpack(out))
    torch.testing.assert_close(torch.cat(outputs, dim=1), whole.unpack(expected), rtol=0, atol=1e-12)
    assert state is not None
    for one, other in zip(state, last, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)
    weights = [rows, *(parameter for parameter in cell.parameters() if parameter.numel())]
    through = torch.autograd.grad(torch.cat(outputs, dim=1).square().sum(), weights, allow_unused=True)
    of_whole = torch.autograd.grad(expected.square().sum(), weights, allow_unused=True)
    for one, other in zip(through, of_whole, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@EVERY_CELL
def test_states_are_of_each_utterances_own_last_frame(case: Case) -> None:
    """And in the order of the batch, as is what is given."""
    cell = case.cell()
    rows, layout = problem(LENGTHS)
    outputs, state = paths.stream(cell, rows, layout)
    _, again = paths.stream(cell, rows, layout, state)
    frames, outputs = layout.unpack(rows), layout.unpack(outputs)
    for number, length in enumerate(LENGTHS):
        alone = Layout(torch.tensor([length]), length, torch.device("cpu"))
        own_outputs, own = paths.stream(cell, frames[number, :length], alone)
        torch.testing.assert_close(outputs[number, :length], own_outputs, rtol=0, atol=1e-12)
        _, own_again = paths.stream(cell, frames[number, :length], alone, own)
        for together, single in zip((*state, *again), (*own, *own_again), strict=True):
            torch.testing.assert_close(together[number], single[0], rtol=0, atol=1e-12)


@EVERY_CELL
def test_truncated_gradients_stop_at_a_detached_state(case: Case) -> None:
    """The gradient of a piece is that of a run which begins with the state as a constant."""
    cell = case.cell()
    rows, layout = problem([3, 3])
    _, state = paths.stream(cell, rows, layout)
    fixed: State = tuple(one.detach() for one in state)
    later, _ = problem([3, 3])
    weights = [parameter for parameter in cell.parameters() if parameter.numel()]
    cut, _ = paths.stream(cell, later, layout, tuple(one.detach() for one in state))
    truncated = torch.autograd.grad(cut.square().sum(), [later, *weights], allow_unused=True)
    flat = cell.project(later).view(3, 2, -1)
    now, total = fixed, torch.zeros((), dtype=torch.float64)
    for at_time in flat:
        output, now = cell.step(at_time, now)
        total = total + output.square().sum()
    expected = torch.autograd.grad(total, [later, *weights], allow_unused=True)
    for one, other in zip(truncated, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
    whole, _ = paths.stream(cell, later, layout, state)
    assert torch.autograd.grad(whole.square().sum(), rows)[0].abs().sum() > 0  # not detached, it goes on


def stack(case: Case, dtype: torch.dtype = torch.float32, **options: object) -> RecurrentStack:
    """Three layers with random weights, in evaluation."""
    model = RecurrentStack(
        n_features=N_INPUTS,
        n_labels=5,
        cell=case.node(),
        **{"hidden": HIDDEN, "layers": 3, **options},  # type: ignore[arg-type]
    )
    randomise(model, 0.4)  # so that rectified values do not grow from step to step
    return model.to(dtype).eval()


def batch(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """(B, T, F) with NaN on the padding, and the lengths."""
    lengths = torch.tensor([7, 12, 1, 5])
    frames = torch.randn(4, 12, N_INPUTS, dtype=dtype)
    for row, length in zip(frames, lengths, strict=True):
        row[length:] = math.nan
    return frames, lengths


@EVERY_CELL
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_batch_equals_its_singles_with_nan_in_the_padding(case: Case, direction: str) -> None:
    """Up to float32 sums in another order: 2e-6 on posteriors after three layers of random weights."""
    model = stack(case, direction=direction, skips=True, time_reduction=2)
    frames, lengths = batch()
    with torch.no_grad():
        log_probs, out_lengths = model(frames, lengths)
        for row, length, out_length, single in zip(log_probs, lengths, out_lengths, frames, strict=True):
            alone, _ = model(single[None, :length], length[None])
            torch.testing.assert_close(row[:out_length], alone[0], rtol=0, atol=5e-6)


@EVERY_CELL
def test_bfloat16_is_near_float32(case: Case) -> None:
    """Weights, frames and states hold 8 bits: each of a dozen steps is off by 0.4 % of values about 1."""
    model = stack(case, layers=1)
    frames, lengths = batch()
    with torch.no_grad():
        expected = model(frames, lengths)[0].exp()
        with torch.autocast("cpu", torch.bfloat16):
            cast = model(frames, lengths)[0].exp()
        lower = model.to(torch.bfloat16)(frames.to(torch.bfloat16), lengths)[0].exp()
    for posteriors in (cast, lower):
        assert posteriors.dtype == torch.float32
        assert (posteriors - expected).abs().mean() < 0.01
        torch.testing.assert_close(posteriors, expected, rtol=0, atol=0.1)


@EVERY_CELL
def test_learns_a_toy_task(case: Case) -> None:
    """Each label is a direction of the frames; CTC has to find where."""
    torch.manual_seed(3)
    model = RecurrentStack(N_INPUTS, n_labels=4, cell=case.node(), hidden=HIDDEN, layers=1)
    labels = torch.tensor([[1, 2, 3], [3, 1, 2], [2, 3, 1], [3, 2, 1]])
    frames = torch.eye(N_INPUTS)[labels].repeat_interleave(3, dim=1) + 0.1 * torch.randn(4, 9, N_INPUTS)
    lengths, label_lengths = torch.full((4,), 9), torch.full((4,), 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = ctc_loss(*model(frames, lengths), labels, label_lengths).mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("name", GROUPS["model/cell"])
def test_is_chosen_on_the_command_line(name: str) -> None:
    """Over a recipe that chooses another model preset, whose other options stay."""
    model = compose(["recipe=timit/ctc_3l_250h", "corpus.root=somewhere", f"model/cell={name}"]).model
    assert model.options["cell"] == Component.of(GROUPS["model/cell"][name]())
    assert (model.options["hidden"], model.options["layers"]) == (250, 3)


def test_a_cell_without_a_step_says_so() -> None:
    class Stepless(LstmCell):
        point = Cell.point

    rows, layout = problem([2], torch.float32)
    with pytest.raises(NotImplementedError, match="Stepless must define `point` or `step`"):
        paths.loop([Stepless(N_INPUTS, HIDDEN)], rows, layout)
