"""A calibration is an option of the decoder: a bundle carries it, and the confidences that it gives."""

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
from tests.recogniser.models import small, small_config
from tests.tones import make_corpus

NUMBERS = [0.5, 0.25, -0.5, 1.0, 0.5, 0.0, 0.25, 2.0, 1.5]


@pytest.mark.parametrize("config", [GreedyConfig, BeamConfig])
def test_a_bundle_carries_the_calibration_of_its_decoder(config: type, tmp_path: Path) -> None:
    utterance = read_manifest(make_corpus(tmp_path / "tones") / "test.jsonl")[0]
    plain = small(small_config(), seed=3)
    choice = named(Component.of(config(calibration=NUMBERS)), "dev")
    assert choice.name == named(Component.of(config())).name  # nothing that a file would be called after
    calibrated = small(small_config().with_decoder(choice), seed=3)
    save_bundle(calibrated, tmp_path / "model.safetensors")
    loaded = asr.load(tmp_path / "model.safetensors")
    assert loaded.decoder_choice.component.options["calibration"] == NUMBERS
    found, expected = loaded.transcribe(utterance), calibrated.transcribe(utterance)
    assert found.text == expected.text == plain.with_decoder(named(Component.of(config()))).transcribe(utterance).text
    assert found.confidence == pytest.approx(expected.confidence, rel=1e-5)
    assert found.confidence != pytest.approx(plain.transcribe(utterance).confidence, rel=1e-2)
