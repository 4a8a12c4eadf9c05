from __future__ import annotations

from pathlib import Path

import pytest

from asr.errors import ConfigError, Problems
from asr.experiment.corpus_splits import CorpusConfig, load_splits


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    (tmp_path / "a.wav").write_bytes(b"not opened here")
    for split in ("train", "dev", "test"):
        lines = [f'{{"id": "{split}-{n}", "audio": "a.wav", "text": "{text}"}}\n' for n, text in enumerate(TEXTS)]
        (tmp_path / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    return tmp_path


TEXTS = ("one", "two [noise]", "", "don\u2019t")


def test_a_run_chooses_what_is_done_with_faults_noise_and_characters(manifests: Path) -> None:
    with pytest.raises(Problems, match=r"6 problems in the manifests .*asr-train: corpus\.on_error=skip"):
        load_splits(CorpusConfig(manifests=str(manifests)))
    for options, texts in (
        ({}, ["one", "don\u2019t"]),
        ({"noise": "drop", "clean": "unicode"}, ["one", "two", "don't"]),
        ({"noise": "keep"}, ["one", "two [noise]", "don\u2019t"]),
    ):
        splits = load_splits(CorpusConfig(manifests=str(manifests), on_error="skip", **options)).splits
        assert [one.text for one in splits["dev"]] == texts
    with pytest.raises(ConfigError, match="clean=unicod: expected none or unicode"):
        load_splits(CorpusConfig(manifests=str(manifests), clean="unicod"))


def test_a_pooled_corpus_has_the_same_options(manifests: Path) -> None:
    node = {"manifests": str(manifests), "on_error": "skip"}
    splits = load_splits(CorpusConfig(manifests=str(manifests), on_error="skip", pool={"more": node})).splits
    assert [len(part) for part in splits.values()] == [2 + 3 * 2, 2, 2]
