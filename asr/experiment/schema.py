"""The typed configuration of `asr-train`: every option, its type and default, stored where Hydra composes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, OmegaConf

from asr.config import nearest
from asr.decoding.greedy import GreedyConfig
from asr.errors import ConfigError
from asr.experiment.corpus_splits import CorpusConfig
from asr.experiment.experiment import InventoryConfig, LossConfig, ScoringConfig
from asr.features.normalise import NormaliserConfig
from asr.features.pen.augment import PenAugmentConfig
from asr.features.pen.extractor import PenConfig
from asr.features.sound.augment import AugmentConfig
from asr.features.sound.spectral import SpectralConfig
from asr.features.stack import FrameStackConfig
from asr.recurrent.cells.attention_lstm import AttentionLstmConfig
from asr.recurrent.cells.conv_lstm import ConvLstmConfig
from asr.recurrent.cells.gru import GruConfig
from asr.recurrent.cells.gru_before import GruBeforeConfig
from asr.recurrent.cells.ligru import LightGruConfig
from asr.recurrent.cells.lstm import LstmConfig
from asr.recurrent.cells.lstm_layernorm import LayerNormLstmConfig
from asr.recurrent.cells.lstm_peephole import PeepholeLstmConfig
from asr.recurrent.cells.lstm_projected import ProjectedLstmConfig
from asr.recurrent.cells.lstm_zoneout import ZoneoutLstmConfig
from asr.recurrent.cells.odyssey import OdysseyConfig
from asr.recurrent.cells.simple import SimpleConfig
from asr.recurrent.stack import StackConfig
from asr.resources import resource
from asr.training.loop import TrainingConfig
from asr.training.optimizers import AdamWConfig, SgdConfig
from asr.training.schedules import OneCycleConfig, PlateauConfig


@dataclass
class RunConfig:
    """Everything that a run depends on; `run_dir` says where it is kept."""

    recipe: str = MISSING  # the recipe's name; chosen with recipe=<task>/<name>
    run_dir: str | None = None  # a new folder, or one whose unfinished run goes on; None: runs/<recipe>/<date and time>
    cache_dir: str | None = None  # computed frames; None: the user's cache folder
    plugins: list[str] = field(default_factory=list)  # modules of your own that `_target_`s and readers may name
    init: str | None = None  # a model whose weights training begins with: a run, a bundle, a pretrained name
    corpus: Any = MISSING
    inventory: InventoryConfig = field(default_factory=InventoryConfig)
    features: Any = MISSING
    normaliser: Any = MISSING
    stacking: Any = MISSING
    augment: Any = MISSING
    model: Any = MISSING
    optimizer: Any = MISSING
    schedule: Any = MISSING
    loss: LossConfig = field(default_factory=LossConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    decoder: Any = MISSING
    scoring: ScoringConfig = field(default_factory=ScoringConfig)


GROUPS: dict[str, dict[str, Any]] = {
    "corpus": {"schema": CorpusConfig},
    "features": {"schema": SpectralConfig, "pen_schema": PenConfig},
    "normaliser": {"schema": NormaliserConfig},
    "stacking": {"schema": FrameStackConfig},
    "augment": {"schema": AugmentConfig, "pen_schema": PenAugmentConfig},
    "model": {"schema": StackConfig},
    "model/cell": {
        "simple": SimpleConfig,
        "lstm": LstmConfig,
        "lstm_peephole": PeepholeLstmConfig,
        "gru_before": GruBeforeConfig,
        "gru": GruConfig,
        "ligru": LightGruConfig,
        "odyssey": OdysseyConfig,
        "lstm_projected": ProjectedLstmConfig,
        "lstm_layernorm": LayerNormLstmConfig,
        "lstm_zoneout": ZoneoutLstmConfig,
        "conv_lstm": ConvLstmConfig,
        "attention_lstm": AttentionLstmConfig,
    },
    "optimizer": {"sgd": SgdConfig, "adamw": AdamWConfig},
    "schedule": {"one_cycle": OneCycleConfig, "plateau": PlateauConfig},
    "decoder": {"greedy": GreedyConfig},
}

READ_BY_FIELD = {
    "corpus": CorpusConfig,
    "inventory": InventoryConfig,
    "loss": LossConfig,
    "training": TrainingConfig,
    "scoring": ScoringConfig,
}
"""Groups that are no `_target_` of a class, which would refuse what it does not take."""


def store() -> None:
    """Put the schemas, and the recipes as the group `recipe`, where Hydra finds them."""
    configs = ConfigStore.instance()
    configs.store(name="run_schema", node=RunConfig)
    for group, nodes in GROUPS.items():
        for name, node in nodes.items():
            configs.store(group=group, name=name, node=node)
    for name, path in recipes().items():
        node = OmegaConf.merge(OmegaConf.load(path), {"recipe": name})
        configs.store(group=f"recipe/{path.parent.name}", name=path.stem, node=node, package="_global_")


def recipes() -> dict[str, Path]:
    """The recipes that come with the package: `task/name` and their files."""
    return {f"{path.parent.name}/{path.stem}": path for path in sorted(resource("recipes").glob("*/*.yaml"))}


def plain(config: Any) -> dict[str, Any]:
    """A composed configuration as plain values.

    Raises:
        ConfigError: a value that must be given is missing, or one that nobody reads was added with a plus.
    """
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise ConfigError(f"these options must be given: {', '.join(f'{name}=...' for name in missing)}")
    values = OmegaConf.to_container(config, resolve=True)
    assert isinstance(values, dict)
    _check_names("", RunConfig, values)
    for group, node in READ_BY_FIELD.items():
        _check_names(f"{group}.", node, values[group])
    return {str(key): value for key, value in values.items()}


def _check_names(prefix: str, node: type, values: Mapping[Any, Any]) -> None:
    known = [f"{prefix}{one.name}" for one in fields(node)]
    for name in (f"{prefix}{key}" for key in values):
        if name not in known:
            raise ConfigError(f"there is no option '{name}'{nearest(name, known)}; `asr-train --help` lists them")
