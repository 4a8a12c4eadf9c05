"""Small recognisers with random weights, of every kind of features and cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from asr.config import Component, Faults
from asr.corpus.inventory import BLANK, Inventory
from asr.decoding.greedy import GreedyConfig
from asr.decoding.hypothesis import Hypothesis
from asr.engines.engine import Network
from asr.engines.pool import Engines
from asr.engines.torch import build_module
from asr.experiment.schema import GROUPS
from asr.features.normalise import NormaliserConfig
from asr.features.pen.extractor import PenConfig
from asr.features.sound.spectral import SpectralConfig
from asr.features.stack import FrameStackConfig
from asr.ink import Ink
from asr.recogniser.config import RecogniserConfig
from asr.recogniser.parts import Parts, parts_of
from asr.recogniser.recogniser import Recogniser
from asr.recurrent.stack import StackConfig

INVENTORY = Inventory((BLANK, "a", "b", "c"), "characters")
RATE = 16000
SOUND = np.sin(np.arange(3200) / 5).astype(np.float32)  # 0.2 s
INK = Ink.of([[0, 0, 0.0], [10, 5, 0.1], [20, 0, 0.2]], [[25, 0, 0.5], [30, 9, 0.6]])
CELLS = tuple(GROUPS["model/cell"])


def small_config(pen: bool = False, cell: str = "lstm", per: str = "utterance") -> RecogniserConfig:
    """The configuration of a small recogniser of sound, or of ink."""
    made: dict[str, Any] = {
        "features": PenConfig() if pen else SpectralConfig(n_mels=8),
        "normaliser": NormaliserConfig(per=per),
        "stacking": FrameStackConfig(2, 1),
        "model": StackConfig(cell=GROUPS["model/cell"][cell](), hidden=8, layers=1),
        "decoder": GreedyConfig(),
    }
    return RecogniserConfig(INVENTORY, **{name: Component.of(one) for name, one in made.items()})


def small(config: RecogniserConfig, seed: int = 1, engine: str = "auto") -> Recogniser:
    """The recogniser, with the same weights each time."""
    torch.manual_seed(seed)
    parts = parts_of(config)
    if parts.normaliser.per == "corpus":
        dim = parts.extractor.dim
        state = {"mean": np.zeros(dim, dtype=np.float32), "deviation": np.ones(dim, dtype=np.float32)}
        parts = replace(parts, normaliser=parts.normaliser.with_state(state))
    faults = Faults()
    with faults.noted("model"):
        model = build_module(config.model, parts.n_features, len(config.inventory), config.plugins)
    faults.check()
    return Recogniser.of(config, parts, Engines(network_of(config, parts, model), engine))


def network_of(config: RecogniserConfig, parts: Parts, model: nn.Module) -> Network:
    """The network of a model of torch, with a copy of its weights."""
    weights = {name: one.detach().numpy().copy() for name, one in model.state_dict().items()}
    return Network(config.model, parts.n_features, len(config.inventory), weights, config.plugins)


def with_weights(recogniser: Recogniser, change: Callable[[dict[str, NDArray[Any]]], None]) -> Recogniser:
    """The recogniser with weights that `change` has changed in place; the engine is chosen anew."""
    network = recogniser.engines.network
    assert network is not None
    weights = {name: one.copy() for name, one in network.weights.items()}
    change(weights)
    engines = Engines(replace(network, weights=weights))
    engine, choice = engines.for_work(1)
    return replace(recogniser, engine=engine, engine_choice=choice, engines=engines)


def recognised(recogniser: Recogniser) -> Hypothesis:
    """What it makes of a little sound or ink: a text with finite scores, whatever its options are."""
    hypothesis = recogniser.transcribe(INK if recogniser.reads_ink else (SOUND, RATE))
    assert isinstance(hypothesis.text, str)
    return hypothesis
