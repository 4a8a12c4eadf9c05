"""A decoder that was chosen after training is found in the run folder and in a bundle, with the files it needs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import asr
from asr.config import Component
from asr.corpus.manifest import read_manifest
from asr.decoding.choice import named
from asr.errors import CheckpointError, ConfigError
from asr.evaluation.cards import card_of
from asr.evaluation.result import read_result
from asr.experiment.run_evaluation import evaluate_run
from asr.experiment.run_folder import RunFolder
from asr.recogniser.bundle import load_bundle, save_bundle
from asr.recogniser.loading import load
from asr.recogniser.recogniser import Recogniser
from asr.recogniser.saved_decoder import NAME, save_decoder, saved_decoder
from tests.decoding.toy_weighted import ToyWeighted, toy, toy_decoder
from tests.experiment.conftest import quiet


@pytest.fixture(autouse=True)
def with_toy() -> Iterator[None]:
    with toy_decoder():
        yield


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A run folder of one's own, and a language model beside it."""
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "my.lm").write_text("0.5")
    return tmp_path / "run"


def tuned(run: Path) -> Component:
    return toy(model=str(run.parent / "my.lm"), blank_bonus=0.25)


def bonus(recogniser: Recogniser) -> tuple[float, float]:
    """What the toy decoder of a recogniser adds: to the blank, and to the first label."""
    assert isinstance(recogniser.decoder, ToyWeighted)
    return float(recogniser.decoder.shift[0]), float(recogniser.decoder.shift[1])


def test_a_run_is_used_with_the_decoder_that_was_saved_in_it(run: Path) -> None:
    assert saved_decoder(run) is None
    save_decoder(run, named(tuned(run), "dev"))
    (run.parent / "my.lm").unlink()  # the copy counts
    recogniser = asr.load(run)
    assert bonus(recogniser) == (0.25, 0.5)
    assert recogniser.decoder_choice.name == "toy,blank_bonus=0.25,model=my"
    assert recogniser.decoder_choice.chosen_on == "dev"
    assert json.loads((run / NAME).read_text())["decoder"]["model"] == "my.lm"
    changed = asr.load(run, decoder=["decoder.blank_bonus=1"])
    assert bonus(changed) == (1.0, 0.5)
    assert changed.decoder_choice.chosen_on is None
    (run / "my.lm").unlink()
    with pytest.raises(
        CheckpointError, match=r"decoder\.json: decoder\.model=.*my\.lm does not exist; copy my\.lm into "
    ):
        asr.load(run)
    assert asr.load(run, decoder="greedy").decoder_choice.name == "greedy"


def test_a_result_and_a_card_say_what_the_decoder_was_chosen_on(run: Path) -> None:
    save_decoder(run, named(tuned(run), "dev"))
    result = evaluate_run(RunFolder(run), ("dev",), quiet)
    assert (result.decoder.name, result.decoder.chosen_on) == ("toy,blank_bonus=0.25,model=my", "dev")
    path = run / "result-toy,blank_bonus=0.25,model=my.json"
    assert str(run.parent) not in json.dumps(json.loads(path.read_text())["decoder"])
    assert read_result(path).decoder == result.decoder
    assert set(read_result(path).with_splits_of(replace(result, splits={"test": result.splits["dev"]})).splits) == {
        "dev",
        "test",
    }  # the same decoder, though the file of its model was given by another path
    card = card_of(run)
    assert card is not None
    assert card.about["decoder"] == result.decoder.name
    assert evaluate_run(RunFolder(run), ("dev",), quiet, decoder=["decoder=greedy"]).decoder.name == "greedy"


