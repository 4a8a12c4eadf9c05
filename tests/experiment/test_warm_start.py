"""Training that begins with the weights of another model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import asr
from asr.config import Component
from asr.corpus.inventory import Inventory
from asr.errors import ConfigError
from asr.experiment.experiment import Experiment
from asr.experiment.run_evaluation import evaluate_run
from asr.experiment.warm_start import check_fits, take_weights
from asr.recogniser.loading import best_of
from asr.training.checkpoint import load_checkpoint
from tests.experiment.conftest import compose_small, quiet
from tests.training.toy import Silent


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(best_of(run))["weights"]  # type: ignore[no-any-return]


def test_training_begins_where_the_other_model_ended(tones: Path, trained: Path, tmp_path: Path) -> None:
    values = compose_small(tones, init=str(trained), **{"training.epochs": "1", "optimizer.lr": "1e-9"})
    experiment = Experiment(values, tmp_path / "run", quiet)
    assert experiment.new_labels == 0
    for name, weight in weights_of(trained).items():
        assert torch.equal(experiment.model.state_dict()[name], weight), name
    experiment.train(Silent())
    result = evaluate_run(experiment.run, ("dev",), quiet)
    assert result.splits["dev"].rates["cer"].percent < 20


def test_other_labels_get_a_new_output_layer(tones: Path, trained: Path, tmp_path: Path) -> None:
    changes = {"inventory.unit": "labels", "scoring.rates": "[per]"}
    experiment = Experiment(compose_small(tones, init=str(trained), **changes), tmp_path / "run", quiet)
    assert experiment.new_labels == len(experiment.inventory)
    ours, theirs = experiment.model.state_dict(), weights_of(trained)
    kept = {name for name, weight in ours.items() if weight.shape == theirs[name].shape and weight.equal(theirs[name])}
    assert kept == {name for name in ours if not name.startswith("output.")}


def test_labels_that_both_know_keep_their_outputs(tones: Path, trained: Path, tmp_path: Path) -> None:
    experiment, old = Experiment(compose_small(tones), tmp_path / "run", quiet), asr.load(trained)
    blank, _, *rest = experiment.inventory.labels
    other = Inventory((blank, "\N{SNOWMAN}", *reversed(rest)), "characters")  # one new, others moved
    before = experiment.model.output.weight.clone()
    assert take_weights(experiment.model, other, old) == 1
    theirs = weights_of(trained)["output.weight"]
    for number, label in enumerate(other.labels):
        expected = before[number] if number == 1 else theirs[old.inventory.labels.index(label)]
        assert torch.equal(experiment.model.output.weight[number], expected), label


def test_a_model_older_than_an_option_has_its_default(tones: Path, trained: Path, tmp_path: Path) -> None:
    recogniser = Experiment(compose_small(tones), tmp_path / "run", quiet).recogniser
    source = asr.load(trained)
    config = source.config
    newer = ("direction", "skips")
    options = {name: value for name, value in config.model.options.items() if name not in newer}
    old = replace(config, model=Component(config.model.target, options))
    check_fits(recogniser.config, replace(source, config=old), "old")
    forward = replace(recogniser.config, model=recogniser.config.model.with_options(direction="forward"))
    with pytest.raises(ConfigError, match=r"its weights need model\.direction=both; give"):
        check_fits(forward, replace(source, config=old), "old")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model.hidden": "16"}, r"its weights need model\.hidden=32; give"),
        ({"stacking": "half", "features": "mfcc"}, r"features\..* stacking\.stride=1 stacking\.width=1"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    tones: Path, trained: Path, tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Experiment(compose_small(tones, init=str(trained), **changes), tmp_path / "run", quiet)


def test_a_model_that_is_not_there_is_named(tones: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="init=quikstart: no model 'quikstart'.*quickstart"):
        Experiment(compose_small(tones, init="quikstart"), tmp_path / "run", quiet)
