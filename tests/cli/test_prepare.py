"""What `asr-prepare` says and writes."""

from __future__ import annotations

import os
import struct
import sys
import wave
from pathlib import Path

import pytest

from asr.cli.prepare import main
from asr.corpus.faults import read_skipped
from asr.corpus.manifest import read_manifest


@pytest.fixture
def error_of(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """What `asr-prepare folder` prints when it fails; its corpus is not there, which it would say if it looked."""

    def run(out: Path) -> str:
        monkeypatch.setattr("sys.argv", ["asr-prepare", "folder", "root=/nowhere", f"out={out}"])
        with pytest.raises(SystemExit, match="1"):
            main()
        return " ".join(capsys.readouterr().err.split())

    return run


def test_a_file_in_the_place_of_the_manifests_is_refused_at_once(tmp_path: Path, error_of) -> None:
    (tmp_path / "mx").touch()
    assert f"out={tmp_path}/mx is a file; give another folder" in error_of(tmp_path / "mx")
    assert f"out={tmp_path}/mx/a/b is beneath the file {tmp_path}/mx; give another folder" in error_of(
        tmp_path / "mx/a/b"
    )
    assert "/nowhere does not exist" in error_of(tmp_path / "new" / "folder")
    assert not (tmp_path / "new").exists()


def test_a_place_that_may_not_be_written_is_refused_at_once(
    tmp_path: Path, error_of, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) != tmp_path)  # root may write everywhere
    assert f"out={tmp_path}/new cannot be made: {tmp_path} may not be written; give another folder" in error_of(
        tmp_path / "new"
    )


def test_a_name_that_is_not_utf8_is_printed_as_its_bytes(error_of) -> None:
    assert r"out=m\xe9: the name is not UTF-8; rename it" in error_of(Path(os.fsdecode(b"m\xe9")))


def test_the_help_of_a_corpus_names_the_options_as_training_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["asr-prepare", "folder", "--help"])
    main()
    assert "write the other options as corpus.options.NAME=" in capsys.readouterr().out


def write_wav(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack("<h", 0) * 800)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Five recordings: two plain ones, and three with an apostrophe, a noise tag, nothing."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    texts = ("one", "two", "don\u2019t", "three [noise]", "")
    for number, text in enumerate(texts):
        write_wav(folder / f"{number}.wav")
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["asr-prepare", *words])
    try:
        main()
    except SystemExit as error:
        return int(error.code or 0)
    return 0


def test_what_is_wrong_is_left_out_listed_and_counted(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("folder", f"root={recordings}", f"out={tmp_path}/m")
    assert run(monkeypatch, *options) == 1
    told = capsys.readouterr().err
    assert "2 problems in" in told
    assert "on_error=skip leaves out faulty items and lists them" in told
    assert not (tmp_path / "m").exists()
    assert run(monkeypatch, *options, "on_error=skip") == 0
    told = capsys.readouterr().err
    assert f"2 left out, listed in {tmp_path}/m/skipped.jsonl:" in told
    assert "4.txt: is empty; write what is said, or leave the recording out" in told
    assert "noise=drop removes them" in told
    assert [one.place for one in read_skipped(tmp_path / "m")] == ["4.txt", "3"]
    assert run(monkeypatch, *options, "on_error=skip", "noise=drop", "clean=unicode") == 0
    texts = [one.text for split in ("train", "dev", "test") for one in read_manifest(tmp_path / f"m/{split}.jsonl")]
    assert sorted(map(str, texts)) == ["don't", "one", "three", "two"]
    assert [one.place for one in read_skipped(tmp_path / "m")] == ["4.txt"]


def test_strange_characters_are_reported(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, "folder", f"root={recordings}", f"out={tmp_path}/m", "on_error=skip", "noise=drop") == 0
    told = capsys.readouterr().err
    assert f"9 characters (all of them in {tmp_path}/m/characters.txt):" in told
    assert "U+2019 RIGHT SINGLE QUOTATION MARK, first in 2: looks like '" in told
    assert "U+006F LATIN SMALL LETTER O, first in" in (tmp_path / "m/characters.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("folder", "--root", "."), "error: --root: options of a corpus have no dashes; write root=.\n"),
        (("folder", "--root=x"), "have no dashes; write root=x\n"),
        (("folder", "--on-error", "skip"), "have no dashes; write on_error=skip\n"),
        (("folder", "--download"), "have no dashes; write download=...\n"),
        (("folder", "."), "error: '.' is not option=value; did you mean root=.?\n"),
        (("folder", "onerror=skip"), "has no option 'onerror'; did you mean 'on_error'?"),
        (("folder", "noise=droop"), "error: noise=droop: expected error or drop or keep; did you mean 'drop'?\n"),
        (("folder", "root=" + "a" * 300), "is too long (a path may have"),
        (("folder", "out=" + "a" * 300), "is too long (a path may have"),
        (("folder", "root=~nobody-of-this-name/x"), "root=~nobody-of-this-name/x is not a path"),
    ],
)
def test_hints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], hint: str
) -> None:
    assert run(monkeypatch, *words) == 1
    assert hint in capsys.readouterr().err


def test_preparing_needs_neither_hydra_nor_torch(recordings: Path, tmp_path: Path) -> None:
    import subprocess

    code = (
        "import sys; from asr.cli.prepare import main; main();"
        "print([name for name in ('omegaconf', 'hydra', 'torch', 'yaml') if name in sys.modules])"
    )
    words = ["folder", f"root={recordings}", f"out={tmp_path}/m", "on_error=skip"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
