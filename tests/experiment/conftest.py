"""One small trained run that the tests of this room share."""

from __future__ import annotations

from pathlib import Path

import pytest

from asr.experiment.experiment import Experiment
from asr.experiment.run_config import RunConfig
from asr.experiment.run_evaluation import evaluate_run
from tests.composing import compose
from tests.tones import make_corpus, small_run
from tests.training.toy import Silent


def quiet(what: str, done: int, total: int) -> None:
    """A progress callback that shows nothing."""


def compose_small(root: Path, **changes: str) -> RunConfig:
    """The configuration of a small run."""
    return compose(small_run(root, **changes))


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("tones"))


@pytest.fixture(scope="session")
def trained(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder whose model has learned the tones."""
    folder = tmp_path_factory.mktemp("run")
    values = compose_small(tones, **{"training.epochs": "50"})
    experiment = Experiment(values, folder, quiet)
    experiment.train(Silent())
    evaluate_run(experiment.run, ("dev", "test"), quiet)
    return folder
