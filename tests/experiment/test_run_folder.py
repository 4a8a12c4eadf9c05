"""Which folders a run may begin in: new ones, empty ones, and those where its beginning was interrupted."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asr.corpus.manifest import read_manifest
from asr.corpus.splits import SPLITS, Corpus
from asr.errors import ConfigError, DataError
from asr.experiment import run_folder
from asr.experiment.run_folder import RunFolder
from tests.decoding.toy_weighted import toy, toy_decoder
from tests.experiment.conftest import compose_small

LEFT = ".environment.json.ctc-asr-4711-0123456789abcdef.tmp"


def make(folder: Path, *names: str) -> RunFolder:
    """A folder with files; a name that ends in a slash is a folder."""
    folder.mkdir()
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).mkdir() if name.endswith("/") else (folder / name).write_text('{"ctc_asr": "0.1.0"}')
    return RunFolder(folder)


@pytest.mark.parametrize(
    "names",
    [
        (),
        (LEFT,),
        ("manifest/",),
        ("manifest/", f"manifest/{LEFT}"),
        ("environment.json",),
        ("environment.json", LEFT, "manifest/train.jsonl", f"manifest/{LEFT}"),
    ],
)
def test_an_interrupted_beginning_is_begun_anew(tmp_path: Path, names: tuple[str, ...]) -> None:
    make(tmp_path / "run", *names).check({})


@pytest.mark.parametrize(
    "names",
    [
        ("thesis.txt",),
        (LEFT, "thesis.txt"),
        ("manifest/train.jsonl",),
        ("manifest",),
        ("other/",),
        (".environment.json.tmp",),
    ],
)
def test_a_folder_with_something_else_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    run = make(tmp_path / "run", *names)
    with pytest.raises(ConfigError, match="run is not empty and contains no run; give an empty or new folder"):
        run.check({})


@pytest.mark.parametrize("content", ["", "{}", "[]", "3", "conda", '{"python": "3.11"}', "[" * 100_000])
def test_an_environment_of_another_program_is_refused(tmp_path: Path, content: str) -> None:
    run = make(tmp_path / "run")
    run.environment.write_text(content)
    with pytest.raises(ConfigError, match="contains no run"):
        run.check({})
    run.environment.write_text(json.dumps({"ctc_asr": "0.1.0"}))
    run.check({})


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("file", "is a file"),
        ("file/run", "is beneath the file"),
        ("a\0b", "has a NUL character in its name"),
        ("n" * 256, "has a name of more than 255 bytes in it"),
    ],
)
def test_a_place_that_cannot_be_is_refused_before_anything_is_made(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").touch()
    run = RunFolder(tmp_path / name)
    with pytest.raises(ConfigError, match=f"{why}.*; give another folder"):
        run.check({})
    with pytest.raises(DataError, match="run|cannot be made"), run.alone():
        pytest.fail("made")
    assert os.listdir(tmp_path) == ["file"]


def test_one_process_at_a_time(tmp_path: Path) -> None:
    run: Any = RunFolder(tmp_path / "run")
    with run.alone(), pytest.raises(ConfigError, match="is being trained by another process"), run.alone():
        pytest.fail("both")
    with run.alone():
        pass


def test_a_beginning_that_failed_leaves_no_file_of_the_decoder(
    tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.lm").write_text("1")
    data = Corpus({name: list(read_manifest(tones / f"{name}.jsonl")) for name in SPLITS})

    def full(*given: object) -> None:
        raise DataError("the disk is full")

    with toy_decoder():
        config = replace(compose_small(tones), decoder=toy(model=str(tmp_path / "mine.lm")))
        run = RunFolder(tmp_path / "run")
        with monkeypatch.context() as patch, run.alone():
            patch.setattr(run_folder, "write_file", full)  # of the configuration, the last one
            with pytest.raises(DataError, match="the disk is full"):
                run.begin(config, data)
        assert os.listdir(run.path) == []
        assert (tmp_path / "mine.lm").is_file()
        run.check(config)
        with run.alone():
            run.begin(config, data)
        assert (run.path / "mine.lm").read_text() == "1"
