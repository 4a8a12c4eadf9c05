from __future__ import annotations

import os
from pathlib import Path

import pytest

from asr.corpus.splits import write_corpus
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError, Problems
from data_prep import folder, read_corpus

from .conftest import WriteWav


def say(write_wav: WriteWav, path: Path, text: str = "hello") -> None:
    write_wav(path)
    path.with_suffix(".txt").write_text(text, encoding="utf-8")


def ids(splits: dict[str, list[Utterance]]) -> dict[str, list[str]]:
    return {split: [u.id for u in utterances] for split, utterances in splits.items()}


def test_folders_are_speakers_and_speakers_are_kept_apart(tmp_path: Path, write_wav: WriteWav) -> None:
    for speaker in ("anna", "ben", "carl b", "dora"):
        for number in range(5):
            say(write_wav, tmp_path / speaker / "session 1" / f"{number}.wav", f"  {speaker}\n {number}\n")
    (tmp_path / "README.txt").write_text("no recording of this name")
    (tmp_path / ".hidden").mkdir()
    splits = read_corpus("folder", {"root": str(tmp_path)})
    speakers = {split: {u.speaker for u in utterances} for split, utterances in splits.items()}
    assert sorted(len(names) for names in speakers.values()) == [1, 1, 2]
    assert set.union(*speakers.values()) == {"anna", "ben", "carl_b", "dora"}
    assert sum(len(utterances) for utterances in splits.values()) == 20
    carl = next(u for part in splits.values() for u in part if u.id == "carl_b-session_1-3")
    assert carl.text == "carl b 3"
    write_corpus(splits, tmp_path / "out")


def test_the_division_is_always_the_same(tmp_path: Path, write_wav: WriteWav) -> None:
    for number in range(10):
        say(write_wav, tmp_path / f"{number}.flac")
    splits = folder.prepare(folder.Config(root=str(tmp_path)))
    # `for i in 0 1 2 3 4 5 6 7 8 9; do printf $i | sha256sum; done | sort` ends with 6 (e7f6...) and 5 (ef2d...).
    assert ids(splits) == {
        "train": ["0", "1", "2", "3", "4", "7", "8", "9"],
        "dev": ["6"],
        "test": ["5"],
    }


def test_without_three_speakers_recordings_are_divided(tmp_path: Path, write_wav: WriteWav) -> None:
    for number in range(6):
        say(write_wav, tmp_path / "me" / f"{number}.wav")
    splits = read_corpus("folder", {"root": str(tmp_path), "dev": 0.2, "test": 0.3})
    assert {split: len(utterances) for split, utterances in splits.items()} == {"train": 3, "dev": 1, "test": 2}
    write_corpus(splits, tmp_path / "out")
    with pytest.raises(
        DataError,
        match="split_by=speaker needs at least three speakers, and a speaker for every recording; there are 1",
    ):
        folder.prepare(folder.Config(root=str(tmp_path), split_by="speaker"))


def test_three_recordings_are_enough_and_two_are_not(tmp_path: Path, write_wav: WriteWav) -> None:
    for name in "ab":
        say(write_wav, tmp_path / f"{name}.wav")
    with pytest.raises(DataError, match="2 recordings cannot be divided"):
        folder.prepare(folder.Config(root=str(tmp_path)))
    say(write_wav, tmp_path / "c.wav")
    splits = folder.prepare(folder.Config(root=str(tmp_path), dev=0.45, test=0.45))
    assert [len(splits[split]) for split in ("train", "dev", "test")] == [1, 1, 1]


def test_folders_named_after_splits_are_the_splits(tmp_path: Path, write_wav: WriteWav) -> None:
    for split in ("train", "dev", "test"):
        say(write_wav, tmp_path / split / f"s-{split}" / "x.wav")
    splits = folder.prepare(folder.Config(root=str(tmp_path)))
    assert ids(splits) == {"train": ["s-train-x"], "dev": ["s-dev-x"], "test": ["s-test-x"]}
    assert splits["dev"][0].speaker == "s-dev"
    say(write_wav, tmp_path / "stray.wav")
    with pytest.raises(Problems, match=r"stray\.wav: is outside the folders train, dev and test"):
        folder.prepare(folder.Config(root=str(tmp_path)))


