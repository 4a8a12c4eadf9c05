"""Networks with random weights, for the engines."""

from __future__ import annotations

from typing import Any

import torch

from asr.config import Component, build
from asr.engines.engine import Network
from tests.recurrent.cells.cases import randomise


def network(n_features: int = 5, n_labels: int = 6, deviation: float = 0.5, **options: Any) -> Network:
    """A stack of these options, whose weights make it far from linear."""
    component = Component.of({"_target_": "asr.recurrent.stack.RecurrentStack"} | options)
    model = build(component, n_features=n_features, n_labels=n_labels)
    randomise(model, deviation)
    return Network(component, n_features, n_labels, {k: v.detach().numpy() for k, v in model.state_dict().items()})


def seeded(seed: int, **options: Any) -> Network:
    """The same network whenever the arguments are the same."""
    torch.manual_seed(seed)
    return network(**options)
