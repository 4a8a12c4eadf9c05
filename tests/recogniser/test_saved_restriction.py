"""The labels that a decoder may write are an option of it: a bundle and a run folder keep them."""

from __future__ import annotations

from pathlib import Path

import pytest

import asr
from asr.config import Component
from asr.corpus.manifest import read_manifest
from asr.decoding.beam import BeamConfig
from asr.decoding.choice import named
from asr.decoding.greedy import GreedyConfig
from asr.recogniser.bundle import save_bundle
from asr.recogniser.saved_decoder import save_decoder, saved_decoder
from tests.recogniser.models import small, small_config
from tests.tones import make_corpus


@pytest.mark.parametrize("config", [GreedyConfig, BeamConfig])
def test_a_bundle_keeps_the_labels_of_its_decoder(config: type, tmp_path: Path) -> None:
    utterance = read_manifest(make_corpus(tmp_path / "tones") / "test.jsonl")[0]
    inventory = small_config().inventory
    only = inventory.labels[1]
    choice = named(Component.of(config(labels=only)))
    save_bundle(small(small_config().with_decoder(choice), seed=3), tmp_path / "model.safetensors")
    loaded = asr.load(tmp_path / "model.safetensors")
    assert set(loaded.transcribe(utterance).labels) <= {only}
    free = asr.load(tmp_path / "model.safetensors", decoder=["decoder.labels=all"])
    assert set(free.transcribe(utterance).labels) - {only}


def test_a_run_folder_keeps_them(tmp_path: Path) -> None:
    save_decoder(tmp_path, named(Component.of(GreedyConfig(labels="a b"))))
    saved = saved_decoder(tmp_path)
    assert saved is not None
    assert saved.component.options["labels"] == "a b"
    assert saved.name == "greedy,labels=a b"
