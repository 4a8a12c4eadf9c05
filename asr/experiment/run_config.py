"""Typed configuration of a run that trains a recogniser, read from Hydra or a run folder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from asr.config import Component, check_values, nearest, one_of
from asr.corpus.inventory import Inventory, Unit
from asr.corpus.phonemes import FOLDS
from asr.errors import ConfigError
from asr.experiment.corpus_splits import CorpusConfig
from asr.experiment.sampling import SamplingConfig
from asr.experiment.settings import plain_settings, read_settings
from asr.recogniser.config import PARTS, RecogniserConfig
from asr.resources import user_cache
from asr.scoring.named_rates import RATES
from asr.training.loop import TrainingConfig

TYPED = ("inventory", "loss", "sampling", "training", "scoring")
"""The groups whose options are checked when a configuration is read; other groups are checked when they are built."""


@dataclass
class InventoryConfig:
    """Options of the label inventory."""

    unit: str = "labels"  # "labels" (phonemes of the corpus) or "characters" of the text
    fold: str | None = None  # folding table in asr/corpus/phonemes.py for the labels; it also fixes the set of labels

    def __post_init__(self) -> None:
        of_labels = self.fold is None or self.unit == "labels"
        tables = one_of(self.fold, FOLDS) if of_labels else (False, "null with unit=characters")
        conditions = {"unit": one_of(self.unit, get_args(Unit)), "fold": (self.fold is None or tables[0], tables[1])}
        check_values(vars(self), conditions)


@dataclass
class LossConfig:
    """Options of the loss."""

    consistency: float = 0.0
    """Weight of the divergence between two masked views of each utterance (Yao et al. 2025, who use 0.2). The network
    reads both views, so an epoch takes twice as long; 0: one view, no such term."""

    skip_unfit: bool = False  # leave out training utterances too short for their labels, instead of reporting an error

    def __post_init__(self) -> None:
        check_values(vars(self), {"consistency": (0 <= self.consistency < math.inf, "0 or more, such as 0.2")})


@dataclass
class ScoringConfig:
    """The error rates to report."""

    rates: list[str] = field(default_factory=lambda: ["per"])  # the first one picks the best epoch on dev

    def __post_init__(self) -> None:
        known = all(name in RATES for name in self.rates) and len(self.rates) > 0
        check_values(vars(self), {"rates": (known, f"one or more of {', '.join(RATES)}{_nearest_rate(self.rates)}")})


def _nearest_rate(names: Sequence[str]) -> str:
    return next((nearest(name, RATES) for name in names if name not in RATES), "")


@dataclass(frozen=True)
class RunConfig:
    """The whole configuration of a run, except its folder.

    Attributes:
        recipe: the recipe's name.
        features, normaliser, stacking, model, decoder: the parts of the recogniser.
        corpus: the source of the utterances.
        augment: the changes to training utterances in each epoch.
        optimizer, schedule: the optimiser and its learning rates.
        inventory: the kind of labels.
        loss, sampling, training, scoring: see their classes.
        cache_dir: the folder for computed frames; None for the user's cache folder.
        plugins: the user's modules with classes of the components, or with readers.
        init: a model whose weights training starts from: a run folder, a bundle or a pretrained name; None for random
            weights.
    """

    recipe: str
    features: Component
    normaliser: Component
    stacking: Component
    model: Component
    decoder: Component
    corpus: CorpusConfig
    augment: Component
    optimizer: Component
    schedule: Component
    inventory: InventoryConfig = field(default_factory=InventoryConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    scoring: ScoringConfig = field(default_factory=ScoringConfig)
    cache_dir: str | None = None
    plugins: tuple[str, ...] = ()
    init: str | None = None

    def recogniser(self, inventory: Inventory) -> RecogniserConfig:
        """Return the configuration of the recogniser, with the labels found in the corpus."""
        return RecogniserConfig(inventory, **{part: getattr(self, part) for part in PARTS}, plugins=self.plugins)

    @property
    def frames_folder(self) -> Path:
        """The folder for computed frames."""
        return Path(self.cache_dir).expanduser() if self.cache_dir else user_cache() / "frames"

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as the plain values of a run folder's `config.yaml`."""
        return plain_settings(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunConfig:
        """Read the values that Hydra composed, or that `to_dict` of this or an earlier version returned.

        Raises:
            ConfigError: lists every option that is unknown, missing or of the wrong type; or the configuration is
                that of a language model.
        """
        if values.get("task") is not None:
            raise ConfigError("it trains a language model, not a recogniser; its model.lm is for decoder.lm=")
        return read_settings(cls, values)