def test_recordings_without_a_transcript_are_named_together(tmp_path: Path, write_wav: WriteWav) -> None:
    say(write_wav, tmp_path / "good.wav")
    write_wav(tmp_path / "a.wav")
    write_wav(tmp_path / "b.WAV")
    (tmp_path / "b.txt").write_bytes(b"\xff")
    with pytest.raises(Problems) as caught:
        folder.prepare(folder.Config(root=str(tmp_path)))
    assert caught.value.problems[0] == "a.wav: has no transcript; expected a.txt beside it"
    assert caught.value.problems[1] == "b.txt:1: byte 1 of the line is not UTF-8; save the file as UTF-8"


def test_texts_without_a_recording_are_named(tmp_path: Path, write_wav: WriteWav) -> None:
    for name in ("s0", "s1", "s1b", "s2", "s3"):
        say(write_wav, tmp_path / "anna" / f"{name}.wav")
    for name in ("s1", "s1b"):
        (tmp_path / "anna" / f"{name}.wav").unlink()
    (tmp_path / "anna" / "s1b.wav").mkdir()
    for name in (
        "anna/README.txt",
        "anna/Licence.txt",
        "anna/.s9.txt",
        "list.txt",
        "docs.txt/more.txt",
        "anna/x.txt/y.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no transcript")
    with pytest.raises(Problems) as caught:
        folder.prepare(folder.Config(root=str(tmp_path)))
    assert caught.value.problems == (
        "anna/s1.txt: has no recording; put s1.wav beside it, or remove the text",
        "anna/s1b.txt: has no recording; put s1b.wav beside it, or remove the text",
    )


def write_or_skip(write_wav: WriteWav, path: Path) -> None:
    try:
        say(write_wav, path)
    except OSError:
        pytest.skip("this file system has UTF-8 names only")


def test_names_that_are_not_utf8_are_named(tmp_path: Path, write_wav: WriteWav) -> None:
    say(write_wav, tmp_path / "good.wav")
    write_or_skip(write_wav, tmp_path / os.fsdecode(b"n\xe9.wav"))
    write_or_skip(write_wav, tmp_path / os.fsdecode(b"b\xff") / "1.wav")
    (tmp_path / os.fsdecode(b"m\xe9.txt")).write_text("text")
    with pytest.raises(Problems) as caught:
        folder.prepare(folder.Config(root=str(tmp_path)))
    assert caught.value.problems == (
        r"n\xe9.wav: the name is not UTF-8; rename it",
        r"b\xff/1.wav: the name is not UTF-8; rename it",
        r"m\xe9.txt: has no recording; put m\xe9.wav beside it, or remove the text",
    )
    root = tmp_path / os.fsdecode(b"b\xff")
    with pytest.raises(DataError, match=r"b\\xff: the name is not UTF-8; rename it"):
        folder.prepare(folder.Config(root=str(root)))


def test_everything_wrong_is_one_report(tmp_path: Path, write_wav: WriteWav) -> None:
    for name in ("a.wav", "a.flac", "b.wav", "c.wav"):
        say(write_wav, tmp_path / name)
    (tmp_path / "b.txt").write_text(" \n")
    write_wav(tmp_path / "d.wav")
    (tmp_path / "d.wav").write_bytes(b"")
    write_wav(tmp_path / "c.wav", channels=2)
    with pytest.raises(Problems) as caught:
        read_corpus("folder", {"root": str(tmp_path)})
    assert caught.value.problems[:3] == (
        "b.txt: is empty; write what is said, or leave the recording out",
        "d.wav: has no transcript; expected d.txt beside it",
        "'a': the id is used for a.flac and for a.wav; make ids unique",
    )
    assert caught.value.problems[3].startswith(f"'d': {tmp_path / 'd.wav'}: is empty (0 bytes)")
    assert caught.value.problems[4].startswith(f"'c': {tmp_path / 'c.wav'}: has 2 channels; choose one with `channel`")
    assert len(caught.value.problems) == 5


def test_a_channel_can_be_chosen(tmp_path: Path, write_wav: WriteWav) -> None:
    for name in ("a", "b", "c"):
        say(write_wav, tmp_path / f"{name}.wav")
        write_wav(tmp_path / f"{name}.wav", channels=2)
    splits = read_corpus("folder", {"root": str(tmp_path), "channel": 1})
    assert [one.channel for utterances in splits.values() for one in utterances] == [1, 1, 1]


