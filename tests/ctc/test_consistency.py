from __future__ import annotations

import math

import torch

from asr.ctc.consistency import consistency_loss


def log_probs(*shape: int, seed: int) -> torch.Tensor:
    scores = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return scores.log_softmax(-1)


def test_the_divergence_is_that_of_its_definition() -> None:
    first, second = log_probs(2, 3, 4, seed=1), log_probs(2, 3, 4, seed=2)
    lengths = torch.tensor([3, 2])
    expected = []
    for one, other, length in zip(first.tolist(), second.tolist(), lengths.tolist(), strict=True):
        total = 0.0
        for p, q in zip(one[:length], other[:length], strict=True):
            total += sum(math.exp(a) * (a - b) + math.exp(b) * (b - a) for a, b in zip(p, q, strict=True))
        expected.append(0.5 * total)
    torch.testing.assert_close(consistency_loss(first, second, lengths), torch.tensor(expected, dtype=torch.float64))


def test_the_same_views_cost_nothing_and_the_padding_is_not_read() -> None:
    first, second = log_probs(1, 4, 3, seed=1), log_probs(1, 4, 3, seed=2)
    assert consistency_loss(first, first, torch.tensor([4])).item() == 0.0
    expected = consistency_loss(first[:, :2], second[:, :2], torch.tensor([2]))
    first[:, 2:] = math.nan
    first.requires_grad_(True)
    found = consistency_loss(first, second, torch.tensor([2]))
    torch.testing.assert_close(found, expected)
    found.sum().backward()
    assert first.grad is not None
    assert (first.grad[:, 2:].nan_to_num(1.0) == 0).all()


def test_each_view_is_drawn_to_the_other_as_it_stands() -> None:
    """The gradient with respect to the scores is half of each view's posteriors less the other's."""
    scores = [torch.randn(1, 2, 3, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    first, second = (one.log_softmax(-1) for one in scores)
    consistency_loss(first, second, torch.tensor([2])).sum().backward()
    for score, own, other in ((scores[0], first, second), (scores[1], second, first)):
        torch.testing.assert_close(score.grad, 0.5 * (own.exp() - other.exp()).detach())
