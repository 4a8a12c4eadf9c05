from __future__ import annotations

from pathlib import Path

import pytest

from asr.corpus.splits import write_corpus
from asr.errors import DataError, Problems
from data_prep import fsdd, read_corpus

from .conftest import WriteWav


def test_official_split_is_by_number(tmp_path: Path, write_wav: WriteWav) -> None:
    for index in (0, 4, 5, 9, 10, 49):
        write_wav(tmp_path / "repo" / "recordings" / f"7_jackson_{index}.wav", rate=8000)
    write_wav(tmp_path / "repo" / "recordings" / "0_theo_3.wav", rate=8000)
    splits = read_corpus("fsdd", {"root": str(tmp_path)})
    assert {split: [(u.id, u.text) for u in utterances] for split, utterances in splits.items()} == {
        "train": [("7_jackson_10", "seven"), ("7_jackson_49", "seven")],
        "dev": [("7_jackson_5", "seven"), ("7_jackson_9", "seven")],
        "test": [("0_theo_3", "zero"), ("7_jackson_0", "seven"), ("7_jackson_4", "seven")],
    }
    assert {u.speaker for u in splits["test"]} == {"jackson", "theo"}
    assert splits["test"][0].duration == 0.1
    write_corpus(splits, tmp_path / "out")  # its speakers are in all parts on purpose


def test_other_names_are_reported(tmp_path: Path, write_wav: WriteWav) -> None:
    for name in ("7_jackson_0", "12_jackson_0", "7_jackson"):
        write_wav(tmp_path / "recordings" / f"{name}.wav")
    with pytest.raises(Problems) as caught:
        fsdd.prepare(fsdd.Config(root=str(tmp_path)))
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "recordings/12_jackson_0.wav",
        "recordings/7_jackson.wav",
    ]


def test_missing_corpus_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"recordings/7_jackson_32\.wav.*download=true"):
        fsdd.prepare(fsdd.Config(root=str(tmp_path)))
