"""The kernel of every cell against the step-by-step loop in float64."""

from __future__ import annotations

import math
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from asr.config import Component, build
from asr.recurrent import compiled, paths
from asr.recurrent.cells.cell import Cell
from asr.recurrent.cells.lstm import LstmCell
from asr.recurrent.cells.lstm_zoneout import ZoneoutLstmCell
from asr.recurrent.compiled.kinds import kind_of
from asr.recurrent.layout import Layout
from tests.recurrent.cells.cases import CASES, Case

if not compiled.available():
    pytest.skip("no kernels on this machine", allow_module_level=True)

EVERY_CELL = pytest.mark.parametrize("case", CASES, ids=str)


@dataclass
class Problem:
    """Two cells and the rows of a batch, in float32 and the same in float64."""

    case: Case
    lengths: list[int]
    size: int  # of outputs
    n_inputs: int | None = None  # None: as many, which suits a convolution too

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.layout = Layout(torch.tensor(self.lengths), max(self.lengths), torch.device("cpu"))
        self.cells, self.exact_cells = self._cells(), [cell.double() for cell in self._cells()]
        self.rows = torch.randn(sum(self.lengths), self.n_inputs or self.size, requires_grad=True)
        self.exact_rows = self.rows.detach().double().requires_grad_()

    def _cells(self) -> list[Cell]:
        """With weights that are far from linear, but do not let rounding grow from step to step."""
        torch.manual_seed(1)
        cells: list[Cell] = [
            build(Component.of(self.case.node()), n_inputs=self.n_inputs or self.size, hidden=self.size).eval()
            for _ in range(2)
        ]
        for cell in cells:
            for parameter in cell.parameters():
                torch.nn.init.normal_(parameter, std=0.7 * self.size**-0.5)
        return cells

    def fast(self) -> list[Tensor]:
        return outputs_and_gradients(paths.kernels, self.cells, self.rows, self.layout)

    def exact(self) -> list[Tensor]:
        return outputs_and_gradients(paths.loop, self.exact_cells, self.exact_rows, self.layout)


def is_whole(case: Case) -> bool:
    """Whether all its products are the kernels' own; torch's round otherwise for other rows and numbers of threads."""
    kind = kind_of(case.cell())
    return kind is not None and kind.plain_inputs and case.name != "lstm_projected"


def outputs_and_gradients(run: paths.Run, cells: list[Cell], rows: Tensor, layout: Layout) -> list[Tensor]:
    """Outputs, and gradients of the rows and of all weights for a fixed gradient of the outputs."""
    outputs = run(cells, rows, layout)
    torch.manual_seed(2)
    wanted = [rows, *(parameter for cell in cells for parameter in cell.parameters() if parameter.numel())]
    weights = torch.randn(outputs.shape, dtype=torch.float64).to(rows)
    return [outputs.detach(), *torch.autograd.grad(outputs, wanted, weights, materialize_grads=True)]


def assert_near(fast: list[Tensor], exact: list[Tensor], positions: int = 1) -> None:
    """Outputs and gradients of rows and weights, within what sums of a few hundred float32 terms give: 1e-5.

    A weight that is used at several positions of a row has a sum of as many times more terms as its gradient. If n
    terms of like size and random signs are added in order, as torch's convolution does, rounding adds up to sqrt(n / 2)
    units in the last place of the sum's typical size, so the bound grows with the root of the positions. (Of the
    31,200 terms of a bias, the kernels had each to 2e-7 and their exact sum to 6e-6; torch's sum of them was off by
    4e-5, and by 8e-5 in the loop, where the sum itself was 1.9 and its typical size 45.)
    """
    for place, (one, other) in enumerate(zip(fast, exact, strict=True)):
        bound = 1e-5 * (math.sqrt(positions) if place >= 2 else 1.0)  # outputs and rows stand before the weights
        torch.testing.assert_close(one.double(), other, rtol=0, atol=bound * (float(other.abs().max()) + 0.1))


@EVERY_CELL
@settings(deadline=None, max_examples=8)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=20),
    size=st.sampled_from([4, 16, 34, 64, 130]),
)
def test_equals_the_loop(case: Case, lengths: list[int], size: int) -> None:
    assume(
        size > 4 or case.name != "lstm_layernorm"
    )  # of four nearly equal ones float32 is not enough, in the loop neither
    problem = Problem(case, lengths, size)
    assert_near(problem.fast(), problem.exact(), size if case.name == "conv_lstm" else 1)


