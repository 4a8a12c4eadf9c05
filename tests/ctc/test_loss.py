"""The CTC loss and its gradient, against the sum over all paths."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from asr.ctc.loss import ctc_loss
from tests.reference import ctc as reference


@st.composite
def problems(draw: st.DrawFn) -> tuple[Tensor, list[int], list[list[int]], int]:
    """Scores (B, T, L) float64, frames, labels, and the index of blank: all small enough to list every path."""
    n_labels = draw(st.integers(2, 3))
    blank = draw(st.integers(0, n_labels - 1))
    symbols = [label for label in range(n_labels) if label != blank]
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    labels = [draw(st.lists(st.sampled_from(symbols), max_size=4)) for _ in lengths]
    generator = torch.Generator().manual_seed(draw(st.integers(0, 99)))
    scores = torch.randn(len(lengths), max(lengths) + 1, n_labels, dtype=torch.float64, generator=generator)
    return scores, lengths, labels, blank


def losses(scores: Tensor, lengths: list[int], labels: list[list[int]], blank: int) -> Tensor:
    padded = torch.full((len(labels), 4), 77)  # no label: padding is not read
    for row, values in zip(padded, labels, strict=True):
        row[: len(values)] = torch.tensor(values, dtype=torch.int64)
    counts = torch.tensor([len(values) for values in labels])
    return ctc_loss(scores.log_softmax(-1), torch.tensor(lengths), padded, counts, blank)


@settings(deadline=None, max_examples=60)
@given(problems())
def test_loss_sums_over_all_paths(problem: tuple[Tensor, list[int], list[list[int]], int]) -> None:
    scores, lengths, labels, blank = problem
    posteriors = scores.softmax(-1).tolist()
    expected = [
        reference.loss(rows[:length], values, blank)
        for rows, length, values in zip(posteriors, lengths, labels, strict=True)
    ]
    assert losses(scores, lengths, labels, blank).tolist() == pytest.approx(expected, rel=1e-10)


@settings(deadline=None, max_examples=15)
@given(problems())
def test_gradient_is_that_of_the_sum_over_all_paths(problem: tuple[Tensor, list[int], list[list[int]], int]) -> None:
    scores, lengths, labels, blank = problem
    fits = [
        reference.loss([[0.5] * scores.shape[2]] * n, u, blank) < math.inf for n, u in zip(lengths, labels, strict=True)
    ]
    scores.requires_grad_()
    losses(scores, lengths, labels, blank)[torch.tensor(fits)].sum().backward()
    assert scores.grad is not None
    step = 1e-5
    for b, (length, values) in enumerate(zip(lengths, labels, strict=True)):
        if not fits[b]:
            continue
        assert not scores.grad[b, length:].any()
        for t in range(length):
            for label in range(scores.shape[2]):
                around = []
                for change in (step, -step):
                    moved = scores.detach()[b, :length].clone()
                    moved[t, label] += change
                    around.append(reference.loss(moved.softmax(-1).tolist(), values, blank))
                expected = (around[0] - around[1]) / (2 * step)
                assert float(scores.grad[b, t, label]) == pytest.approx(expected, abs=1e-8)


def test_all_labellings_have_probability_one_together() -> None:
    generator = torch.Generator().manual_seed(3)
    scores = torch.randn(1, 4, 3, dtype=torch.float64, generator=generator)
    every = list(reference.labelling_probabilities(scores[0].softmax(-1).tolist()))
    assert len(every) == 15  # (), 2 + 4 + 6 of one to three labels, and 2 of four
    total = sum(math.exp(-float(losses(scores, [4], [list(labelling)], 0))) for labelling in every)
    assert total == pytest.approx(1.0, abs=1e-12)


def test_padding_of_the_posteriors_is_not_read() -> None:
    generator = torch.Generator().manual_seed(3)
    log_probs = torch.randn(1, 5, 3, generator=generator).log_softmax(-1)
    dirty = log_probs.clone()
    dirty[0, 3:] = math.nan
    arguments = torch.tensor([3]), torch.tensor([[1, 2]]), torch.tensor([2])
    assert torch.equal(ctc_loss(dirty, *arguments), ctc_loss(log_probs, *arguments))


def test_labels_that_do_not_fit_give_inf_and_spoil_no_other() -> None:
    scores = torch.zeros(2, 3, 3)
    result = losses(scores, [3, 3], [[1, 1, 2], [1, 2]], 0)
    assert result[0] == math.inf
    assert float(result[1]) == pytest.approx(reference.loss([[1 / 3] * 3] * 3, [1, 2]), rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(dtype: torch.dtype) -> None:
    log_probs = torch.zeros(1, 3, 3).log_softmax(-1).to(dtype)
    result = ctc_loss(log_probs, torch.tensor([3]), torch.tensor([[1]]), torch.tensor([1]))
    assert result.dtype == torch.float32
    exact = ctc_loss(log_probs.double(), torch.tensor([3]), torch.tensor([[1]]), torch.tensor([1]))
    assert float(result) == pytest.approx(float(exact), rel=1e-6)
