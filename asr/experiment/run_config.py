"""The configuration of a run as one typed value, from Hydra to the run folder and back."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from asr.config import Component, Faults, check_types, check_values, nearest, one_of, raise_faults
from asr.corpus.inventory import Inventory, Unit
from asr.corpus.phonemes import FOLDS
from asr.errors import ConfigError
from asr.experiment.corpus_splits import CorpusConfig
from asr.recogniser.config import PARTS, RecogniserConfig
from asr.resources import user_cache
from asr.saved_targets import with_current_targets
from asr.scoring.named_rates import RATES
from asr.training.loop import TrainingConfig

HARMLESS = ("cache_dir", "training.workers", "training.checkpoint_seconds", "training.tensorboard")
"""Options on which no result depends: they may change when a run is resumed."""
TYPED = ("inventory", "loss", "training", "scoring")
"""The groups whose options are checked when a configuration is read; those of components when they are built."""

_LONGEST = 60  # characters of an unknown option in a message


@dataclass
class InventoryConfig:
    """What the labels are."""

    unit: str = "labels"  # "labels" (phonemes of the corpus) or "characters" of the text
    fold: str | None = None  # a table of asr/corpus/phonemes.py for the labels; it also fixes the whole set

    def __post_init__(self) -> None:
        of_labels = self.fold is None or self.unit == "labels"
        tables = one_of(self.fold, FOLDS) if of_labels else (False, "null with unit=characters, whose text has none")
        conditions = {"unit": one_of(self.unit, get_args(Unit)), "fold": (self.fold is None or tables[0], tables[1])}
        check_values(vars(self), conditions)


@dataclass
class LossConfig:
    """What is minimised beside the CTC loss."""

    consistency: float = 0.0
    """Weight of the divergence between two masked views of each utterance (Yao et al. 2025; 0.2 there). Each view is a
    reading of its own, so an epoch takes twice as long; 0: one view and no such term."""

    skip_unfit: bool = False  # leave out training utterances too short for their labels, instead of refusing them all

    def __post_init__(self) -> None:
        check_values(vars(self), {"consistency": (0 <= self.consistency < math.inf, "0 or more, such as 0.2")})


@dataclass
class ScoringConfig:
    """Which error rates are reported."""

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
    return name not in (*TYPED, "cache_dir", "plugins", "init")


def _typed(name: str, kind: Any, value: Any) -> Any:
    """Read the value of one field of `RunConfig`."""
    if kind is Component or is_dataclass(kind):
        check_values({name: value}, {name: (isinstance(value, Mapping), "a group of options")})
        return Component.of(value) if kind is Component else _group(name, kind, value)
    if name == "plugins":
        words = isinstance(value, list) and all(isinstance(one, str) for one in value)
        check_values({name: value}, {name: (words, "a list of modules, such as [my.features]")})
        return tuple(value)
    check_values({name: value}, {name: (value is None or isinstance(value, str), "a word")})
    return value


def _group(name: str, kind: Any, values: Mapping[Any, Any]) -> Any:
    """Read the options of one group into its dataclass, and report all faults together."""
    known, faults = [one.name for one in fields(kind)], Faults()
    with faults.noted():
        _check_names(f"{name}.", known, values)
    there = {key: value for key, value in values.items() if key in known}
    with faults.noted(name):
        check_types(kind, there)
        read = kind(**there)
    faults.check()
    return read


def _check_names(prefix: str, names: Collection[str], values: Mapping[Any, Any]) -> None:
    """Raise a ConfigError that names every option that is not among the names."""
    known = [f"{prefix}{name}" for name in names]
    given = [f"{prefix}{key}"[:_LONGEST] for key in values]
    raise_faults(
        [
            f"there is no option {name!r}{nearest(name, known)}; `asr-train --help` lists them"
            for name in given
            if name not in known
        ]
    )


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