@pytest.mark.parametrize("case", [case for case in CASES if is_whole(case)], ids=str)
def test_gives_the_same_bits_for_any_batch_and_any_threads(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs, gradients of the frames and of the first input weights; alone, outputs."""
    from asr.recurrent.compiled import team

    lengths = [13, 9, 30, 1, 22, 17, 17, 4, 8, 30, 2]
    problem = Problem(case, lengths, 40, n_inputs=45)
    frames = problem.layout.unpack(problem.rows).detach()
    results = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 4, 16):
            torch.set_num_threads(threads)
            problem.layout = Layout(torch.tensor(lengths), 30, torch.device("cpu"))
            results.append(problem.fast()[:3])
        monkeypatch.setattr(team, "_openmp", lambda: None)
        results.append(problem.fast()[:3])
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(one, two) for one, two in zip(results[0], other, strict=True))
    together = problem.layout.unpack(results[0][0])
    for number, length in enumerate(lengths):
        alone = Layout(torch.tensor([length]), length, torch.device("cpu"))
        outputs = paths.kernels(problem.cells, alone.pack(frames[number : number + 1, :length]), alone)
        assert torch.equal(outputs[None], together[number : number + 1, :length])


STEP = """
import hashlib, torch
from asr.recurrent.stack import RecurrentStack
torch.manual_seed(0)
stack = RecurrentStack(5, n_labels=3, hidden=9, layers=1)
outputs, _ = stack(torch.randn(2, 6, 5), torch.tensor([6, 4]))
outputs.square().sum().backward()
values = [outputs.detach(), *(one.grad for one in stack.parameters())]
assert all(value.isfinite().all() for value in values)
print(hashlib.sha256(b"".join(one.contiguous().numpy().tobytes() for one in values)).hexdigest())
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names a processor of another kind")
def test_a_lesser_processor_has_kernels_and_a_second_process_the_same_bits(tmp_path: Path) -> None:
    """The first process compiles, the second reads what was kept."""
    lesser = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma", "NUMBA_CACHE_DIR": str(tmp_path)}
    command, environment = [sys.executable, "-c", STEP], os.environ | lesser
    runs = [subprocess.run(command, env=environment, capture_output=True, text=True, check=False) for _ in range(2)]
    assert [run.returncode for run in runs] == [0, 0], runs[0].stderr
    assert runs[0].stdout == runs[1].stdout


@EVERY_CELL
@pytest.mark.parametrize("name", ["weight_ih", "weight_hh", "bias"])
def test_does_not_hide_nan(case: Case, name: str) -> None:
    problem = Problem(case, [5, 3], 40)
    with torch.no_grad():
        getattr(problem.cells[0], name).fill_(math.nan)
    outputs = problem.layout.unpack(paths.kernels(problem.cells, problem.rows, problem.layout))
    width = problem.cells[0].output_size
    assert outputs[0, 1:5, :width].isnan().all()
    assert outputs[0, :, width:].isfinite().all()


@EVERY_CELL
def test_computes_in_float32_under_autocast(case: Case) -> None:
    problem = Problem(case, [5, 3], 16)
    wanted = [
        problem.rows,
        *(parameter for cell in problem.cells for parameter in cell.parameters() if parameter.numel()),
    ]
    expected = paths.kernels(problem.cells, problem.rows, problem.layout)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = paths.kernels(problem.cells, problem.rows, problem.layout)
    torch.testing.assert_close(outputs, expected, rtol=0, atol=0)
    for one, other in zip(
        torch.autograd.grad(outputs.square().sum(), wanted),
        torch.autograd.grad(expected.square().sum(), wanted),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)


def test_masks_of_zoneout(monkeypatch: pytest.MonkeyPatch) -> None:
    """In training: the loop, given the masks that the kernel has drawn, gives what the kernel gives."""
    (case,) = (case for case in CASES if case.name == "lstm_zoneout")
    problem = Problem(case, [7, 3, 9, 9], 16)
    cell, exact_cell = problem.cells[0].train(), problem.exact_cells[0].train()
    assert isinstance(cell, ZoneoutLstmCell)
    masks = cell.kept(sum(problem.lengths))
    assert {float(value) for mask in masks for value in mask.unique()} == {0.0, 1.0}
    place = 0

    def kept(self: ZoneoutLstmCell, n_rows: int) -> tuple[Tensor, Tensor]:
        """All at once for the kernel, step by step for the loop."""
        nonlocal place
        start, place = place, (place + n_rows) % sum(problem.lengths)
        return tuple(mask[start : start + n_rows].to(self.bias.dtype) for mask in masks)  # type: ignore[return-value]

    monkeypatch.setattr(ZoneoutLstmCell, "kept", kept)
    fast = outputs_and_gradients(paths.kernels, [cell], problem.rows, problem.layout)
    exact = outputs_and_gradients(paths.loop, [exact_cell], problem.exact_rows, problem.layout)
    assert_near(fast, exact)


def test_a_derived_cell_goes_through_the_loop() -> None:
    class Doubled(LstmCell):
        def project(self, rows: Tensor) -> Tensor:
            return 2 * super().project(rows)

    layout = Layout(torch.tensor([2, 1]), 2, torch.device("cpu"))
    cells: list[Cell] = [Doubled(3, 4), Doubled(3, 4)]
    assert kind_of(cells[0]) is None
    assert paths.choose(cells, torch.zeros(3, 3), layout) is paths.loop
    mixed: list[Cell] = [LstmCell(3, 4), Doubled(3, 4)]
    assert paths.choose(mixed, torch.zeros(3, 3), layout) is paths.loop
