"""Commands and the decoder of a model: one whose file is lost, and one that finds a single text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from asr.decoding.choice import named
from asr.recogniser.saved_decoder import save_decoder, saved_decoder
from tests.commands import command
from tests.decoding.toy_weighted import toy, toy_decoder


@pytest.fixture(autouse=True)
def with_toy() -> Iterator[None]:
    with toy_decoder():
        yield


@pytest.fixture
def lost(trained: Path, tones: Path, tmp_path: Path) -> Path:
    """A folder with `run`, whose own decoder has lost its language model, a recording and its text."""
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / "lost.lm").write_text("0.5")
    save_decoder(tmp_path / "run", named(toy(model=str(tmp_path / "run" / "lost.lm")), "dev"))
    (tmp_path / "run" / "lost.lm").unlink()
    text = json.loads((tones / "test.jsonl").read_text(encoding="utf-8").splitlines()[0])["text"]
    shutil.copy(tones / "test" / "test00.wav", tmp_path / "0.wav")
    (tmp_path / "0.txt").write_text(f"{text}\n", encoding="utf-8")
    return tmp_path


def test_aligning_does_not_ask_for_the_files_of_the_decoder(lost: Path) -> None:
    done = command("transcribe", "run", "0.wav", cwd=lost)
    assert "lost.lm does not exist; copy lost.lm into run," in done.stderr
    done = command("align", "run", "0.wav", cwd=lost)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('File type = "ooTextFile"\n')


def test_a_language_model_takes_the_labels_of_a_model_that_has_lost_its_own(lost: Path) -> None:
    done = command("lm", "build", "0.txt", "--labels-of", "run", "--order", "2", "--out", "new.lm", cwd=lost)
    assert done.returncode == 0, done.stderr
    assert (lost / "new.lm").is_file()


@pytest.mark.parametrize("out", [(), ("--out", "new.safetensors")])
def test_tuning_replaces_a_decoder_whose_file_is_lost(lost: Path, out: tuple[str, ...]) -> None:
    cache = {"XDG_CACHE_HOME": str(lost / "cache")}
    done = command("tune", "run", *out, cwd=lost, **cache)
    assert done.returncode == 1
    assert "lost.lm does not exist; copy lost.lm into run," in done.stderr
    (lost / "mine.lm").write_text("10")
    words = ("decoder=toy", "decoder.model=mine.lm", "--weight", "model_weight")
    done = command("tune", "run", *words, *out, cwd=lost, **cache)
    assert done.returncode == 0, done.stderr
    assert "warning: the model's own decoder cannot be used, so the comparison is with greedy search: " in done.stderr
    assert "before: greedy" in done.stdout
    saved = saved_decoder(lost / "run")
    assert saved is not None
    assert saved.component.options["model"] == str(lost / "run" / ("lost.lm" if out else "mine.lm"))


def test_the_best_of_many_texts_of_greedy_search_is_warned_of(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    told = "warning: --nbest 3: greedy search finds only one text; use decoder=beam"
    for model in (["run"], ["run", "--on", "run/manifest/dev.jsonl"]):
        words = (*model, "--split", "dev", "--nbest", "3")
        done = command("evaluate", *words, cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
        assert done.returncode == 0, done.stderr
        assert told in done.stderr
    done = command("evaluate", *words, "decoder=beam", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
