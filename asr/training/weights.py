"""Gaussian noise on the weights during a step, and a running average of the weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


@contextmanager
def weight_noise(model: nn.Module, deviation: float) -> Iterator[None]:
    """Add gaussian noise to all weights inside a `with` block, and restore the exact weights after it.

    Source: Graves 2011 (Practical Variational Inference for Neural Networks) and 2013 (standard deviation 0.075, drawn
    for each utterance; here for each batch). The noise comes from torch's global generator, which the caller seeds.
    """
    if deviation == 0.0:
        yield
        return
    clean = [parameter.detach().clone() for parameter in model.parameters()]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=deviation)
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, saved in zip(model.parameters(), clean, strict=True):
                parameter.copy_(saved)


class RunningAverage:
    """An exponential moving average of a model's weights (Polyak and Juditsky 1992).

    Args:
        model: the model to average.
        decay: the weight of the old average at each step, 0 <= decay < 1. After n steps the decay in effect is
            min(decay, (1 + n) / (10 + n)), so that the average quickly forgets the initial weights.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self._steps = 0
        self.weights = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Update the average with the weights after a step."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                self.weights[name].lerp_(value, 1 - decay)
            else:
                self.weights[name].copy_(value)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Load the averaged weights into the model inside a `with` block, and restore its own weights after it."""
        current = {name: value.detach().clone() for name, value in model.state_dict().items()}
        model.load_state_dict(self.weights)
        try:
            yield
        finally:
            model.load_state_dict(current)

    def state_dict(self) -> dict[str, Any]:
        """Return the average and the number of steps."""
        return {"steps": self._steps, "weights": self.weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state that `state_dict` returned."""
        self._steps = int(state["steps"])
        for name, value in self.weights.items():
            value.copy_(state["weights"][name])
