"""What a result says of the model that was scored."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

import asr
from asr.corpus.manifest import read_manifest
from asr.corpus.splits import Corpus
from asr.evaluation.model import evaluate_model, weights_checksum
from asr.evaluation.split import ORACLE
from tests.experiment.conftest import quiet


def test_the_checksum_of_an_onnx_file_is_that_of_the_file(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="needs the package onnx (ctc-asr[onnx])")
    pytest.importorskip("onnxruntime", reason="needs the package onnxruntime (ctc-asr[onnx])")
    from asr.recogniser.onnx_export import STORES, export_onnx

    found = set()
    for store in STORES:
        export_onnx(asr.load("quickstart_pen"), tmp_path / f"{store}.onnx", store)
        found.add(weights_checksum(asr.load(tmp_path / f"{store}.onnx")))
        assert hashlib.sha256((tmp_path / f"{store}.onnx").read_bytes()).hexdigest()[:32] in found
    assert len(found) == len(STORES) == 2


def test_a_checksum_names_the_same_weights_as_in_version_0_1() -> None:
    """Weights kept as float16 and as int8 have the checksums that version 0.1 took of torch's tensors."""
    assert weights_checksum(asr.load("quickstart_pen")) == "667eba2f53f5f322a1b308773ee347d2"
    assert weights_checksum(asr.load("unipen_words")) == "3a10eddd8cadde265dd213d97539a76e"


def test_the_best_choice_among_several_is_reported_beside_the_best_one(
    trained: Path, tones: Path, tmp_path: Path
) -> None:
    wrong = [replace(one, text=f"{one.text} a") for one in read_manifest(tones / "dev.jsonl")]  # the best one never is
    beam = ["decoder=beam", "decoder.min_probability=0", "decoder.gap=60", "decoder.skip_blank=1"]
    result = evaluate_model(
        asr.load(trained, decoder=beam), Corpus({"dev": wrong}), ["wer", "ser"], tmp_path, quiet, name="x", n_best=60
    )
    split = result.splits["dev"]
    oracle = split.by[ORACLE]["best of 60"]
    assert set(oracle) == {"wer", "ser"}
    assert 0 < oracle["wer"].counts.errors < split.rates["wer"].counts.errors
    assert oracle["wer"].reference == split.rates["wer"].reference
    alone = evaluate_model(asr.load(trained), Corpus({"dev": wrong}), ["wer"], tmp_path, quiet, name="x", by="speaker")
    assert set(alone.splits["dev"].by) == {"speaker"}
