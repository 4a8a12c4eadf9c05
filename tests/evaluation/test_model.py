"""What a result says of the model that was scored."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import asr
from asr.evaluation.model import weights_checksum


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
