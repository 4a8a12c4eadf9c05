"""The typed configuration of `asr-train`: every option, its type and default, stored where Hydra composes from."""

from __future__ import annotations

from dataclasses import MISSING as REQUIRED
from dataclasses import field, fields, is_dataclass, make_dataclass
from pathlib import Path
from typing import Any, Optional, get_type_hints

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from asr.config import Component, Faults, check_plugins
from asr.decoding.choice import DECODERS
from asr.errors import ConfigError
from asr.experiment.corpus_splits import CorpusConfig
from asr.experiment.option_checks import check_options
from asr.experiment.run_config import TYPED, RunConfig
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
from asr.training.optimizers import AdamWConfig, SgdConfig
from asr.training.schedules import OneCycleConfig, PlateauConfig

GROUPS: dict[str, dict[str, type[Any]]] = {
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
    "decoder": dict(DECODERS),
}


def store() -> None:
    """Put the schemas, and the recipes as the group `recipe`, where Hydra finds them."""
    configs = ConfigStore.instance()
    configs.store(name="run_schema", node=run_schema())
    for group, nodes in GROUPS.items():
        for name, node in nodes.items():
            configs.store(group=group, name=name, node=node)
    for name, path in recipes().items():
        recipe = OmegaConf.merge(OmegaConf.load(path), {"recipe": name})
        configs.store(group=f"recipe/{path.parent.name}", name=path.stem, node=recipe, package="_global_")


def recipes() -> dict[str, Path]:
    """The recipes that come with the package: `task/name` and their files."""
    return {f"{path.parent.name}/{path.stem}": path for path in sorted(resource("recipes").glob("*/*.yaml"))}


def run_schema() -> type:
    """Return `RunConfig` as Hydra checks it: a group may hold any class's options, and `run_dir` stands beside."""
    rows: list[tuple[str, Any, Any]] = [("run_dir", Optional[str], None)]  # noqa: UP045  (OmegaConf on Python 3.10)
    hints = get_type_hints(RunConfig)
    for one in fields(RunConfig):
        kind = hints[one.name]
        if kind in (Component, CorpusConfig):
            rows.append((one.name, Any, MISSING))
        elif one.name == "plugins":
            rows.append((one.name, list[str], field(default_factory=list)))
        elif is_dataclass(kind):
            rows.append((one.name, kind, field(default_factory=kind)))  # type: ignore[arg-type]  # a class
        else:
            rows.append((one.name, kind, MISSING if one.default is REQUIRED else one.default))
    return make_dataclass("RunSchema", rows)


def composed(config: DictConfig) -> tuple[RunConfig, str | None]:
    """Return the typed configuration that Hydra composed, and `run_dir`.

    Raises:
        ConfigError: a value that must be given is missing, or one that nobody reads was added with a plus.
    """
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise ConfigError(f"these options must be given: {', '.join(f'{name}=...' for name in missing)}")
    values = OmegaConf.to_container(config, resolve=True)
    assert isinstance(values, dict)
    run_dir = values.pop("run_dir", None)
    named = {str(key): value for key, value in values.items()}
    faults = Faults()
    try:
        return RunConfig.from_dict(named), run_dir
    except ConfigError as error:
        faults.add(error)
    with faults.noted():  # what else is wrong, in the groups that are checked when they are built
        rest = RunConfig.from_dict({name: value for name, value in named.items() if name not in TYPED})
        check_plugins(rest.plugins)
        check_options(rest)
    faults.check()
    raise AssertionError("a configuration is read, or has faults")