def test_a_bundle_carries_the_decoder_and_its_file(run: Path, tones: Path) -> None:
    save_decoder(run, named(tuned(run), "dev"))
    out = run.parent / "out"
    out.mkdir()
    save_bundle(asr.load(run), out / "model.safetensors")
    shutil.rmtree(run)
    assert sorted(one.name for one in out.iterdir()) == ["model.safetensors", "my.lm"]
    recogniser = asr.load(out / "model.safetensors")
    assert bonus(recogniser) == (0.25, 0.5)
    assert recogniser.decoder_choice.chosen_on == "dev"
    utterance = read_manifest(tones / "test.jsonl")[0]
    assert recogniser.transcribe(utterance).text == utterance.text
    (out / "my.lm").unlink()
    with pytest.raises(
        CheckpointError, match=r"model\.safetensors: decoder\.model=.*my\.lm does not exist; copy my\.lm into "
    ):
        asr.load(out / "model.safetensors")
    assert asr.load(out / "model.safetensors", decoder="greedy").transcribe(utterance).text == utterance.text


def test_an_onnx_file_carries_the_decoder_and_its_file(run: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from asr.recogniser.onnx_export import export_onnx

    save_decoder(run, named(tuned(run), "dev"))
    (run.parent / "out").mkdir()
    export_onnx(asr.load(run), run.parent / "out" / "model.onnx")
    (run.parent / "my.lm").unlink()
    recogniser = asr.load(run.parent / "out" / "model.onnx")
    assert (bonus(recogniser), recogniser.decoder_choice.chosen_on) == ((0.25, 0.5), "dev")


def test_a_model_from_outside_reads_no_file_elsewhere(trained: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("0.5")
    recogniser = load(trained)
    (tmp_path / "run").mkdir()
    save_decoder(tmp_path / "run", named(toy()))
    values = json.loads((tmp_path / "run" / NAME).read_text())
    values["decoder"]["model"] = str(secret)
    (tmp_path / "run" / NAME).write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match=r"decoder\.json: model=.*may only name a file that lies beside it"):
        saved_decoder(tmp_path / "run")

    from asr.recogniser import bundle

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle, "saved_beside", lambda component, folder, on_copy: component)
        save_bundle(recogniser.with_default_decoder(named(toy(model=str(secret)))), tmp_path / "evil.safetensors")
    for decoder in (None, "greedy"):
        with pytest.raises(CheckpointError, match=r"evil\.safetensors: model=.*may only name a file that lies beside"):
            load_bundle(tmp_path / "evil.safetensors", decoder=decoder)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "3", "{}", "[" * 100_000, '{"format": "ctc-asr-decoder-2", "decoder": {}}',
        '{"format": "ctc-asr-decoder-1"}', '{"format": "ctc-asr-decoder-1", "decoder": {"blank_bonus": 1}}',
        '{"format": "ctc-asr-decoder-1", "decoder": {"_target_": "os.system", "command": "true"}}',
        '{"format": "ctc-asr-decoder-1", "decoder": {"_target_": "asr.decoding.greedy.GreedyDecoder", "width": 1}}',
        '{"format": "ctc-asr-decoder-1", "decoder": {"_target_": "asr.decoding.greedy.GreedyDecoder"},'
        ' "chosen_on": "\\u001b[2J"}',
    ],
)  # fmt: skip
def test_a_damaged_decoder_is_one_sentence(run: Path, text: str) -> None:
    (run / NAME).write_text(text)
    with pytest.raises(CheckpointError, match=r"decoder\.json"):
        asr.load(run)


def test_a_wrong_wish_is_the_users_error(run: Path) -> None:
    save_decoder(run, named(tuned(run), "dev"))
    save_bundle(asr.load(run), run / "model.safetensors")
    for model in (run, run / "model.safetensors"):
        with pytest.raises(ConfigError, match=r"there is no option 'decoder\.blank_bonnus'; did you mean"):
            asr.load(model, decoder=["decoder.blank_bonnus=1"])
        with pytest.raises(ConfigError, match=r"decoder\.model=other\.lm does not exist; give a file"):
            asr.load(model, decoder=["decoder.model=other.lm"])
