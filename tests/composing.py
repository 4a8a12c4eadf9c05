"""Compose the configuration of `asr-train` without its command line."""

from __future__ import annotations

from collections.abc import Sequence

from hydra import compose as hydra_compose
from hydra import initialize_config_dir

from asr.cli import options
from asr.experiment.run_config import RunConfig
from asr.experiment.schema import composed
from asr.resources import resource


def compose(overrides: Sequence[str]) -> RunConfig:
    """What `asr-train` would run with these overrides.

    >>> compose(["recipe=quickstart/speech", "training.seed=7"]).training.seed
    7
    """
    options.store()
    with initialize_config_dir(str(resource("conf")), version_base="1.3"):
        return composed(hydra_compose("train", list(overrides)))[0]
