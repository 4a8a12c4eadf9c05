"""What `asr-prepare` says before it reads a corpus."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asr.cli.prepare import main


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
    assert (
        "In asr-train root= is corpus.root=, and any other option but out= is corpus.options."
        in capsys.readouterr().out
    )
