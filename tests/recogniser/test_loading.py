"""Run folders, checkpoints and bundles: every way to load a model gives the same one, and nothing in it is run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

import asr
from asr.corpus.manifest import read_manifest
from asr.errors import CheckpointError, ConfigError
from asr.evaluation.result import read_result
from asr.recogniser import pretrained
from asr.recogniser.bundle import save_bundle
from asr.recogniser.loading import load
from asr.recogniser.recogniser import Recogniser
from asr.recogniser.stored_weights import packed, unpacked
from asr.training.checkpoint import load_checkpoint, save_checkpoint


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
    frames = recogniser.frames(recogniser.extractor.compute(samples))
    return recogniser.posteriors([frames])[0]


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


def test_a_bundle_of_other_numbers_is_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"^a bundle cannot store its weights as int9; give float32, float16 or int8$"
    ):
        save_bundle(load(trained), tmp_path / "small.safetensors", "int9")
    assert not list(tmp_path.iterdir())


def test_whole_numbers_are_off_by_half_a_step_of_their_row() -> None:
    random = np.random.default_rng(1)
    matrix = random.standard_normal((5, 40)) * np.array([1.0, 100.0, 1e-3, 0.0, 1.0])[:, None]
    weights = {"a": matrix.astype(np.float32), "b": random.standard_normal(7).astype(np.float32)}
    kept = packed(weights, "int8")
    assert {name: value.dtype for name, value in kept.items()} == {
        "model.a": np.int8,
        "scale.a": np.float32,
        "model.b": np.float32,
    }
    back = unpacked(kept)
    assert np.array_equal(back["b"], weights["b"])
    assert (np.abs(back["a"] - weights["a"]) <= np.abs(weights["a"]).max(axis=1, keepdims=True) / 253.9).all()
    with pytest.raises(CheckpointError, match=r"the scales of the weights 'a' are float32 \(4,\)"):
        unpacked({**kept, "scale.a": np.ones(4, dtype=np.float32)})


@pytest.mark.parametrize("size", [{"hidden": 2**20}, {"layers": 100, "hidden": 10_000}, {"layers": 10**9}])
def test_a_bundle_that_names_a_huge_network_takes_no_memory(
    trained: Path, tmp_path: Path, size: dict[str, int]
) -> None:
    """Made for real, the first would need 35 TB."""
    recogniser = load(trained)
    config = replace(recogniser.config, model=recogniser.config.model.with_options(**size))
    save_bundle(replace(recogniser, config=config), tmp_path / "huge.safetensors")
    with pytest.raises(
        CheckpointError, match=r"huge\.safetensors: (the weights do not fit|model\.layers=1000000000; expected)"
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
    with pytest.raises(CheckpointError, match=r"model\.safetensors is not a complete bundle"):
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
    with pytest.raises(CheckpointError, match=r"requires code from the modules os; if you trust it"):
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
    with pytest.raises(CheckpointError, match=r"write_manifest' cannot be built from a configuration"):
        load(tmp_path / "evil.pt")
    assert precious.read_text() == "precious"


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


def test_a_bundle_of_a_newer_version_says_so(tmp_path: Path) -> None:
    save_file({"model.a": torch.zeros(2)}, tmp_path / "new.safetensors", {"bundle": '{"format": "ctc-asr-bundle-2"}'})
    told = r"new\.safetensors is .* its format is ctc-asr-bundle-2, of a newer version of this package: install a newer"
    with pytest.raises(CheckpointError, match=told):
        load(tmp_path / "new.safetensors")


def test_a_corpus_named_like_a_pretrained_model_does_not_hide_it(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    save_bundle(asr.load(trained), tmp_path / "models" / "an4.safetensors")
    monkeypatch.setattr(pretrained, "SHIPPED", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "an4" / "wav").mkdir(parents=True)
    assert load("an4").card.about["recipe"] == "quickstart/speech"
    with pytest.raises(CheckpointError, match="is not a run folder"):
        load("./an4")


def test_plugins_as_one_string_allow_no_part_of_it(trained: Path, tmp_path: Path) -> None:
    saved = load_checkpoint(trained / "checkpoints" / "best.pt")
    saved["bundle"]["config"]["plugins"] = ["os"]
    save_checkpoint(tmp_path / "evil.pt", saved)
    with pytest.raises(CheckpointError, match="requires code from the modules os"):
        load(tmp_path / "evil.pt", plugins="posixpath")  # its name holds `os`


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError, match="no model 'nowhere'; expected a file, a run folder or one of the pretrained"
    ):
        load("nowhere")
    with pytest.raises(CheckpointError, match="is not a run folder with a finished epoch"):
        load(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(CheckpointError, match="is no model; expected a run folder"):
        load(tmp_path / "notes.txt")
