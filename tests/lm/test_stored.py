"""Models as files: found by name or path, and loaded once as long as somebody holds them."""

from __future__ import annotations

import gc
import gzip
from pathlib import Path

import pytest

from asr.errors import AsrError, CheckpointError, ConfigError, DataError
from asr.lm.corpus import Corpus
from asr.lm.ngram import NgramModel
from asr.lm.stored import load_model, save_model
from tests.lm.samples import estimate


def test_a_model_that_is_held_is_not_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "a.arpa"
    save_model(path, estimate(Corpus.of(["a b a", "b"], "words"), 2))
    first = load_model(path)
    assert load_model(str(path)) is first
    save_model(path, estimate(Corpus.of(["a b a b a", "b", "a"], "words"), 2))
    second = load_model(path)
    assert second is not first  # the file is another one
    del first, second
    gc.collect()
    assert load_model(path) is not None


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no language model is named nothing; expected a file ending in"):
        load_model("nothing")
    with pytest.raises(ConfigError, match="is a folder; expected a file ending in"):
        load_model(tmp_path)
    for name in ("none.lm", "none.arpa", "none.arpa.gz"):
        with pytest.raises(AsrError, match=name):
            load_model(tmp_path / name)


def test_a_file_of_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks whether a decoder's files are there understands `~`, so who reads them does."""
    monkeypatch.setenv("HOME", str(tmp_path))
    save_model(tmp_path / "mine.lm", estimate(Corpus.of(["ab"], "characters"), 2))
    assert load_model("~/mine.lm").unit == "characters"
    with pytest.raises(CheckpointError, match="~nobody at all/mine.lm"):
        load_model("~nobody at all/mine.lm")


def test_an_arpa_file_may_be_called_lm(tmp_path: Path) -> None:
    """Other programs call theirs so."""
    model = estimate(Corpus.of(["a b a", "b"], "words"), 2)
    save_model(tmp_path / "a.arpa", model)
    text = (tmp_path / "a.arpa").read_bytes()
    for number, begin in enumerate((b"", b"## a comment\n" * 1000)):
        (tmp_path / f"{number}.lm").write_bytes((begin + text).replace(b"\n", b"\r\n" if number else b"\n"))
        read = load_model(tmp_path / f"{number}.lm")
        assert isinstance(read, NgramModel)
        assert read.symbols == model.symbols
        assert read.log_probs == pytest.approx(model.log_probs, abs=1e-5)
    (tmp_path / "packed.lm").write_bytes(gzip.compress(text))
    with pytest.raises(
        DataError, match=r"packed\.lm is a gzip file; if it is an ARPA file, rename it to packed\.arpa\.gz"
    ):
        load_model(tmp_path / "packed.lm")
    (tmp_path / "other.lm").write_bytes(b"a text that only mentions \\data\\ somewhere\n")
    with pytest.raises(CheckpointError, match=r"other\.lm is not a complete language model"):
        load_model(tmp_path / "other.lm")
