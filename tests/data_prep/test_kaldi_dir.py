from __future__ import annotations

import os
from pathlib import Path

import pytest

from asr.corpus.splits import write_corpus
from asr.errors import DataError, Problems
from data_prep import kaldi_dir, read_corpus

from .conftest import WriteWav


@pytest.fixture
def root(tmp_path: Path, write_wav: WriteWav) -> Path:
    for split in ("train", "dev", "test"):
        write_wav(tmp_path / "audio" / f"{split}.wav", seconds=2)
        table(tmp_path, split, "wav.scp", f"{split}-r audio/{split}.wav")
        table(tmp_path, split, "segments", f"{split}-1 {split}-r 0.25 1.0", f"{split}-2 {split}-r 1.5 -1")
        table(tmp_path, split, "text", f"{split}-1 good  morning", f"{split}-2 noon")
        table(tmp_path, split, "utt2spk", f"{split}-1 s-{split}", f"{split}-2 s-{split}")
    return tmp_path


def table(root: Path, split: str, name: str, *lines: str) -> None:
    (root / split).mkdir(exist_ok=True)
    (root / split / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def problems_of(root: Path) -> tuple[str, ...]:
    with pytest.raises(Problems) as caught:
        kaldi_dir.prepare(kaldi_dir.Config(root=str(root)))
    return caught.value.problems


def test_reads_segments(root: Path, tmp_path: Path) -> None:
    splits = read_corpus("kaldi_dir", {"root": str(root)})
    first, second = splits["train"]
    assert (first.id, first.start, first.duration) == ("train-1", 0.25, 0.75)
    assert (second.id, second.start, second.duration) == ("train-2", 1.5, 0.5)
    assert (first.text, first.speaker, first.source) == ("good  morning", "s-train", root / "audio/train.wav")
    write_corpus(splits, tmp_path / "out")


def test_reads_whole_files_without_segments_and_speakers(root: Path) -> None:
    for split in ("train", "dev", "test"):
        (root / split / "segments").unlink()
        (root / split / "utt2spk").unlink()
        table(root, split, "text", f"{split}-r one two")
    splits = read_corpus("kaldi_dir", {"root": str(root), "labels": True, "channel": 0})
    (only,) = splits["dev"]
    assert (only.start, only.duration, only.speaker, only.channel) == (None, 2.0, None, 0)
    assert (only.text, only.labels) == (None, ("one", "two"))


def test_directories_may_have_other_names_and_paths_another_root(root: Path) -> None:
    (root / "audio").rename(root / "elsewhere")
    moved = root / "elsewhere" / "audio"
    moved.mkdir()
    for path in (root / "elsewhere").glob("*.wav"):
        path.rename(moved / path.name)
    (root / "dev").rename(root / "validation")
    config = kaldi_dir.Config(root=str(root), dev="validation", audio_root=str(root / "elsewhere"))
    assert [u.id for u in kaldi_dir.prepare(config)["dev"]] == ["dev-1", "dev-2"]


@pytest.mark.parametrize("command", ["sph2pipe -f wav a.sph |", "| cat", "gunzip -c a.gz|"])
def test_a_pipe_is_refused_with_the_reason_and_never_run(root: Path, command: str) -> None:
    table(root, "train", "wav.scp", f"train-r {command}")
    first = problems_of(root)[0]
    assert first.startswith("train/wav.scp:1: reads from a command")
    assert "commands in data files are never run: write audio files" in first


@pytest.mark.parametrize("archive", ["raw.ark:1234", "-", "other.scp"])
def test_archives_and_standard_input_are_refused(root: Path, archive: str) -> None:
    table(root, "train", "wav.scp", f"train-r {archive}")
    assert "is standard input or a part of an archive; expected a sound file" in problems_of(root)[0]


def test_paths_may_not_leave_the_root(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "b.wav"
    outside.write_bytes(b"x")
    (root / "link.wav").symlink_to(outside)
    table(root, "train", "wav.scp", "train-r ../b.wav", "train-s link.wav", "train-t audio/none.wav")
    problems = problems_of(root)
    assert problems[0].startswith("train/wav.scp:1: the path '../b.wav' leads out of")
    assert problems[1].startswith("train/wav.scp:2: the path 'link.wav' leads out of")
    assert problems[2].startswith("train/wav.scp:3: there is no file")
    assert problems[2].endswith("set audio_root= to the folder that paths are relative to")


def test_problems_are_named_with_file_and_line(root: Path) -> None:
    with (root / "train/segments").open("a") as file:
        file.write("train-3 nobody 0 1\ntrain-4 train-r 2 1\ntrain-5 train-r a b\ntrain-6 train-r 0 nan\n")
        file.write("train-1 train-r 0 1\ntrain-7\ntrain-8 train-r 0 0.5\n")
    with (root / "train/text").open("a") as file:
        file.write("train-9 ghost\n")
    assert problems_of(root) == (
        "train/segments:7: 'train-1' was already given at train/segments:1",
        "train/segments:8: 'train-7' has no value",
        "train/segments:3: there is no recording 'nobody' in wav.scp",
        "train/segments:4: runs from 2 to 1 s; expected 0 <= start < end",
        "train/segments:5: expected 'utterance recording start end' in seconds, got 'train-5 train-r a b'",
        "train/segments:6: expected 'utterance recording start end' in seconds, got 'train-6 train-r 0 nan'",
        "train/text: has no transcript of 'train-8'",
        "train/text:3: 'train-9' has no audio; correct wav.scp or segments, or leave the line out",
        "train/utt2spk: has no speaker of 'train-8'",
    )


def test_text_that_is_not_utf8_or_not_there(root: Path) -> None:
    (root / "dev/text").write_bytes(b"dev-1 \xff\n")
    (root / "test/text").unlink()
    problems = problems_of(root)
    assert problems[0] == "dev/text:1: byte 7 of the line is not UTF-8; save the file as UTF-8"
    assert "test/text: does not exist; expected a text file" in problems


def test_segment_outside_its_file_is_found(root: Path) -> None:
    table(root, "dev", "segments", "dev-1 dev-r 0.25 9.0", "dev-2 dev-r 0 1")
    with pytest.raises(Problems, match=r"'dev-1': .*dev\.wav: the segment 0\.25 to 9 s lies outside the file"):
        read_corpus("kaldi_dir", {"root": str(root)})


def test_speakers_of_train_in_test(root: Path, tmp_path: Path) -> None:
    table(root, "test", "utt2spk", "test-1 s-train", "test-2 s-train")
    with pytest.raises(Problems, match="speaker 's-train' is in train and in test"):
        write_corpus(read_corpus("kaldi_dir", {"root": str(root)}), tmp_path / "out")
    write_corpus(read_corpus("kaldi_dir", {"root": str(root), "shared_speakers": True}), tmp_path / "out")


def test_missing_directories(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected the data directories train, dev, test, each with a wav\.scp"):
        kaldi_dir.prepare(kaldi_dir.Config(root=str(tmp_path)))


def test_names_that_no_file_can_have_and_what_is_no_file(root: Path) -> None:
    os.mkfifo(root / "pipe.wav")
    lines = ["train-r a\0b.wav", f"train-s {'x' * 300}.wav", "train-t /dev/zero", "train-u pipe.wav", "train-v audio"]
    table(root, "train", "wav.scp", *lines)
    problems = [one.partition(": ")[2] for one in problems_of(root)[:5]]
    assert problems[0] == "the path 'a\\x00b.wav' holds a NUL character"
    assert problems[1].endswith("... is too long (a path may have 4096 bytes, each name in it 255)")
    assert problems[2] == "/dev/zero is a device or a pipe; expected a file"
    assert problems[3].startswith(f"{root}/pipe.wav is a device or a pipe; expected a file")
    assert problems[4].startswith(f"{root}/audio is a folder; expected a file")


def test_messages_stay_short(root: Path) -> None:
    table(root, "train", "segments", f"train-1 train-r 0 {'9' * 5000}", f"{'x' * 5000} train-r", f"a {'y' * 5000} 0 1")
    assert max(map(len, problems_of(root))) < 400
