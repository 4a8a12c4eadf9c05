"""Small recognisers with random weights, of every kind of features and cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from asr.config import Component
from asr.corpus.inventory import BLANK, Inventory
from asr.decoding.greedy import GreedyConfig
from asr.decoding.hypothesis import Hypothesis
from asr.experiment.schema import GROUPS
from asr.features.normalise import NormaliserConfig
from asr.features.pen.extractor import PenConfig
from asr.features.sound.spectral import SpectralConfig
from asr.features.stack import FrameStackConfig
from asr.ink import Ink
from asr.recogniser.config import RecogniserConfig
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


def small(config: RecogniserConfig) -> Recogniser:
    """The recogniser, with the same weights each time."""
    torch.manual_seed(1)
    recogniser = Recogniser(config)
    recogniser.model.eval()
    if recogniser.normaliser.per == "corpus":
        dim = recogniser.extractor.dim
        recogniser.normaliser.load_state_dict({"mean": torch.zeros(dim), "deviation": torch.ones(dim)})
    return recogniser


def recognised(recogniser: Recogniser) -> Hypothesis:
    """What it makes of a little sound or ink: a text with finite scores, whatever its options are."""
    hypothesis = recogniser.transcribe(INK if recogniser.reads_ink else (SOUND, RATE))
    assert isinstance(hypothesis.text, str)
    return hypothesis
