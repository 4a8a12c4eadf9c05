from __future__ import annotations

from pathlib import Path

import pytest

from asr.corpus.faults import CorpusFaults
from asr.corpus.utterance import Utterance
from asr.errors import Problems
from data_prep.recordings import with_durations

from .conftest import WriteWav


def test_durations_are_those_of_the_files_or_segments(tmp_path: Path, write_wav: WriteWav) -> None:
    path = write_wav(tmp_path / "a.wav", seconds=2, rate=8000)
    heard: list[tuple[str, int, int]] = []
    splits = {
        "train": [Utterance("whole", path), Utterance("wrong length said", path, duration=9.0)],
        "test": [
            Utterance("segment", path, start=0.5, duration=1.0),
            Utterance("rest", path, start=0.5),
            Utterance("ink", path, kind="ink", duration=77.0),
        ],
    }
    measured = with_durations(splits, CorpusFaults(), lambda *progress: heard.append(progress))
    assert [u.duration for part in measured.values() for u in part] == [2.0, 2.0, 1.0, 1.5, 77.0]
    assert heard == [("reading headers", done, 5) for done in range(1, 6)]


def test_every_bad_recording_is_named(tmp_path: Path, write_wav: WriteWav) -> None:
    good = write_wav(tmp_path / "good.wav")
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("this is not audio, whatever its name says")
    write_wav(tmp_path / "stereo.wav", channels=2)
    whole = write_wav(tmp_path / "cut.wav", seconds=1).read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    names = ("missing", "empty", "text", "stereo", "cut")
    utterances = [Utterance(name, tmp_path / f"{name}.wav") for name in names]
    utterances += [Utterance("late", good, start=5.0), Utterance("fine", good)]
    faults = CorpusFaults(collect=True)
    assert [one.id for one in with_durations({"train": utterances}, faults)["train"]] == ["fine"]
    assert {one.split for one in faults.skipped} == {"train"}
    with pytest.raises(Problems) as caught:
        faults.raise_all("a test")
    reasons = ("no such file", "is empty", "cannot be read as audio", "has 2 channels", "", "lies outside the file")
    for problem, name, reason in zip(caught.value.problems, (*names, "late"), reasons, strict=True):
        assert problem.startswith(f"'{name}': ")
        assert reason in problem
