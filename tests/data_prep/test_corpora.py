from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

import pytest

from asr.corpus.manifest import read_manifest
from asr.corpus.splits import write_corpus
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError, Problems
from data_prep import load_reader, read_corpus, readers
from tests.composing import compose

from .conftest import WriteWav


def test_every_reader_has_a_docstring_options_with_help_and_prepare() -> None:
    names = readers()
    assert set(names) >= {"an4", "timit", "speechocean762", "kaldi_dir", "fsdd", "folder"}
    assert not {"corpora", "download", "recordings", "roots"} & set(names)
    for name in names:
        module = load_reader(name)
        assert module.__doc__
        options = dataclasses.fields(module.Config)
        assert "root" in [option.name for option in options]
        assert all(option.metadata.get("help") for option in options), name
        assert module.Config.__dataclass_params__.frozen


def test_unknown_reader_and_option_name_the_nearest() -> None:
    with pytest.raises(ConfigError, match="no corpus reader 'tmit'; did you mean 'timit'"):
        load_reader("tmit")
    with pytest.raises(ConfigError, match="reader 'an4' has no option 'rot'; did you mean 'root'"):
        read_corpus("an4", {"rot": "/data"})


PLUGIN = """
from dataclasses import dataclass
from pathlib import Path
from asr.corpus.utterance import Utterance

@dataclass(frozen=True)
class Config:
    root: str = ""

def prepare(config):
    return {name: [Utterance(name, Path(config.root, f"{name}.wav"), text="hi")] for name in ("train", "dev", "test")}
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_own_corpus.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_own_corpus", raising=False)
    return "my_own_corpus"


def test_a_users_own_reader(tmp_path: Path, plugin: str, write_wav: WriteWav) -> None:
    for name in ("train", "dev", "test"):
        write_wav(tmp_path / f"{name}.wav", seconds=0.5)
    splits = read_corpus(plugin, {"root": str(tmp_path)}, plugins=[plugin])
    assert splits["dev"] == [Utterance("dev", tmp_path / "dev.wav", text="hi", duration=0.5)]
    with pytest.raises(ConfigError, match=r"no corpus reader 'my_own_corpus'.* must be named in plugins=\[\.\.\.\]"):
        load_reader(plugin)


def test_a_plugin_that_is_no_reader() -> None:
    with pytest.raises(ConfigError, match="'json' is not a corpus reader; expected a dataclass Config and prepare"):
        load_reader("json", plugins=["json"])
    with pytest.raises(ConfigError, match="'not_there' cannot be imported"):
        load_reader("not_there", plugins=["not_there"])


@pytest.fixture
def splits(tmp_path: Path, write_wav: WriteWav) -> dict[str, list[Utterance]]:
    names = ("train", "dev", "test")
    return {name: [Utterance(name, write_wav(tmp_path / "wav" / f"{name}.wav"), text="hi")] for name in names}


def test_writes_three_manifests(tmp_path: Path, splits: dict[str, list[Utterance]]) -> None:
    paths = write_corpus(splits, tmp_path / "out")
    assert {name: read_manifest(path) for name, path in paths.items()} == splits
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["dev.jsonl", "test.jsonl", "train.jsonl"]


def test_everything_is_checked_before_anything_is_written(tmp_path: Path, splits: dict[str, list[Utterance]]) -> None:
    write_corpus(splits, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    source = splits["train"][0].source
    bad = {
        "train": [Utterance("a", source, text="x", speaker="s"), Utterance("b c", source, start=1.0, text="x")],
        "dev": [Utterance("a", source, start=2.0, text="", speaker="s")],
        "test": [],
    }
    with pytest.raises(Problems) as caught:
        write_corpus(bad, tmp_path / "out")
    assert [problem.split(";")[0] for problem in caught.value.problems] == [
        "the split 'test' is empty",
        "train: 'b c': id 'b c' holds white space",
        "'a': the id is used in train and in dev",
        "dev: 'a' has an empty transcript",
        "speaker 's' is in train and in dev (1 utterances), which makes error rates look better than they are",
    ]
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_a_file_in_the_place_of_the_folder(tmp_path: Path, splits: dict[str, list[Utterance]]) -> None:
    (tmp_path / "mx").touch()
    with pytest.raises(DataError, match="mx cannot be made: File exists; give another name"):
        write_corpus(splits, tmp_path / "mx")


def test_a_disk_that_fills_keeps_the_old_manifests(
    tmp_path: Path, splits: dict[str, list[Utterance]], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus(splits, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    calls = []

    def full_at_the_third(_: int) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_at_the_third)
    changed = {name: [dataclasses.replace(u, text="new") for u in part] for name, part in splits.items()}
    with pytest.raises(Exception, match="No space left on device"):
        write_corpus(changed, tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize("name", readers())
def test_the_options_of_a_reader_are_known_to_hydra(name: str) -> None:
    """So that `corpus.options.NAME=...` needs no plus, and --help shows them."""
    defaults = dataclasses.asdict(load_reader(name).Config())
    del defaults["root"]
    assert compose([f"corpus={name}"]).corpus.options == defaults
