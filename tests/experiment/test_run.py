"""A whole run on a corpus of tones: it learns, its files are complete, every way to load it gives the same text."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

import asr
from asr import files
from asr.corpus.manifest import read_manifest, write_manifest
from asr.corpus.utterance import Utterance
from asr.errors import CheckpointError, ConfigError, DataError, Problems
from asr.evaluation.result import read_result
from asr.experiment.experiment import Experiment
from asr.experiment.folds import evaluate_folds
from asr.experiment.run_evaluation import evaluate_run
from asr.experiment.run_folder import RunFolder
from asr.features.normalise import Normaliser
from asr.recogniser import loading
from asr.recogniser.loading import load, save_bundle
from asr.recogniser.recogniser import Recogniser
from asr.recogniser.stored_weights import packed, unpacked
from asr.recurrent import compiled
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


def test_every_way_to_load_gives_the_same_posteriors(trained: Path, tones: Path, tmp_path: Path) -> None:
    utterance = read_manifest(tones / "test.jsonl")[0]
    from_folder = asr.load(trained)
    save_bundle(from_folder, tmp_path / "model.safetensors")
    others = [asr.load(trained / "checkpoints" / "best.pt"), asr.load(tmp_path / "model.safetensors")]
    expected = posteriors(from_folder, utterance.source)
    for other in others:
        assert np.array_equal(posteriors(other, utterance.source), expected)
        assert other.inventory == from_folder.inventory
        assert other.transcribe(utterance).text == utterance.text


def posteriors(recogniser: Recogniser, path: Path) -> NDArray[np.float32]:
    samples, _ = soundfile.read(path, dtype="float32")
    frames = recogniser.frames(recogniser.extractor.compute(torch.from_numpy(samples)))
    return recogniser.posteriors([frames])[0]


def test_rates_of_every_value_of_a_tag_add_up_to_those_of_the_split(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    split = evaluate_run(RunFolder(folder), ["test"], quiet, by="speaker").splits["test"]
    groups = split.by["speaker"]
    assert len(groups) > 1
    assert sum((group["cer"].counts for group in groups.values()), ErrorCounts()) == split.rates["cer"].counts
    with pytest.raises(
        ConfigError, match=r"no utterance has the tag 'speker'; did you mean 'speaker'\?; there is speaker"
    ):
        evaluate_run(RunFolder(folder), ["test"], quiet, by="speker")


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
    with pytest.raises(DataError, match="test is beneath the file .*decode, and the result belongs there; copy"):
        evaluate_run(run, ["test"], decoding)

    monkeypatch.setattr(files.os, "access", lambda place, mode: False)  # root may write everywhere
    with pytest.raises(DataError, match="run may not be written, and the result belongs there; copy the run folder"):
        evaluate_run(run, ["test"], decoding)
    with pytest.raises(DataError, match="run may not be written, and the result belongs there; copy the run folder"):
        evaluate_folds([run], ["test"], decoding)


def test_a_bundle_carries_its_card(trained: Path, tmp_path: Path) -> None:
    save_bundle(asr.load(trained), tmp_path / "model.safetensors")
    card = load(tmp_path / "model.safetensors").card
    result = read_result(trained / "result.json")
    assert card.rates["test"] == result.splits["test"].rates
    facts = {"recipe": "quickstart/speech", "seed": 1, "commit": result.training.commit, "scoring": 2}
    assert {name: card.about[name] for name in facts} == facts


@pytest.mark.parametrize(("store", "size"), [("float16", 0.6), ("int8", 0.4)])
def test_a_bundle_of_fewer_bits_is_smaller_and_reads_the_same(
    trained: Path, tones: Path, tmp_path: Path, store: str, size: float
) -> None:
    recogniser = load(trained)
    save_bundle(recogniser, tmp_path / "full.safetensors")
    save_bundle(recogniser, tmp_path / "small.safetensors", store=store)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("small", "full")]
    assert sizes[0] < size * sizes[1]
    for utterance in read_manifest(tones / "test.jsonl"):
        assert load(tmp_path / "small.safetensors").transcribe(utterance).text == utterance.text


def test_whole_numbers_are_off_by_half_a_step_of_their_row() -> None:
    weights = {"a": torch.randn(5, 40) * torch.tensor([1.0, 100.0, 1e-3, 0.0, 1.0])[:, None], "b": torch.randn(7)}
    kept = packed(weights, "int8")
    assert {name: value.dtype for name, value in kept.items()} == {
        "model.a": torch.int8,
        "scale.a": torch.float32,
        "model.b": torch.float32,
    }
    back = unpacked(kept)
    assert torch.equal(back["b"], weights["b"])
    assert ((back["a"] - weights["a"]).abs() <= weights["a"].abs().amax(1, keepdim=True) / 253.9).all()
    with pytest.raises(CheckpointError, match=r"the scales of the weights 'a' do not fit: float32 \(4,\)"):
        unpacked({**kept, "scale.a": torch.ones(4)})


def test_files_samples_and_utterances_are_transcribed_alike(trained: Path, tones: Path) -> None:
    recogniser = asr.load(trained)
    utterance = read_manifest(tones / "test.jsonl")[1]
    samples, _ = soundfile.read(utterance.source, dtype="float32")
    expected = recogniser.transcribe(utterance)
    assert recogniser.transcribe(utterance.source) == expected
    assert recogniser.transcribe(str(utterance.source)) == expected
    assert recogniser.transcribe(np.asarray(samples)) == expected


def test_a_speaker_that_was_heard_is_normalised_by_all_that_was_heard(trained: Path, tones: Path) -> None:
    recogniser = asr.load(trained)
    recogniser.normaliser = Normaliser(per="speaker")
    first, second = (one.source for one in read_manifest(tones / "test.jsonl")[:2])
    frames = [recogniser.extractor.compute(recogniser.extractor.read(Utterance("", one))) for one in (first, second)]
    alone = recogniser.transcribe(first).log_probability
    recogniser.listen("her", [first, second])
    assert recogniser.transcribe(first).log_probability == alone
    with pytest.raises(DataError, match="nothing was heard of the speaker 'him'"):
        recogniser.transcribe(first, speaker="him")
    both = np.concatenate(frames)
    expected = recogniser.recognise([torch.from_numpy((frames[0].numpy() - both.mean(0)) / both.std(0))])[0][0]
    heard = recogniser.transcribe(first, speaker="her").log_probability
    assert heard == pytest.approx(expected.log_probability, rel=1e-4)
    assert heard != pytest.approx(alone, rel=1e-3)
    told: list[DataError] = []
    recogniser.listen("her", [first, tones / "none.wav", second], on_error=told.append)
    assert recogniser.transcribe(first, speaker="her").log_probability == heard
    assert len(told) == 1
    with pytest.raises(DataError, match=r"none\.wav"):
        recogniser.listen("her", [first, tones / "none.wav"])
    with pytest.raises(ConfigError, match="normalised per corpus: hearing the recordings of one person together makes"):
        asr.load(trained).listen("her", [first])


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(1600, dtype=np.int16), r"samples are torch\.int16; expected floating-point numbers in \[-1, 1\]"),
        (np.full(1600, np.nan, dtype=np.float32), "samples hold NaN or infinite values"),
        (torch.full((1600,), float("inf")), "samples hold NaN or infinite values"),
        (np.zeros(0, dtype=np.float32), "the signal is empty"),
    ],
)
def test_samples_that_are_none_are_refused(trained: Path, samples: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        asr.load(trained).transcribe(samples)


def test_samples_may_be_a_view_in_double_precision(trained: Path, tones: Path) -> None:
    samples, _ = soundfile.read(read_manifest(tones / "test.jsonl")[1].source, dtype="float64")
    recogniser = asr.load(trained)
    backwards = np.ascontiguousarray(samples[::-1])
    assert recogniser.transcribe(backwards[::-1]).text == recogniser.transcribe(samples).text


def test_labels_stand_where_their_tones_are(trained: Path, tones: Path) -> None:
    utterance = read_manifest(tones / "test.jsonl")[1]
    spans = asr.load(trained).transcribe(utterance).spans
    assert utterance.text is not None
    for number, span in enumerate(spans):
        begin, end = 0.13 * number, 0.13 * (number + 1)
        assert begin - 0.13 < span.start < span.end < end + 0.13
        assert 0.0 < span.confidence <= 1.0


def test_times_of_a_segment_count_from_the_beginning_of_its_file(trained: Path, tones: Path) -> None:
    whole = max(read_manifest(tones / "test.jsonl"), key=lambda one: one.duration or 0)
    recogniser = asr.load(trained)
    segment = recogniser.transcribe(replace(whole, start=0.13, duration=0.26))
    assert len(segment.spans) == 2
    assert 0.13 <= segment.spans[0].start < segment.spans[1].end <= 0.13 + 0.26 + 0.02


def test_a_batch_is_decoded_like_its_utterances_alone(trained: Path, tones: Path) -> None:
    recogniser = load(trained)
    utterances = read_manifest(tones / "train.jsonl")
    frames = [recogniser.frames(recogniser.extractor.compute(recogniser.extractor.read(one))) for one in utterances]
    together = recogniser.recognise(frames)
    for one, (hypothesis,) in zip(frames, together, strict=True):
        ((alone,),) = recogniser.recognise([one])
        assert alone.labels == hypothesis.labels
        assert alone.log_probability == pytest.approx(hypothesis.log_probability, abs=1e-4)


def test_prepared_it_reads_the_same(trained: Path, tones: Path) -> None:
    one, other = load(trained), load(trained)
    rounds = other.prepare(bfloat16=True)
    assert compiled.available() or not rounds
    for path in sorted((tones / "test").glob("*.wav")):
        exact, rounded = one.transcribe(path), other.transcribe(path)
        assert rounded.text == exact.text
        assert (rounded.log_probability != exact.log_probability) == rounds
    other.model = torch.nn.Linear(1, 1)  # as a network of a user's own
    assert not other.prepare()


def test_the_same_folder_with_other_options_is_refused(trained: Path, tones: Path) -> None:
    values = compose_small(tones, **{"training.epochs": "51"})
    with pytest.raises(ConfigError, match=r"another configuration: training\.epochs \(was 50, is 51\)"):
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


@pytest.mark.parametrize("size", [{"hidden": 2**20}, {"layers": 100, "hidden": 10_000}, {"layers": 10**9}])
def test_a_bundle_that_names_a_huge_network_takes_no_memory(
    trained: Path, tmp_path: Path, size: dict[str, int]
) -> None:
    """Made for real, the first would need 35 TB."""
    recogniser = load(trained)
    recogniser.config = replace(recogniser.config, model=recogniser.config.model.with_options(**size))
    save_bundle(recogniser, tmp_path / "huge.safetensors")
    with pytest.raises(
        CheckpointError,
        match=r"huge\.safetensors: (the weights do not fit|model\.layers=1000000000; expected)",
    ):
        load(tmp_path / "huge.safetensors")


def test_a_bundle_that_may_not_be_read_is_not_called_damaged(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    save_bundle(load(trained), tmp_path / "model.safetensors")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(CheckpointError, match=r"model\.safetensors cannot be read: Permission denied"):
        load(tmp_path / "model.safetensors")


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
    with pytest.raises(CheckpointError, match=r"evil\.pt: decoder: _target_ 'os\.system' lies outside this package"):
        load(tmp_path / "evil.pt")


def test_a_checkpoint_cannot_allow_its_own_plugins(trained: Path, tmp_path: Path) -> None:
    saved = load_checkpoint(trained / "checkpoints" / "best.pt")
    saved["bundle"]["config"]["plugins"] = ["os"]
    save_checkpoint(tmp_path / "evil.pt", saved)
    with pytest.raises(CheckpointError, match=r"needs code of the modules os; if you trust it"):
        load(tmp_path / "evil.pt")


@pytest.mark.parametrize("part", ["features", "decoder"])
def test_a_checkpoint_cannot_call_a_function_of_this_package(trained: Path, tmp_path: Path, part: str) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("precious")
    saved = load_checkpoint(trained / "checkpoints" / "best.pt")
    saved["bundle"]["config"][part] = {
        "_target_": "asr.corpus.manifest.write_manifest",
        "path": str(precious),
        "utterances": [],
    }
    save_checkpoint(tmp_path / "evil.pt", saved)
    with pytest.raises(CheckpointError, match=r"write_manifest' is nothing that a configuration can build"):
        load(tmp_path / "evil.pt")
    assert precious.read_text() == "precious"


def test_a_run_folder_cannot_allow_its_own_plugins(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    saved = load_checkpoint(run.path / "checkpoints" / "best.pt")
    saved["bundle"]["config"]["plugins"] = ["shutil"]
    saved["bundle"]["config"]["features"] = {"_target_": "shutil.rmtree", "path": str(run.path)}
    save_checkpoint(run.path / "checkpoints" / "best.pt", saved)
    run.config.write_text(run.config.read_text().replace("plugins: []", "plugins: [shutil]"))
    assert run.read_config().plugins == ("shutil",)
    with pytest.raises(CheckpointError, match="needs code of the modules shutil; if you trust it, .*--plugin shutil"):
        evaluate_run(run, ("test",), quiet)
    assert run.path.is_dir()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("bundle",), torch.zeros(3)),
        (("weights",), [1, 2]),
        (("bundle", "config"), None),
        (("bundle", "config"), ["features"]),
        (("bundle", "config", "plugins"), "os"),
        (("bundle", "config", "plugins"), None),
        (("bundle", "config", "features"), "mel64"),
        (("bundle", "inventory"), ["a"]),
        (("bundle", "card"), "best of all"),
        (("bundle", "normaliser"), {"mean": 1.0, "deviation": 2.0}),
        (("weights", "output.bias"), 3),
        (("weights", "output.bias"), torch.zeros(99)),
    ],
)
def test_a_checkpoint_of_another_shape_is_refused(
    trained: Path, tmp_path: Path, place: tuple[str, ...], value: object
) -> None:
    saved = load_checkpoint(trained / "checkpoints" / "best.pt")
    node = saved
    for name in place[:-1]:
        node = node[name]
    node[place[-1]] = value
    save_checkpoint(tmp_path / "odd.pt", saved)
    with pytest.raises(CheckpointError, match=r"odd\.pt"):
        load(tmp_path / "odd.pt")


@pytest.mark.parametrize("header", ["[]", "{}", "3", "not json", "[" * 100_000, '{"format": "ctc-asr-bundle-1"}'])
def test_a_bundle_with_another_header_is_refused(tmp_path: Path, header: str) -> None:
    save_file({"model.a": torch.zeros(2)}, tmp_path / "odd.safetensors", {"bundle": header})
    with pytest.raises(CheckpointError, match=r"odd\.safetensors"):
        load(tmp_path / "odd.safetensors")


def test_a_corpus_named_like_a_pretrained_model_does_not_hide_it(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    save_bundle(asr.load(trained), tmp_path / "models" / "an4.safetensors")
    monkeypatch.setattr(loading, "_PRETRAINED", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "an4" / "wav").mkdir(parents=True)
    assert load("an4").card.about["recipe"] == "quickstart/speech"
    with pytest.raises(CheckpointError, match="is not a run folder"):
        load("./an4")


def test_plugins_as_one_string_allow_no_part_of_it(trained: Path, tmp_path: Path) -> None:
    saved = load_checkpoint(trained / "checkpoints" / "best.pt")
    saved["bundle"]["config"]["plugins"] = ["os"]
    save_checkpoint(tmp_path / "evil.pt", saved)
    with pytest.raises(CheckpointError, match="needs code of the modules os"):
        load(tmp_path / "evil.pt", plugins="osmosis")


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
        write_manifest(fold.manifests / "test.jsonl", part)
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
        with pytest.raises(ConfigError, match=rf"second: another {message} than .*first"):
            evaluate_folds(folds, ["test"], quiet)
    for fold in folds:
        fold.config.write_text(config.replace("epochs: 50", "epochs: 51"))
    assert not evaluate_folds(folds, ["test"], quiet).training.finished
