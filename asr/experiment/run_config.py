"""The configuration of a run as one typed value, from Hydra to the run folder and back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from asr.config import Component, Faults, check_types, nearest
from asr.corpus.inventory import Inventory
from asr.errors import ConfigError
from asr.experiment.corpus_splits import CorpusConfig
from asr.recogniser.config import PARTS, RecogniserConfig
from asr.resources import user_cache
from asr.saved_targets import with_current_targets
from asr.training.loop import TrainingConfig

HARMLESS = ("cache_dir", "training.workers", "training.checkpoint_seconds", "training.tensorboard")
"""Options on which no result depends: they may change when a run is resumed."""


@dataclass
class InventoryConfig:
    """What the labels are."""

    unit: str = "labels"  # "labels" (phonemes of the corpus) or "characters" of the text
    fold: str | None = None  # a table of asr/corpus/phonemes.py for the labels; it also fixes the whole set


@dataclass
class LossConfig:
    """What is minimised beside the CTC loss."""

    consistency: float = 0.0
    """Weight of the divergence between two masked views of each utterance (Yao et al. 2025; 0.2 there). Each view is a
    reading of its own, so an epoch takes twice as long; 0: one view and no such term."""

    skip_unfit: bool = False  # leave out training utterances too short for their labels, instead of refusing them all

    def __post_init__(self) -> None:
        if not 0 <= self.consistency < math.inf:
            raise ConfigError(f"loss.consistency={self.consistency}; expected 0 or more, such as 0.2")


@dataclass
class ScoringConfig:
    """Which error rates are reported."""

    rates: list[str] = field(default_factory=lambda: ["per"])  # the first one picks the best epoch on dev

    def __post_init__(self) -> None:
        if not isinstance(self.rates, list) or not all(isinstance(name, str) for name in self.rates):
            raise ConfigError(f"scoring.rates={self.rates!r}; expected a list of names, such as [wer, cer]")


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
        loss, training, scoring: see their classes.
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
        """Where computed frames are kept."""
        return Path(self.cache_dir).expanduser() if self.cache_dir else user_cache() / "frames"

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as the plain values of a run folder's `config.yaml`."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunConfig:
        """Read what Hydra composed, or what `to_dict` wrote in this version or an earlier one.

        Raises:
            ConfigError: names every option that is unknown, missing or of a wrong type.
        """
        current, faults, known = with_current_targets(dict(values)), Faults(), get_type_hints(cls)
        with faults.noted():
            _check_names("", known, current)
        read: dict[str, Any] = {}
        for name, kind in known.items():
            if name in current:
                with faults.noted():
                    read[name] = _typed(name, kind, current[name])
        faults.check()
        missing = [one.name for one in fields(cls) if one.name not in read and _is_required(one.name)]
        if missing:
            raise ConfigError(f"these options must be given: {', '.join(f'{name}=...' for name in missing)}")
        return cls(**read)

    def differences(self, other: RunConfig) -> dict[str, tuple[object, object]]:
        """Find the options in which another configuration differs, without those on which no result depends.

        Returns:
            by name, the value here and the value there.
        """
        mine, its = dict(_flat(self.to_dict())), dict(_flat(other.to_dict()))
        keys = sorted((mine.keys() | its.keys()) - set(HARMLESS))
        return {key: (mine.get(key), its.get(key)) for key in keys if mine.get(key) != its.get(key)}


def _is_required(name: str) -> bool:
    return name not in ("inventory", "loss", "training", "scoring", "cache_dir", "plugins", "init")


def _typed(name: str, kind: Any, value: Any) -> Any:
    """The value of one field of `RunConfig`."""
    if kind is Component:
        return Component.of(value)
    if is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise ConfigError(f"{name}={value!r:.60}; expected a group of options")
        _check_names(f"{name}.", [one.name for one in fields(kind)], value)
        assert isinstance(kind, type)
        check_types(kind, value, name)
        return kind(**value)
    if name == "plugins":
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ConfigError(f"plugins={value!r:.60}; expected a list of modules, such as [my.features]")
        return tuple(value)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{name}={value!r:.60}; expected a word")
    return value


def _check_names(prefix: str, names: Any, values: Mapping[Any, Any]) -> None:
    known = [f"{prefix}{name}" for name in names]
    for name in (f"{prefix}{key}" for key in values):
        if name not in known:
            raise ConfigError(f"there is no option '{name}'{nearest(name, known)}; `asr-train --help` lists them")


def _plain(value: object) -> object:
    if isinstance(value, Component):
        return value.to_node()
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _flat(node: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(node, Mapping):
        for name, one in node.items():
            yield from _flat(one, f"{prefix}{name}.")
    else:
        yield prefix[:-1], node
