"""The programs of examples/ run, are short, and print what is expected of them."""

from __future__ import annotations

import os
import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.ink import write_inkml
from tests.commands import command
from tests.docs.stand_ins import hand_drawn, recording
from tests.tones import make_corpus, small_run

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MOST_LINES = 40


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run a program in a folder of its own, and return what it prints."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, *arguments: str) -> str:
        monkeypatch.setattr("sys.argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_short_and_begins_with_its_command(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert f"python examples/{path.name}" in text.partition('"""\n\n')[0]


def test_a_folder_is_transcribed_and_a_bad_file_is_named(run, tmp_path: Path, capsys) -> None:
    (tmp_path / "in" / "ann").mkdir(parents=True)
    recording(tmp_path / "in" / "ann" / "1.wav")
    (tmp_path / "in" / "bad.wav").write_bytes(b"")
    printed = run("transcribe_folder.py", "an4", "in")
    (line,) = printed.splitlines()
    name, confidence, text = line.split("\t")
    assert name == os.path.join("ann", "1.wav")
    assert 0 <= float(confidence) <= 1
    assert (tmp_path / "in" / "ann" / "1.hyp.txt").read_text() == text + "\n"


def test_a_page_is_read(run, tmp_path: Path) -> None:
    write_inkml(tmp_path / "page.inkml", hand_drawn("till"))
    printed = run("read_page.py", "quickstart_pen", "page.inkml")
    assert printed.startswith("strokes 0 to 5: ")


def test_systems_are_compared(run, tmp_path: Path) -> None:
    for name, texts in {"ref": ("a b", "c d"), "first": ("a x", "c y"), "second": ("a b", "c y")}.items():
        (tmp_path / name).write_text("".join(f"{text} (s{n}-1)\n" for n, text in enumerate(texts)))
    printed = run("compare_systems.py", "ref", "first", "second")
    assert printed.splitlines()[:2] == ["first    50.0 %", "second   25.0 %"]
    assert printed.splitlines()[2] == "difference -25.0 points [-50.0, +0.0]"
    (tmp_path / "second").write_text("a b (s0-1)\n")
    with pytest.raises(SystemExit, match="must hold the same utterances"):
        run("compare_systems.py", "ref", "first", "second")


def test_own_words_are_favoured(run, tmp_path: Path) -> None:
    recording(tmp_path / "one.wav")
    (tmp_path / "words.txt").write_text("ENTER\nSIX\n")
    printed = run("own_words.py", "an4", "words.txt", "one.wav").splitlines()
    assert printed[0].startswith("without: ")
    assert printed[2].endswith(printed[1].removeprefix("with:    "))


def test_a_feature_of_ones_own_trains(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tone = np.sin(np.arange(16000) / 9).astype(np.float32)
    soundfile.write(tmp_path / "tone.wav", tone, 16000)
    assert run("custom_feature.py", "tone.wav").startswith("98 frames of 64 values between ")
    pytest.importorskip("torch")
    shutil.copy(EXAMPLES / "custom_feature.py", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    tones = make_corpus(tmp_path / "tones", {"train": 8, "dev": 2, "test": 2})
    options = [*small_run(tones, run_dir="own", **{"training.epochs": "1"}), "plugins=[custom_feature]"]
    done = command("train", *options, "features._target_=custom_feature.PowerLaw", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = command("transcribe", "own", "tone.wav", "--plugin", "custom_feature", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
