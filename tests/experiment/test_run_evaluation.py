"""A run is scored the same from its result, its trn files and its manifests; decoders do not mix."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import asr
from asr.cli import evaluate as command
from asr.corpus.manifest import read_manifest
from asr.corpus.phonemes import fold
from asr.corpus.splits import Corpus
from asr.errors import ConfigError
from asr.evaluation.model import default_rates, evaluate_model
from asr.evaluation.result import read_result
from asr.experiment.corpus_splits import splits_to_score
from asr.experiment.run_evaluation import evaluate_run
from asr.experiment.run_folder import RunFolder
from asr.scoring.transcripts import score_transcripts
from tests.commands import command as run_command
from tests.experiment.conftest import quiet

BEAM = ["decoder=tests.decoding.toy_beam.ToyBeam", "decoder.width=20"]
PLUGINS = ["tests.decoding.toy_beam"]


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> RunFolder:
    """A copy of the trained run."""
    shutil.copytree(trained, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def test_the_trn_files_of_a_run_give_its_rates(run: RunFolder) -> None:
    found = evaluate_run(run, ("dev", "test"), quiet)
    for split, part in found.splits.items():
        folder = run.path / "decode" / split
        rates = score_transcripts(folder / "ref.trn", folder / "hyp.trn", ["wer", "cer", "ser"], fold)
        assert {name: rates[name].counts for name in part.rates} == {n: rate.counts for n, rate in part.rates.items()}
        wrong = sum(row["reference"] != row["hypothesis"] for row in rows(folder / "utterances.jsonl"))
        assert rates["ser"].counts.errors == wrong


def rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_results_of_two_decoders_stand_beside_each_other(run: RunFolder) -> None:
    greedy = read_result(run.result)
    beam = evaluate_run(run, ["test"], quiet, PLUGINS, decoder=BEAM)
    assert (beam.decoder.name, beam.weights) == ("ToyBeam,width=20", greedy.weights)
    assert read_result(run.result) == greedy  # as it was
    written = read_result(run.path / "result-ToyBeam,width=20.json")
    assert list(written.splits) == ["test"]  # dev of greedy search is not among them
    assert not written.measures_the_same(greedy)
    assert (run.path / "decode" / "test-ToyBeam,width=20" / "hyp.trn").is_file()
    evaluate_run(run, ["dev"], quiet, PLUGINS, decoder=BEAM)
    assert list(read_result(run.path / "result-ToyBeam,width=20.json").splits) == ["dev", "test"]


def test_the_decoder_is_not_part_of_the_model(trained: Path, tones: Path) -> None:
    utterance = read_manifest(tones / "test.jsonl")[0]
    beam = asr.load(trained, PLUGINS, decoder=BEAM)
    assert beam.config == asr.load(trained).config
    assert beam.decoder_choice.name == "ToyBeam,width=20"
    assert beam.transcribe(utterance).text == utterance.text
    with pytest.raises(ConfigError, match="there is no decoder 'bema'"):
        asr.load(trained, decoder="bema")


def test_any_model_is_scored_on_any_manifest(trained: Path, tones: Path, tmp_path: Path) -> None:
    recogniser = asr.load(trained)
    assert default_rates(recogniser.inventory, recogniser.inventory.unit) == ["cer", "wer", "ser"]
    corpus = splits_to_score(str(tones / "test.jsonl"), (), (), None)
    result = evaluate_model(recogniser, corpus, (), tmp_path / "frames", quiet, name="mine", by="speaker")
    whole = read_result(trained / "result.json")
    assert result.splits["test"].rates["cer"] == whole.splits["test"].rates["cer"]
    assert set(result.splits["test"].by["speaker"]) == {"test-0", "test-1"}
    assert (result.recipe, result.seed, result.weights) == (whole.recipe, whole.seed, whole.weights)
    assert list(splits_to_score(str(tones), (), (), None).splits) == ["train", "dev", "test"]


def test_one_model_on_two_corpora_gives_two_result_files(tmp_path: Path) -> None:
    """A result of the lines of a corpus once took the place of the one of its words."""
    names = set()
    for sizes in (("test=1", "test_writers=1"), ("test=2", "test_writers=1")):
        given = (
            "quickstart_pen",
            "--on",
            "hershey",
            f"root={tmp_path}/{sizes[0]}",
            "train=1",
            "dev=1",
            "train_writers=1",
            "dev_writers=1",
            *sizes,
        )
        ended = run_command("evaluate", *given, "--split", "test", "--out", "results", cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
        names |= {path.name for path in (tmp_path / "results").iterdir()}
    assert len(names) == 2
    assert all("root" not in name for name in names)


def test_a_model_has_the_rates_that_its_labels_allow(tmp_path: Path) -> None:
    """TIMIT's 39 classes are for TIMIT's labels, whatever table another inventory goes through."""
    timit = asr.load("quickstart")
    assert default_rates(timit.inventory, timit.inventory.unit) == ["per_39", "per_39_no_sil", "per", "ser"]
    strange = replace(timit.inventory, labels=(*timit.inventory.labels[:-1], "xx"))
    timit = replace(timit, config=replace(timit.config, inventory=strange))
    assert default_rates(timit.inventory, timit.inventory.unit) == ["per", "ser"]
    with pytest.raises(ConfigError, match=r"per_39 does not fit these labels: .*'xx'.*; choose per"):
        evaluate_model(timit, Corpus({}), ["per_39"], tmp_path, quiet, name="x")


@pytest.mark.parametrize(
    ("where", "options", "message"),
    [
        ("tones", ["root=x"], "root=x: a manifest has no options; only a corpus has"),
        ("nowhere", [], "there is no corpus reader 'nowhere'"),
        (
            "empty",
            [],
            r"empty contains no manifest .*; write manifests with asr-prepare",
        ),
    ],
)
def test_what_is_nothing_to_score_is_named(
    tones: Path, tmp_path: Path, where: str, options: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    place = {"tones": str(tones), "empty": str(tmp_path / "empty")}.get(where, where)
    with pytest.raises(ConfigError, match=message):
        splits_to_score(place, options, (), None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["an4"], "an4 has no corpus of its own; give one to evaluate it on: asr-evaluate an4 manifest/mine"),
        (["model.safetensors"], "has no corpus of its own"),
        ([], "give run folders, or a model and a manifest, or --ref and --hyp"),
        (["run", "--ref", "a"], "give either models, or --ref and --hyp, not both"),
        (["--ref", "a"], "give both --ref and --hyp"),
        (["run", "--rate", "wer"], "--rate is for trn files, or for a model with a manifest or corpus"),
        (["a", "b", "--on", "c"], "expected one model and one manifest or folder of manifests; remove b"),
        (["a", "b", "--by", "speaker"], "--by is for one run"),
        (["quickstart", "--on", "{tones}", "root=x"], "root=x: a manifest has no options; only a corpus has"),
    ],
)
def test_a_command_line_that_means_nothing_is_refused(
    tones: Path, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["asr-evaluate", *(one.format(tones=tones) for one in arguments)])
    with pytest.raises(ConfigError, match=message):
        command._main()


def test_the_command_scores_a_model_on_a_manifest(
    trained: Path, tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    words = [str(trained), "--on", str(tones), "--split", "test", "--rate", "wer", "--out", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", ["asr-evaluate", *words])
    command._main()
    assert "quickstart/speech, seed 1" in capsys.readouterr().out
    (path,) = (tmp_path / "out").iterdir()
    assert path.name == "speech-seed1.json"
    assert list(read_result(path).splits["test"].rates) == ["wer"]
