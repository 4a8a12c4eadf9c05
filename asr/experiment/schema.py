"""The config dataclasses of `asr-train` by group, and the conversion of what Hydra composed.

`asr.cli.options` registers the dataclasses with Hydra.
"""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig, OmegaConf

from asr.config import Faults, check_plugins
from asr.decoding.choice import DECODERS
from asr.errors import ConfigError
from asr.experiment.corpus_splits import CorpusConfig
from asr.experiment.language_model_config import LanguageModelConfig
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
from asr.recurrent.label_model import LabelModelConfig
from asr.recurrent.stack import StackConfig
from asr.training.optimizers import AdamWConfig, SgdConfig
from asr.training.schedules import OneCycleConfig, PlateauConfig

GROUPS: dict[str, dict[str, type[Any]]] = {
    "corpus": {"schema": CorpusConfig},
    "features": {"schema": SpectralConfig, "pen_schema": PenConfig},
    "normaliser": {"schema": NormaliserConfig},
    "stacking": {"schema": FrameStackConfig},
    "augment": {"schema": AugmentConfig, "pen_schema": PenAugmentConfig},
    "model": {"schema": StackConfig, "label_schema": LabelModelConfig},
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


def composed_language_model(config: DictConfig) -> tuple[LanguageModelConfig, str | None]:
    """Convert the configuration that Hydra composed for a language model; also return `run_dir`.

    Raises:
        ConfigError: a required value is missing, or an unknown option was added with a plus.
    """
    values, run_dir = _values(config)
    return LanguageModelConfig.from_dict(values), run_dir


def composed(config: DictConfig) -> tuple[RunConfig, str | None]:
    """Convert the configuration that Hydra composed for a recogniser; also return `run_dir`.

    Raises:
        ConfigError: lists every option that is missing or invalid, and unknown options that were added with a plus.
    """
    named, run_dir = _values(config)
    faults = Faults()
    try:
        return RunConfig.from_dict(named), run_dir
    except ConfigError as error:
        faults.add(error)
    with faults.noted():  # also report faults in the groups that are only checked when they are built
        rest = RunConfig.from_dict({name: value for name, value in named.items() if name not in TYPED})
        check_plugins(rest.plugins)
        check_options(rest)
    faults.check()
    raise AssertionError("a configuration is read, or has faults")


def _values(config: DictConfig) -> tuple[dict[str, Any], str | None]:
    """Return the plain values of a composed configuration without `run_dir`, and `run_dir`."""
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise ConfigError(f"these options must be given: {', '.join(f'{name}=...' for name in missing)}")
    values = OmegaConf.to_container(config, resolve=True)
    assert isinstance(values, dict)
    run_dir = values.pop("run_dir", None)
    return {str(key): value for key, value in values.items()}, run_dir