def test_table_with_all_columns(tmp_path: Path, write_wav: WriteWav) -> None:
    write_wav(tmp_path / "x" / "long.wav", seconds=3)
    rows = ["path\ttext\tid\tspeaker\tsplit\tstart\tduration"]
    rows += [
        f'x/long.wav\tsay "{split}"\tu-{split}\ts-{split}\t{split}\t{n}\t0.5' for n, split in enumerate(folder.SPLITS)
    ]
    (tmp_path / "transcripts.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    splits = read_corpus("folder", {"root": str(tmp_path)})
    assert splits["test"] == [
        Utterance("u-test", tmp_path / "x/long.wav", start=2.0, duration=0.5, text='say "test"', speaker="s-test")
    ]


def test_csv_table_with_two_columns(tmp_path: Path, write_wav: WriteWav) -> None:
    for speaker in ("anna", "ben", "carl"):
        write_wav(tmp_path / speaker / "1.wav")
    rows = 'path,text\r\nanna/1.wav,"hello, you"\r\nben/1.wav,b\r\ncarl/1.wav,c\r\n'
    (tmp_path / "mine.csv").write_text("\ufeff" + rows, encoding="utf-8")
    splits = read_corpus("folder", {"root": str(tmp_path), "transcripts": "mine.csv"})
    found = {u.id: (u.text, u.speaker) for utterances in splits.values() for u in utterances}
    assert found == {"anna-1": ("hello, you", "anna"), "ben-1": ("b", "ben"), "carl-1": ("c", "carl")}


def test_bad_rows_are_named_together(tmp_path: Path, write_wav: WriteWav) -> None:
    write_wav(tmp_path / "a.wav")
    rows = ["path\ttext\tsplit\tstart", "a.wav\tfine\ttrain\t", "b.wav\tx\ttrain\t", "../a.wav\tx\ttrain\t"]
    rows += ["a.wav\tx\ttran\t", "a.wav\tx\ttrain\tnan", "a.wav\tx", "a.wav\tx\ttrain\t1\t2", "a.wav\t \ttrain\t"]
    (tmp_path / "transcripts.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with pytest.raises(Problems) as caught:
        folder.prepare(folder.Config(root=str(tmp_path)))
    assert caught.value.problems == (
        f"transcripts.tsv:3: there is no file 'b.wav' in {tmp_path}",
        f"transcripts.tsv:4: the path '../a.wav' leads out of {tmp_path}; write it as an absolute path",
        "transcripts.tsv:5: the split is 'tran'; expected train, dev or test; did you mean 'train'?",
        "transcripts.tsv:6: start is 'nan'; expected seconds",
        "transcripts.tsv:7: expected 4 columns (path, text, split, start), got 2",
        "transcripts.tsv:8: expected 4 columns (path, text, split, start), got 5",
        "transcripts.tsv:9: the text is empty; write what is said, or remove the line",
    )


def test_bad_tables(tmp_path: Path) -> None:
    table = tmp_path / "transcripts.csv"
    table.write_text("path,txt\na,b\n")
    with pytest.raises(Problems) as caught:
        folder.prepare(folder.Config(root=str(tmp_path)))
    assert caught.value.problems[0].startswith("transcripts.csv:1: unknown column 'txt'; did you mean 'text'")
    assert caught.value.problems[1].startswith("transcripts.csv:1: has no column 'text'")
    table.write_bytes(b"path,text\n\xff,b\n")
    with pytest.raises(Problems, match=r"transcripts\.csv:2: byte 1 of the line is not UTF-8"):
        folder.prepare(folder.Config(root=str(tmp_path)))
    table.write_text('path,text\n"a,b\n')
    with pytest.raises(Problems, match=r"transcripts\.csv:2: cannot be read as a table"):
        folder.prepare(folder.Config(root=str(tmp_path)))
    with pytest.raises(DataError, match=r"there is no table 'mine\.tsv' in"):
        folder.prepare(folder.Config(root=str(tmp_path), transcripts="mine.tsv"))


def test_bad_options(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"dev=0.5 and test=0.5: expected shares above 0, together below 1"):
        folder.prepare(folder.Config(root=str(tmp_path), dev=0.5, test=0.5))
    with pytest.raises(
        ConfigError, match="split_by='speakers': expected auto, speaker, recording; did you mean 'speaker'"
    ):
        folder.prepare(folder.Config(root=str(tmp_path), split_by="speakers"))
    with pytest.raises(DataError, match="no recordings in"):
        folder.prepare(folder.Config(root=str(tmp_path)))
