"""A run finds out what is wrong before anything is computed, and lets nothing of the test set into training."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from asr.corpus.manifest import read_manifest, write_manifest
from asr.ctc.consistency import consistency_loss
from asr.errors import ConfigError, Problems
from asr.experiment import provenance
from asr.experiment.corpus_splits import CorpusConfig, load_splits
from asr.experiment.ctc_task import CtcTask
from asr.experiment.experiment import Experiment
from asr.experiment.run_config import LossConfig, RunConfig
from asr.experiment.run_evaluation import evaluate_run
from asr.experiment.run_folder import RunFolder
from asr.experiment.training_examples import TrainingExamples
from asr.features.normalise import Normaliser
from asr.training.checkpoint import load_checkpoint, save_checkpoint
from asr.training.loop import Stopped
from tests.experiment.conftest import compose_small, quiet
from tests.tones import make_corpus
from tests.training.toy import Silent

FEW = {"train": 4, "dev": 2, "test": 2}


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("few"), FEW)


def test_a_rate_that_cannot_fold_the_labels_is_refused_before_training(few: Path, tmp_path: Path) -> None:
    values = compose_small(few, **{"inventory.unit": "labels", "scoring.rates": "[per,per_39]"})
    with pytest.raises(ConfigError, match=r"scoring\.rates: per_39 does not fit these labels: .*'a'.*; choose per"):
        Experiment(values, tmp_path / "run", quiet)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("optimizer.lr", "0", r"optimizer\.lr=0; expected above 0"),
        ("optimizer.weight_decay", "-1", r"optimizer\.weight_decay=-1; expected 0 or more"),
        ("schedule.warmup", "5", r"schedule\.warmup=5; expected a fraction of the run, 0 to 1"),
        ("schedule.end", "-3", r"schedule\.end=-3; expected a fraction of the peak rate, 0 to 1"),
        ("model.hidden", "0", r"model\.hidden=0; expected 1 to"),
        ("features.rate", "0", "rate=0; expected 1000 to 1000000 hertz"),
        ("plugins", "[nope.mod]", r"plugins: 'nope\.mod' cannot be imported: No module named 'nope'"),
        ("init", "''", r"init=: \. is not a run folder"),
        ("init", "nope", "init=nope: no model 'nope'"),
        (
            "init",
            "quickstart_pen",
            "init=quickstart_pen: its features are .*PenFeatures.*; give init=null for random weights",
        ),
        ("optimizer", "{_target_: os.system}", "'os.system' lies outside this package"),
        ("schedule", "{_target_: asr.training.schedules.Cosine}", "cannot be loaded"),
        ("training.device", "cdua", "training.device=cdua; expected a device that can be used here"),
        ("training.epochs", "0", "training.epochs=0; expected 1 or more"),
    ],
)
def test_options_are_tried_before_a_corpus_is_read(
    few: Path, tmp_path: Path, option: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Experiment, "_read_corpus", lambda self: pytest.fail("the corpus is read"))
    values = compose_small(few, cache_dir=str(tmp_path / "frames")).to_dict()
    _set(values, option, value)
    with pytest.raises(ConfigError, match=message):
        Experiment(RunConfig.from_dict(values), tmp_path / "run", quiet)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_hold_a_run_is_named_first(few: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(ConfigError, match=r"run_dir=.* is (a file|beneath the file .*file); give another folder"):
            Experiment(compose_small(few), folder, quiet)


def _set(values: dict[str, Any], option: str, value: str) -> None:
    import yaml

    group, _, name = option.partition(".")
    if name:
        values[group][name] = yaml.safe_load(value)
    else:
        values[group] = yaml.safe_load(value)


def test_all_transcripts_that_cannot_be_spelled_are_told_together(tmp_path: Path) -> None:
    root = make_corpus(tmp_path / "tones", FEW)
    rewrite(root / "train.jsonl", {1: {"text": None}, 3: {"text": None}})
    rewrite(root / "dev.jsonl", {0: {"text": None}})
    with pytest.raises(Problems) as problems:
        Experiment(compose_small(root), tmp_path / "run", quiet)
    assert [one.split(" has")[0] for one in problems.value.problems] == [
        "train: 'train01'",
        "train: 'train03'",
        "dev: 'dev00'",
    ]


def rewrite(manifest: Path, changes: Mapping[int, Mapping[str, Any]]) -> None:
    utterances = read_manifest(manifest)
    for index, change in changes.items():
        utterances[index] = replace(utterances[index], **change)
    write_manifest(manifest, utterances)


def test_a_speakers_statistics_hold_nothing_of_the_test_set(tmp_path: Path) -> None:
    root = make_corpus(tmp_path / "tones", FEW)
    for split in FEW:  # the same two speakers everywhere, as the digits corpus has it
        count = FEW[split]
        rewrite(
            root / f"{split}.jsonl",
            {i: {"speaker": f"s{i % 2}", "tags": {"split_by": "recording"}} for i in range(count)},
        )
    experiment = Experiment(compose_small(root, normaliser="speaker"), tmp_path / "run", quiet)
    expected = Normaliser(per="speaker").fitted(
        (one.speaker, experiment.caches[split].frames(i))
        for split in ("train", "dev")
        for i, one in enumerate(experiment.splits[split])
    )
    raw = experiment.caches["train"].frames(0)
    assert np.array_equal(experiment.recogniser.normaliser.apply(raw, "s0"), expected.apply(raw, "s0"))
    assert not np.array_equal(expected.apply(raw, "s0"), expected.apply(raw, "s1"))


def test_a_run_that_was_killed_while_it_began_begins_again(few: Path, tmp_path: Path) -> None:
    values = compose_small(few, **{"training.epochs": "1"})
    Experiment(values, tmp_path / "run", quiet)
    run = RunFolder(tmp_path / "run")
    run.config.unlink()  # it is written last
    (run.data / "test.jsonl").unlink()
    Experiment(values, tmp_path / "run", quiet)
    assert run.started
    assert (run.data / "test.jsonl").is_file()


def test_a_corpus_that_cannot_be_written_leaves_nothing_begun(few: Path, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    values = compose_small(few)
    corpus = load_splits(CorpusConfig(manifests=str(few)))
    odd = replace(corpus, splits={**corpus.splits, "test": [replace(corpus.splits["test"][0], id="two words")]})
    with run.alone(), pytest.raises(Problems, match="holds white space"):
        run.begin(values, odd)
    assert not list(run.path.iterdir())


def test_a_run_that_somebody_else_began_meanwhile_is_left_alone(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = Experiment._guard

    def slow(experiment: Experiment) -> dict[int, str]:
        found = guard(experiment)
        monkeypatch.setattr(Experiment, "_guard", guard)
        Experiment(compose_small(few, **{"training.seed": "2"}), tmp_path / "run", quiet)
        return found

    monkeypatch.setattr(Experiment, "_guard", slow)
    with pytest.raises(ConfigError, match=r"another configuration: training\.seed \(was 2, is 1\)"):
        Experiment(compose_small(few), tmp_path / "run", quiet)


def test_a_tilde_is_the_users_folder(few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(few.parent))
    monkeypatch.setenv("USERPROFILE", str(few.parent))
    assert len(load_splits(CorpusConfig(manifests=f"~/{few.name}")).splits["train"]) == FEW["train"]
    assert compose_small(few, cache_dir="'~/frames'").frames_folder == few.parent / "frames"


def test_a_result_tells_of_the_training_and_keeps_the_other_splits(few: Path, tmp_path: Path) -> None:
    experiment = Experiment(compose_small(few, **{"training.epochs": "1"}), tmp_path / "run", quiet)
    experiment.train(Silent())
    run = experiment.run
    told = json.loads(run.environment.read_text())
    run.environment.write_text(json.dumps(told | {"torch": "2.9.1", "threads": 7, "commit": "abc"}))
    evaluate_run(run, ("dev", "test"), quiet)
    assert list(evaluate_run(run, ("train",), quiet).splits) == ["train"]
    result = json.loads(run.result.read_text())
    assert list(result["splits"]) == ["train", "dev", "test"]
    assert (result["environment"]["torch"], result["environment"]["threads"], result["commit"]) == ("2.9.1", 7, "abc")
    assert result["evaluation_commit"] == told["commit"]
    last = load_checkpoint(run.path / "checkpoints" / "last.pt")
    assert result["train_cpu_seconds"] == round(last["state"]["train_cpu_seconds"], 1)
    del last["state"]["train_cpu_seconds"]  # a run of an earlier commit did not count them
    save_checkpoint(run.path / "checkpoints" / "last.pt", last)
    assert evaluate_run(run, ("test",), quiet).training.cpu_seconds is None
    run.result.write_text(json.dumps(result | {"weights": "99"}))  # of other weights
    evaluate_run(run, ("train",), quiet)
    assert list(json.loads(run.result.read_text())["splits"]) == ["train"]


class Impatient(Silent):
    """Sends this process a signal after the first step."""

    def stepped(self, loss: float, size: int) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_result_tells_that_a_run_went_on_with_another_commit(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = compose_small(few, **{"training.epochs": "2", "training.max_utterances": "1"})
    for commit in ("aaa", "aaa", "bbb", "bbb"):
        monkeypatch.setattr(provenance, "commit", lambda commit=commit: commit)
        with pytest.raises(Stopped):
            Experiment(values, tmp_path / "run", quiet).train(Impatient())
    experiment = Experiment(values, tmp_path / "run", quiet)
    experiment.train(Silent())
    monkeypatch.setattr(provenance, "commit", lambda: "ccc")
    Experiment(values, tmp_path / "run", quiet).train(Silent())  # finished already: nothing was trained with ccc
    result = evaluate_run(experiment.run, ("test",), quiet)
    assert result.training.commit == "aaa"
    assert result.training.resumed_with == ({"commit": "bbb"},)
    assert json.loads(experiment.run.environment.read_text())["seed"] == 1


def test_two_views_of_an_utterance(tones: Path, tmp_path: Path) -> None:
    """With consistency each utterance is read twice, masked differently; its loss stays one number."""
    masks = {"augment.time_masks": "1", "augment.time_mask_frames": "10", "loss.consistency": "0.2"}
    experiment = Experiment(compose_small(tones, **masks), tmp_path, quiet)
    train, augmenter = experiment.splits["train"], experiment.augmenter
    examples = TrainingExamples(experiment.recogniser, train, experiment.caches["train"], augmenter, views=2)
    batch = examples.load_batch([0, 1], 3)
    assert batch.utt_ids == (train[0].id, train[1].id)
    assert batch.lengths.tolist() == batch.lengths[:2].tolist() * 2
    assert batch.labels.tolist() == batch.labels[:2].tolist() * 2
    assert not torch.equal(batch.frames[0], batch.frames[2])
    single = TrainingExamples(experiment.recogniser, train, experiment.caches["train"], augmenter)
    assert torch.equal(single.load_batch([0, 1], 3).frames, batch.frames[:2])
    task = CtcTask(
        experiment.recogniser, experiment.model, examples, (train[:1], experiment.caches["train"]), "cer", 0.2
    )
    plain = CtcTask(experiment.recogniser, experiment.model, examples, (train[:1], experiment.caches["train"]), "cer")
    experiment.model.eval()
    found, losses = task.loss(batch).per_item, plain.loss(batch).per_item
    log_probs, lengths = experiment.model(batch.frames, batch.lengths)
    apart = consistency_loss(log_probs[:2], log_probs[2:], lengths[:2])
    torch.testing.assert_close(found, (losses[:2] + losses[2:]) / 2 + 0.2 * apart)
    assert (apart > 0).all()
    rows = Silent()
    experiment.train(rows)
    assert rows.rows[-1].loss < rows.rows[0].loss


def test_views_that_do_not_differ_are_refused(tones: Path, tmp_path: Path) -> None:
    for masks in ({}, {"augment.time_masks": "2"}, {"augment.frequency_mask_bands": "3"}):
        with pytest.raises(ConfigError, match=r"compares two masked views of an utterance, but nothing is masked"):
            Experiment(compose_small(tones, **masks, **{"loss.consistency": "0.2"}), tmp_path, quiet)


def test_a_negative_consistency_is_refused(tones: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"loss.consistency=-1.0; expected 0 or more"):
        Experiment(compose_small(tones, **{"loss.consistency": "-1"}), tmp_path, quiet)


def test_a_run_is_begun_and_trained_by_one_process_at_a_time(few: Path, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl", reason="no file locks on this system")
    experiment = Experiment(compose_small(few), tmp_path / "run", quiet)
    (tmp_path / "new").mkdir()
    for folder, start in (
        (tmp_path / "run", lambda: experiment.train(Silent())),
        (tmp_path / "new", lambda: Experiment(compose_small(few), tmp_path / "new", quiet)),
    ):
        other = os.open(folder, os.O_RDONLY)
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match="is being trained by another process; wait for it, or give another"):
            start()
        os.close(other)
    assert experiment.train(Silent()).epoch == 3


def test_utterances_too_short_for_their_labels(few: Path, tmp_path: Path) -> None:
    """They are refused all together with a remedy; or those of train left out, named, and those of dev kept."""
    root = tmp_path / "corpus"
    for name in ("train", "dev", "test"):
        utterances = read_manifest(few / f"{name}.jsonl")
        long = replace(utterances[0], text="abc" * 400)
        write_manifest(root / f"{name}.jsonl", [long, *utterances[1:]])
    values = compose_small(few, **{"corpus.manifests": str(root)})
    with pytest.raises(Problems, match=r"too short for their labels \(loss.skip_unfit=true leaves them out\)") as found:
        Experiment(values, tmp_path / "run", quiet)
    assert len(found.value.problems) == 2
    assert not (tmp_path / "run").exists()
    skipping = replace(values, loss=LossConfig(skip_unfit=True))
    experiment = Experiment(skipping, tmp_path / "run", quiet)
    (sentence,) = experiment.left_out
    assert sentence.startswith(f"'{experiment.splits['train'][0].id}'")
    rows = Silent()
    assert experiment.train(rows).epoch == 3
    assert all(math.isfinite(row.loss) for row in rows.rows)
    write_manifest(root / "train.jsonl", [replace(one, text="abc" * 400) for one in experiment.splits["train"]])
    with pytest.raises(Problems, match=r"all recordings are too short"):
        Experiment(skipping, tmp_path / "other", quiet)
