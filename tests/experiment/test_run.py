"""A whole run on a corpus of tones: it learns, its files are complete, every way to load it gives the same text."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import asr
from asr import files
from asr.corpus.manifest import read_manifest, write_manifest
from asr.errors import CheckpointError, ConfigError, DataError, Problems
from asr.evaluation.result import read_result
from asr.experiment.experiment import Experiment
from asr.experiment.folds import evaluate_folds
from asr.experiment.run_evaluation import evaluate_run
from asr.experiment.run_folder import RunFolder
from asr.scoring.edits import ErrorCounts
from asr.training.checkpoint import load_checkpoint, save_checkpoint
from tests.experiment.conftest import compose_small, quiet
from tests.tones import make_corpus


def test_the_run_folder_is_complete(trained: Path) -> None:
    result = json.loads((trained / "result.json").read_text())
    assert result["recipe"] == "quickstart/speech"
    assert result["splits"]["test"]["rates"]["cer"]["percent"] < 5.0
    assert result["splits"]["test"]["utterances"] == 6
    assert result["data"]["train"]["utterances"] == 64
    assert (result["scoring"], result["decoder"]["name"], result["decoder"]["chosen_on"]) == (2, "greedy", None)
    for name in ("config.yaml", "environment.json", "metrics.jsonl", "checkpoints/best.pt", "checkpoints/last.pt"):
        assert (trained / name).is_file(), name
    for name in ("ref.trn", "hyp.trn", "utterances.jsonl"):
        assert (trained / "decode" / "test" / name).is_file(), name


def test_metrics_have_a_row_an_epoch(trained: Path) -> None:
    rows = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == list(range(50))
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert 0.0 < rows[-1]["blank_share"] < 1.0


def test_rates_of_every_value_of_a_tag_add_up_to_those_of_the_split(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    split = evaluate_run(RunFolder(folder), ["test"], quiet, by="speaker").splits["test"]
    groups = split.by["speaker"]
    assert len(groups) > 1
    assert sum((group["cer"].counts for group in groups.values()), ErrorCounts()) == split.rates["cer"].counts
    with pytest.raises(
        ConfigError, match=r"no utterance has the tag 'speker'; did you mean 'speaker'\?; expected one of seen, speaker"
    ):
        evaluate_run(RunFolder(folder), ["test"], quiet, by="speker")


def test_texts_of_the_training_split_are_reported_apart(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    rows = [json.loads(line) for line in (folder / "manifest/test.jsonl").read_text().splitlines()]
    known = {json.loads(line)["text"] for line in (folder / "manifest/train.jsonl").read_text().splitlines()}
    split = evaluate_run(RunFolder(folder), ["test"], quiet, by="seen").splits["test"]
    letters = {answer: sum(len(row["text"]) for row in rows if (row["text"] in known) is seen)
               for answer, seen in (("yes", True), ("no", False))}  # fmt: skip
    found = {answer: rates["cer"].counts.reference for answer, rates in split.by["seen"].items()}
    assert found == {answer: count for answer, count in letters.items() if count}


def test_only_the_files_of_what_is_decoded_need_be_there(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    for split in ("train", "dev"):
        manifest = folder / "manifest" / f"{split}.jsonl"
        manifest.write_text(manifest.read_text().replace(".wav", ".gone"))
    result = evaluate_run(RunFolder(folder), ["test"], quiet)
    assert result.training.data == read_result(trained / "result.json").training.data
    with pytest.raises(Problems, match=r"dev\.jsonl:1: .* does not exist"):
        evaluate_run(RunFolder(folder), ["dev"], quiet)


def test_a_run_folder_that_cannot_be_written_is_refused_before_anything_is_decoded(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(tmp_path / "run")
    shutil.copytree(trained, run.path, ignore=shutil.ignore_patterns("decode"))

    def decoding(what: str, done: int, total: int) -> None:
        pytest.fail(f"{what} was begun")

    (run.path / "decode").write_text("a file")
    with pytest.raises(
        DataError, match="test is beneath the file .*decode, but the result must be written there; copy"
    ):
        evaluate_run(run, ["test"], decoding)

    monkeypatch.setattr(files.os, "access", lambda place, mode: False)  # root may write everywhere
    with pytest.raises(
        DataError, match="run may not be written, but the result must be written there; copy the run folder"
    ):
        evaluate_run(run, ["test"], decoding)
    with pytest.raises(
        DataError, match="run may not be written, but the result must be written there; copy the run folder"
    ):
        evaluate_folds([run], ["test"], decoding)


def test_the_same_folder_with_other_options_is_refused(trained: Path, tones: Path) -> None:
    values = compose_small(tones, **{"training.epochs": "51"})
    with pytest.raises(ConfigError, match=r"another configuration: training\.epochs \(was 50, is 51\)"):
        Experiment(values, trained, quiet)


def test_a_folder_that_holds_something_else_is_refused(tones: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(ConfigError, match="is not empty and contains no run"):
        Experiment(compose_small(tones), tmp_path, quiet)


def test_an_utterance_too_short_for_its_labels_is_named_before_training(tmp_path: Path) -> None:
    root = make_corpus(tmp_path / "tones")
    lines = (root / "train.jsonl").read_text().splitlines()
    row = json.loads(lines[3])
    row["text"] = "ab" * 200
    (root / "train.jsonl").write_text("\n".join([*lines[:3], json.dumps(row), *lines[4:]]) + "\n")
    with pytest.raises(Problems, match=r"'train03': \d+ frames cannot carry 400 labels with 0 repeats"):
        Experiment(compose_small(root), tmp_path / "run", quiet)


def test_symbols_that_training_never_saw_are_named(tmp_path: Path) -> None:
    root = make_corpus(tmp_path / "tones")
    lines = (root / "dev.jsonl").read_text().splitlines()
    row = json.loads(lines[0])
    row["text"] = "aß"
    (root / "dev.jsonl").write_text("\n".join([json.dumps(row), *lines[1:]]) + "\n")
    with pytest.raises(Problems, match=r"dev: 'dev00': .*'ß' \(U\+00DF\)"):
        Experiment(compose_small(root), tmp_path / "run", quiet)


def test_a_run_folder_cannot_allow_its_own_plugins(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    saved = load_checkpoint(run.path / "checkpoints" / "best.pt")
    saved["bundle"]["config"]["plugins"] = ["shutil"]
    saved["bundle"]["config"]["features"] = {"_target_": "shutil.rmtree", "path": str(run.path)}
    save_checkpoint(run.path / "checkpoints" / "best.pt", saved)
    run.config.write_text(run.config.read_text().replace("plugins: []", "plugins: [shutil]"))
    assert run.read_config().plugins == ("shutil",)
    with pytest.raises(
        CheckpointError, match="requires code from the modules shutil; if you trust it, .*--plugin shutil"
    ):
        evaluate_run(run, ("test",), quiet)
    assert run.path.is_dir()


@pytest.mark.parametrize("text", ["", "[1, 2]", "seed: ${nowhere}", "training: 3", "a: [", "\x00"])
def test_a_damaged_configuration_of_a_run_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(CheckpointError, match=r"config\.yaml (cannot be read|is not the configuration of a run)"):
        RunFolder(tmp_path).read_config()


def test_a_damaged_result_file_is_written_anew(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / "result.json").write_text("{")
    with pytest.raises(DataError, match="not a result file .*; write it with asr-evaluate"):
        asr.load(tmp_path / "run")
    evaluate_run(RunFolder(tmp_path / "run"), ("test",), quiet)
    assert asr.load(tmp_path / "run").card.about["recipe"] == "quickstart/speech"


def test_a_run_that_is_not_finished_says_so(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    config = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(config.replace("epochs: 50", "epochs: 51"))
    assert not evaluate_run(RunFolder(folder), ["dev"], quiet).training.finished
    assert "unfinished" not in json.loads((trained / "result.json").read_text())


def test_folds_add_up(trained: Path, tones: Path, tmp_path: Path) -> None:
    """Two runs that differ in who is tested are one result; what are no folds is refused before anything is decoded."""
    folds = [RunFolder(tmp_path / name) for name in ("first", "second")]
    test = read_manifest(tones / "test.jsonl")
    for number, (fold, part) in enumerate(zip(folds, (test[:2], test[2:]), strict=True)):
        shutil.copytree(trained, fold.path)
        write_manifest(fold.data / "test.jsonl", part)
        told = json.loads(fold.environment.read_text()) | {
            "options": ["model.hidden=32", f"corpus.options.fold={number}"]
        }
        fold.environment.write_text(json.dumps(told))
    result = evaluate_folds(folds, ["test"], quiet)
    whole = read_result(trained / "result.json")
    assert result.splits["test"].rates["cer"].counts == whole.splits["test"].rates["cer"].counts
    assert (result.folds, result.recipe) == (2, "quickstart/speech")
    assert result.options == ("model.hidden=32",)  # in which all of them depart
    assert whole.training.seconds is not None
    assert result.training.seconds == pytest.approx(2 * whole.training.seconds, abs=0.11)
    assert (result.training.epochs, result.training.data, result.training.finished) == (None, {}, True)
    with pytest.raises(ConfigError, match=r"second: the utterance \S+ is in dev of another run too"):
        evaluate_folds(folds, ["dev"], quiet)
    config = folds[1].config.read_text()
    folds[1].config.write_text(config.replace("manifests: ", "manifests: other/"))
    assert evaluate_folds(folds, ["test"], quiet) == result
    for before, after, message in [
        ("recipe: quickstart/speech", "recipe: an4/ctc", "recipe"),
        ("hidden: 32", "hidden: 16", "model"),
        ("epochs: 50", "epochs: 51", "training"),
    ]:
        folds[1].config.write_text(config.replace(before, after))
        with pytest.raises(ConfigError, match=rf"second: differs from .*first in {message}"):
            evaluate_folds(folds, ["test"], quiet)
    for fold in folds:
        fold.config.write_text(config.replace("epochs: 50", "epochs: 51"))
    assert not evaluate_folds(folds, ["test"], quiet).training.finished
