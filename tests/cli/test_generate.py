"""`asr-train` of a language model, and `asr-generate`, as a user runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from asr.cli.options import primary_of
from asr.lm.corpus import Corpus
from asr.lm.stored import save_model
from tests.commands import command
from tests.experiment.language_models import write_text
from tests.lm.samples import estimate


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lm")
    ended = command(
        "train", "recipe=books/char_lstm", f"corpus.root={write_text(folder / 'text.txt')}", "corpus.dev=[letters]",
        "corpus.test=[play]", "model.hidden=24", "model.embedding=8", "stream.epoch_characters=4000",
        "optimizer.lr=0.02", "training.epochs=8", "training.max_utterances=4", "training.frame_budget=80",
        "training.threads=1", "training.tensorboard=false", "run_dir=run", cwd=folder,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert [line.split("\t")[0] for line in ended.stdout.splitlines()] == ["dev", "test"]
    assert "bits per character (" in ended.stdout
    assert "epoch   8/8" in ended.stderr
    assert "the model is" in ended.stderr
    return folder / "run"


def generate(run: Path, *options: str) -> str:
    ended = command("generate", *options, cwd=run)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("model", [".", "model.lm"])
def test_the_same_seed_writes_the_same(run: Path, model: str) -> None:
    first, again, other = (generate(run, model, "--length", "80", "--seed", seed) for seed in "112")
    assert first == again != other
    assert len(first) == 81  # a line break ends the output
    assert len(set(first.split()) & {"sun", "moon", "noon", "soon", "mouse"}) >= 2


def test_a_prompt_goes_on(run: Path) -> None:
    assert generate(run, ".", "--prompt", "mou", "--length", "2", "--temperature", "0") == "mouse\n"
    assert generate(run, ".", "--prompt", "m", "--length", "0") == "m\n"


def test_a_hot_model_wanders(run: Path) -> None:
    assert len(set(generate(run, ".", "--length", "300", "--temperature", "50"))) > 60
    assert len(set(generate(run, ".", "--length", "300", "--temperature", "0.5"))) < 20


@pytest.mark.parametrize(
    ("unit", "expected"), [("characters", {"sun", "moon", "noon", "soon", "mouse"}), ("words", {"sun"})]
)
def test_an_ngram_model_writes_too(unit: str, expected: set[str], tmp_path: Path) -> None:
    sentences = ["sun moon noon", "soon mouse", "moon sun sun soon", "noon mouse moon"]
    save_model(tmp_path / "n.lm", estimate(Corpus.of(sentences * 3, unit), 3))  # type: ignore[arg-type]
    written = generate(tmp_path, "n.lm", "--length", "200", "--temperature", "0.5")
    assert expected <= set(written.split())
    assert written == generate(tmp_path, "n.lm", "--length", "200", "--temperature", "0.5")


@pytest.mark.parametrize("unit", ["words", "labels"])
@pytest.mark.parametrize("prompt", ["sun moon", "sun moon "])
def test_a_blank_stands_between_a_prompt_and_the_next_word(unit: str, prompt: str, tmp_path: Path) -> None:
    save_model(tmp_path / "n.lm", estimate(Corpus.of(["sun moon noon"] * 3, unit), 3))  # type: ignore[arg-type]
    written = generate(tmp_path, "n.lm", "--prompt", prompt, "--length", "1", "--temperature", "0")
    assert written == "sun moon noon \n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nothing"], "no language model is named nothing"),
        ([".", "--prompt", "\u00e9"], "the model does not know"),
        ([".", "--temperature", "-1"], "temperature=-1"),
        ([".", "--length", "-1"], "length=-1"),
    ],
)
def test_what_is_wrong_is_said(run: Path, options: list[str], message: str) -> None:
    ended = command("generate", *options, cwd=run)
    assert ended.returncode == 1
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_recipe_says_what_is_trained(tmp_path: Path) -> None:
    assert primary_of(["recipe=books/char_lstm", "training.seed=2"]) == "train_language_model"
    assert primary_of(["recipe=an4/ctc"]) == primary_of([]) == primary_of(["recipe=typo"]) == "train"
    (tmp_path / "recipe/own").mkdir(parents=True)
    (tmp_path / "recipe/own/mine.yaml").write_text("# @package _global_\ntask: language_model\n")
    assert primary_of(["recipe=own/mine"], str(tmp_path)) == "train_language_model"


def test_an_option_of_a_recogniser_is_none_of_a_language_model(tmp_path: Path) -> None:
    ended = command("train", "recipe=books/char_lstm", "features.dither=1", cwd=tmp_path)
    assert ended.returncode == 1
    assert "there is no option 'features.dither'" in ended.stderr
