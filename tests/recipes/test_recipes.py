"""Every recipe composes and learns: on forty utterances of an embedded corpus, its loss falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import pytest

from asr.cli.options import primary_of, recipes
from asr.config import check_types
from asr.corpus.manifest import read_manifest
from asr.corpus.splits import write_corpus
from asr.corpus.utterance import Utterance
from asr.experiment.corpus_splits import CorpusConfig
from asr.experiment.experiment import Experiment
from asr.experiment.language_model_experiment import LanguageModelExperiment
from asr.experiment.run_config import RunConfig
from asr.experiment.sampling import SamplingConfig
from asr.ink.reading import read_ink
from data_prep.corpora import load_reader
from data_prep.espeak import reader as espeak
from data_prep.hershey import reader as hershey
from tests.composing import compose
from tests.experiment import language_models
from tests.training.toy import Silent

RECIPES = sorted(one for one in recipes() if primary_of([f"recipe={one}"]) == "train")
LANGUAGE_MODELS = sorted(recipes().keys() - set(RECIPES))


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
        "asr.features.sound.spectral.SpectralFeatures": CorpusConfig(reader="timit", root=str(root / "tree")),
        "asr.features.pen.extractor.PenFeatures": CorpusConfig(manifests=str(root / "manifest")),
    }


def test_all_recipes_are_found() -> None:
    assert {"quickstart/speech", "an4/ctc", "timit/ctc_3l_250h", "timit/ctc_5l_250h"} <= set(RECIPES)
    assert {name.split("/")[0] for name in RECIPES} >= {"timit_sample", "speechocean762"}
    assert LANGUAGE_MODELS == ["books/char_lstm"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_options_of_a_recipes_corpus_are_its_readers(recipe: str) -> None:
    """Which the next test, with a corpus of its own, does not see."""
    corpus = compose([f"recipe={recipe}"]).corpus
    for one in (corpus, *corpus.pool.values()):
        assert one.reader is not None
        config, options = load_reader(one.reader).Config, one.options
        assert set(options) <= {one.name for one in fields(config)}
        check_types(config, options)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_trains(recipe: str, corpora: dict[str, CorpusConfig], tmp_path: Path) -> None:
    config = composed(recipe, tmp_path)
    corpus = corpora[config.features.target]  # without the kinds of `sampling.shares`
    falls(replace(config, corpus=corpus, sampling=SamplingConfig()), tmp_path / "run")


def test_shares_name_the_kinds_that_the_reader_gives() -> None:
    config = compose(["recipe=unipen/everything"])
    options = config.corpus.options
    kinds = {options["category"], *str(options["also"]).split(",")}
    kinds |= {name for name in ("composed_rows", "composed_lines") if options[name]}
    assert config.sampling.by == "category"
    assert set(config.sampling.shares) == kinds


@pytest.mark.parametrize("recipe", ["iam_ondb/graves2009", "iam_ondb/carbune2020"])
def test_an_iam_ondb_recipe_trains_on_a_release(recipe: str, corpora: dict[str, CorpusConfig], tmp_path: Path) -> None:
    words = read_manifest(Path(corpora["asr.features.pen.extractor.PenFeatures"].manifests or "") / "train.jsonl")
    config = composed(recipe, tmp_path)
    options = {**config.corpus.options, "cache": str(tmp_path / "ink")}
    corpus = replace(config.corpus, root=str(write_iam(tmp_path / "iam", words)), options=options)
    falls(replace(config, corpus=corpus), tmp_path / "run")


@pytest.mark.parametrize("recipe", LANGUAGE_MODELS)
def test_a_recipe_of_a_language_model_trains(recipe: str, tmp_path: Path) -> None:
    small = ["model.hidden=12", "stream.epoch_characters=1000", "training.epochs=5", "training.frame_budget=320"]
    config = language_models.composed([f"recipe={recipe}", *small, "training.tensorboard=false", "training.threads=1"])
    parts = {"dev": ["letters"], "test": ["play"], "root": str(language_models.write_text(tmp_path / "text.txt"))}
    watcher = Silent()
    config = replace(config, corpus=replace(config.corpus, **parts))
    LanguageModelExperiment(config, tmp_path / "run").train(watcher)
    losses = [row.loss for row in watcher.rows]
    assert len(losses) == 5
    assert losses[-1] < losses[0]


def composed(recipe: str, folder: Path) -> RunConfig:
    """A recipe, small."""
    return compose(
        [
            f"recipe={recipe}",
            "init=null",
            "model.hidden=16",
            "training.epochs=5",
            "training.frame_budget=600",
            "training.threads=1",
            "training.tensorboard=false",
            f"cache_dir={folder / 'cache'}",
        ]
    )


def falls(config: RunConfig, folder: Path) -> None:
    """Train, and see the loss fall."""
    watcher = Silent()
    experiment = Experiment(config, folder, lambda what, done, total: None)
    experiment.train(watcher)
    losses = [row.loss for row in watcher.rows]
    assert len(losses) == 5
    assert losses[-1] < losses[0]


def write_iam(root: Path, words: Sequence[Utterance]) -> Path:
    """A release of IAM-OnDB with a form for every word; all but the last four train."""
    forms: dict[str, list[str]] = {"trainset": [], "testset_v": [], "testset_t": [], "testset_f": []}
    for number, word in enumerate(words):
        form = f"a{number // 10:02d}-{number % 10:03d}"
        strokes, text = (root / part / form[:3] / form for part in ("lineStrokes", "ascii"))
        for folder in (strokes, text):
            folder.mkdir(parents=True)
        ink = read_ink(word.source, int(word.start or 0), int(word.duration or 0))
        xml = "".join(
            "<Stroke>" + "".join(f'<Point x="{x}" y="{-y}" time="0"/>' for x, y in stroke.points) + "</Stroke>"
            for stroke in ink.strokes
        )
        (strokes / f"{form}-01.xml").write_text(
            f"<WhiteboardCaptureSession><StrokeSet>{xml}</StrokeSet></WhiteboardCaptureSession>"
        )
        (text / f"{form}.txt").write_text(f"CSR:\n\n{word.text}\n")
        last = len(words) - number
        forms["trainset" if last > 4 else ("testset_v" if last > 2 else "testset_f")].append(form)
    for name, listed in forms.items():
        (root / f"{name}.txt").write_text("".join(f" {form}\n" for form in listed))
    return root
