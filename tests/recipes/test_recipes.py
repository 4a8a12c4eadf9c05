"""Every recipe composes and learns: on forty utterances of an embedded corpus, its loss falls."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from asr.cli.schema import recipes
from asr.recognition.corpora import CorpusConfig
from asr.recognition.experiment import Experiment
from data_prep import espeak, hershey
from data_prep.corpora import write_corpus
from tests.composing import compose
from tests.training.toy import Silent

RECIPES = sorted(recipes())


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CorpusConfig]:
    """For each kind of feature: a TIMIT tree of the embedded corpus, and words of the embedded pen corpus."""
    root = tmp_path_factory.mktemp("corpus")
    sizes = {"train": 40, "dev": 2, "test": 2, "train_speakers": 2, "dev_speakers": 2, "test_speakers": 2}
    espeak.prepare(espeak.Config(root=str(root / "tree"), **sizes))
    few = {"dev": 30, "test": 30, "dev_writers": 2, "test_writers": 2}
    splits = hershey.prepare(hershey.Config(root=str(root / "ink"), train=60, train_writers=4, **few))
    known = {letter for one in splits["train"][:40] for letter in one.text or ""}
    spelled = {name: [one for one in part if set(one.text or "") <= known][:40] for name, part in splits.items()}
    write_corpus(spelled, root / "manifest")
    return {
        "asr.features.spectral.SpectralFeatures": CorpusConfig(reader="timit", root=str(root / "tree")),
        "asr.features.pen.PenFeatures": CorpusConfig(manifests=str(root / "manifest")),
    }


def test_all_recipes_are_found() -> None:
    assert {"quickstart/speech", "an4/ctc", "timit/ctc_3l_250h", "timit/ctc_5l_250h"} <= set(RECIPES)
    assert {name.split("/")[0] for name in RECIPES} >= {"timit_sample", "speechocean762"}


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_trains(recipe: str, corpora: dict[str, CorpusConfig], tmp_path: Path) -> None:
    values = compose(
        [
            f"recipe={recipe}",
            "init=null",
            "model.hidden=16",
            "training.epochs=5",
            "training.frame_budget=600",
            "training.threads=1",
            "training.tensorboard=false",
            f"cache_dir={tmp_path / 'cache'}",
        ]
    )
    values.pop("run_dir")
    values["corpus"] = asdict(corpora[values["features"]["_target_"]])
    watcher = Silent()
    experiment = Experiment(values, tmp_path / "run", lambda what, done, total: None)
    experiment.train(watcher)
    losses = [row["loss"] for row in watcher.rows]
    assert len(losses) == 5
    assert losses[-1] < losses[0]
