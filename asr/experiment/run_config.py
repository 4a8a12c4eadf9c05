"""The configuration of a run as one typed value, from Hydra to the run folder and back."""

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
"""The groups whose options are checked when a configuration is read; those of components when they are built."""


@dataclass
class InventoryConfig:
    """Options of the labels."""

    unit: str = "labels"  # "labels" (phonemes of the corpus) or "characters" of the text
    fold: str | None = None  # a table of asr/corpus/phonemes.py for the labels; it also fixes the whole set

    def __post_init__(self) -> None:
        of_labels = self.fold is None or self.unit == "labels"
        tables = one_of(self.fold, FOLDS) if of_labels else (False, "null with unit=characters, whose text has none")
        conditions = {"unit": one_of(self.unit, get_args(Unit)), "fold": (self.fold is None or tables[0], tables[1])}
        check_values(vars(self), conditions)


@dataclass
class LossConfig:
    """Options of the terms that are minimised beside the CTC loss."""

    consistency: float = 0.0
    """Weight of the divergence between two masked views of each utterance (Yao et al. 2025; 0.2 there). Each view is a
    reading of its own, so an epoch takes twice as long; 0: one view and no such term."""

    skip_unfit: bool = False  # leave out training utterances too short for their labels, instead of refusing them all

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
    """Everything that a run depends on, but for the folder that it is kept in.

    Attributes:
        recipe: the recipe's name.
        features, normaliser, stacking, model, decoder: what the recogniser is made of.
        corpus: where the utterances come from.
        augment: what is done to training utterances in each epoch.
        optimizer, schedule: how the weights are changed.
        inventory: what the labels are.
        loss, sampling, training, scoring: see their classes.
        cache_dir: where computed frames are kept; None: the user's cache folder.
        plugins: modules of the user's that hold classes of the components, or readers.
        init: a model whose weights training begins with: a run, a bundle, a pretrained name.
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
        """Return the part of the configuration that a recogniser is, with the labels found in the corpus."""
        return RecogniserConfig(inventory, **{part: getattr(self, part) for part in PARTS}, plugins=self.plugins)

    @property
    def frames_folder(self) -> Path:
        """The place of computed frames."""
        return Path(self.cache_dir).expanduser() if self.cache_dir else user_cache() / "frames"

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as the plain values of a run folder's `config.yaml`."""
        return plain_settings(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunConfig:
        """Read what Hydra composed, or what `to_dict` wrote in this version or an earlier one.

        Raises:
            ConfigError: names every option that is unknown, missing or of a wrong type.
        """
        if values.get("task") is not None:
            raise ConfigError("it trains a language model, not a recogniser; its model.lm is for decoder.lm=")
        return read_settings(cls, values)
