"""A whole run on a corpus of tones: it learns, its files are complete, every way to load it gives the same text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import asr
from asr.corpus.manifest import read_manifest
from asr.errors import CheckpointError, ConfigError, Problems
from asr.recognition.experiment import Experiment
from asr.recognition.loading import load, save_bundle
from asr.recognition.recogniser import Recogniser
from asr.training.checkpoint import load_checkpoint, save_checkpoint
from tests.recognition.conftest import compose_small, quiet
from tests.tones import make_corpus


def test_the_run_folder_is_complete(trained: Path) -> None:
    result = json.loads((trained / "result.json").read_text())
    assert result["recipe"] == "quickstart/speech"
    assert result["splits"]["test"]["rates"]["cer"]["percent"] < 5.0
    assert result["splits"]["test"]["utterances"] == 6
    assert result["data"]["train"]["utterances"] == 32
    assert result["decoder"]["chosen_on"] == "dev"
    for name in ("config.yaml", "environment.json", "metrics.jsonl", "checkpoints/best.pt", "checkpoints/last.pt"):
        assert (trained / name).is_file(), name
    for name in ("ref.trn", "hyp.trn", "utterances.jsonl", "result.json"):
        assert (trained / "decode" / "test" / name).is_file(), name


def test_metrics_have_a_row_an_epoch(trained: Path) -> None:
    rows = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == list(range(40))
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert 0.0 < rows[-1]["blank_share"] < 1.0


def test_every_way_to_load_gives_the_same_posteriors(trained: Path, tones: Path, tmp_path: Path) -> None:
    utterance = read_manifest(tones / "test.jsonl")[0]
    from_folder = asr.load(trained)
    save_bundle(from_folder, tmp_path / "model.safetensors")
    others = [asr.load(trained / "checkpoints" / "best.pt"), asr.load(tmp_path / "model.safetensors")]
    expected = posteriors(from_folder, utterance.source)
    for other in others:
        assert torch.equal(posteriors(other, utterance.source), expected)
        assert other.inventory == from_folder.inventory
        assert other.transcribe(utterance).text == utterance.text


def posteriors(recogniser: Recogniser, path: Path) -> torch.Tensor:
    samples, _ = soundfile.read(path, dtype="float32")
    frames = recogniser.frames(recogniser.extractor.compute(torch.from_numpy(samples)))
    return recogniser.posteriors([frames])[0]


def test_a_bundle_carries_its_card(trained: Path, tmp_path: Path) -> None:
    save_bundle(load(trained), tmp_path / "model.safetensors")
    card = load(tmp_path / "model.safetensors").card
    result = json.loads((trained / "result.json").read_text())
    assert card["rates"]["test"] == result["splits"]["test"]["rates"]
    assert (card["recipe"], card["seed"], card["commit"]) == ("quickstart/speech", 1, result["commit"])


def test_a_half_precision_bundle_is_smaller_and_reads_the_same(trained: Path, tones: Path, tmp_path: Path) -> None:
    recogniser = load(trained)
    save_bundle(recogniser, tmp_path / "full.safetensors")
    save_bundle(recogniser, tmp_path / "half.safetensors", half=True)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("half", "full")]
    assert sizes[0] < 0.6 * sizes[1]
    for utterance in read_manifest(tones / "test.jsonl"):
        assert load(tmp_path / "half.safetensors").transcribe(utterance).text == utterance.text


def test_files_samples_and_utterances_are_transcribed_alike(trained: Path, tones: Path) -> None:
    recogniser = asr.load(trained)
    utterance = read_manifest(tones / "test.jsonl")[1]
    samples, _ = soundfile.read(utterance.source, dtype="float32")
    expected = recogniser.transcribe(utterance)
    assert recogniser.transcribe(utterance.source) == expected
    assert recogniser.transcribe(str(utterance.source)) == expected
    assert recogniser.transcribe(np.asarray(samples)) == expected


def test_labels_stand_where_their_tones_are(trained: Path, tones: Path) -> None:
    utterance = read_manifest(tones / "test.jsonl")[1]
    spans = asr.load(trained).transcribe(utterance).spans
    assert utterance.text is not None
    for number, span in enumerate(spans):
        begin, end = 0.13 * number, 0.13 * (number + 1)
        assert begin - 0.13 < span.start < span.end < end + 0.13
        assert 0.0 < span.confidence <= 1.0


def test_times_of_a_segment_count_from_the_beginning_of_its_file(trained: Path, tones: Path) -> None:
    whole = read_manifest(tones / "test.jsonl")[1]
    recogniser = asr.load(trained)
    segment = recogniser.transcribe(replace(whole, start=0.13, duration=0.26))
    assert len(segment.spans) == 2
    assert 0.13 <= segment.spans[0].start < segment.spans[1].end <= 0.13 + 0.26 + 0.02


def test_a_batch_is_decoded_like_its_utterances_alone(trained: Path, tones: Path) -> None:
    recogniser = load(trained)
    utterances = read_manifest(tones / "train.jsonl")
    frames = [recogniser.frames(recogniser.extractor.compute(recogniser.extractor.read(one))) for one in utterances]
    together = recogniser.recognise(frames)
    for one, hypothesis in zip(frames, together, strict=True):
        alone = recogniser.recognise([one])[0]
        assert alone.labels == hypothesis.labels
        assert alone.log_probability == pytest.approx(hypothesis.log_probability, abs=1e-4)


def test_the_same_folder_with_other_options_is_refused(trained: Path, tones: Path) -> None:
    values = compose_small(tones, **{"training.epochs": "41"})
    with pytest.raises(ConfigError, match=r"another configuration: training\.epochs \(was 40, is 41\)"):
        Experiment(values, trained, quiet)


def test_a_folder_that_holds_something_else_is_refused(tones: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(ConfigError, match="is not empty and holds no run"):
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


@pytest.mark.parametrize("keep", [0, 7, 100, 5000])
def test_a_truncated_bundle_is_refused(trained: Path, tmp_path: Path, keep: int) -> None:
    path = tmp_path / "model.safetensors"
    save_bundle(load(trained), path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"model\.safetensors is not a whole bundle"):
        load(path)


def test_a_checkpoint_that_names_other_code_is_refused(trained: Path, tmp_path: Path) -> None:
    saved = load_checkpoint(trained / "checkpoints" / "best.pt")
    saved["bundle"]["config"]["decoder"]["_target_"] = "os.system"
    save_checkpoint(tmp_path / "evil.pt", saved)
    with pytest.raises(CheckpointError, match=r"evil\.pt: _target_ 'os\.system' lies outside this package"):
        load(tmp_path / "evil.pt")


def test_a_checkpoint_cannot_allow_its_own_plugins(trained: Path, tmp_path: Path) -> None:
    saved = load_checkpoint(trained / "checkpoints" / "best.pt")
    saved["bundle"]["config"]["plugins"] = ["os"]
    save_checkpoint(tmp_path / "evil.pt", saved)
    with pytest.raises(CheckpointError, match=r"needs code of the modules os; if you trust it"):
        load(tmp_path / "evil.pt")


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError, match="no model 'nowhere': neither a file or run folder nor one of the pretrained"
    ):
        load("nowhere")
    with pytest.raises(CheckpointError, match="is not a run folder with a finished epoch"):
        load(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(CheckpointError, match="is neither a run folder, nor"):
        load(tmp_path / "notes.txt")
