"""Tables of transcripts as other tools write them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from asr.corpus.utterance import Utterance
from asr.errors import Problems
from data_prep import load_corpus, read_corpus

from .conftest import WriteWav


def texts(splits: dict[str, list[Utterance]]) -> dict[str, tuple[str | None, str | None]]:
    return {one.id: (one.text, one.speaker) for part in splits.values() for one in part}


CASES = {
    "ljspeech": ("metadata.csv", "a|Dr. 1|Doctor one\nb|two|\nc|three|three\n", "wavs"),
    "two columns, no first line": ("transcripts.tsv", "a\tDoctor one\nb\ttwo\nc\tthree\n", "wav"),
    "semicolons": ("transcripts.csv", "path;text\r\na.wav;Doctor one\r\nb.wav;two\r\nc.wav;three\r\n", ""),
    "hugging face": ("metadata.csv", 'file_name,transcription\na.wav,"Doctor one"\nb.wav,two\nc.wav,three\n', ""),
    "commas in text": ("transcripts.csv", "text;path\nDoctor one;a.wav\ntwo;b.wav\nthree;c.wav\n", ""),
    "bars, named": ("transcripts.csv", "file|sentence\na.wav|Doctor one\nb.wav|two\nc.wav|three\n", "audio"),
    "capitals": ("transcripts.csv", "Path,Text\na.wav,Doctor one\nb.wav,two\nc.wav,three\n", "clips"),
    "two texts": ("metadata.csv", "file_name,sentence,text\na,x,Doctor one\nb,x,two\nc,x,three\n", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_formats(tmp_path: Path, write_wav: WriteWav, name: str) -> None:
    table, content, folder = CASES[name]
    for one in "abc":
        write_wav(tmp_path / folder / f"{one}.wav")
    (tmp_path / table).write_text(content, newline="")
    found = texts(read_corpus("folder", {"root": str(tmp_path)}))
    assert found == {"a": ("Doctor one", None), "b": ("two", None), "c": ("three", None)}


def test_common_voice(tmp_path: Path, write_wav: WriteWav) -> None:
    for split in ("train", "dev", "test"):
        write_wav(tmp_path / "clips" / f"{split}.wav")
        rows = f'client_id\tpath\tsentence\tup_votes\nxy {split}\t{split}.wav\tSay "{split}", please.\t2\n'
        (tmp_path / f"{split}.tsv").write_text(rows)
    corpus = load_corpus("folder", {"root": str(tmp_path)})
    assert texts({"dev": corpus.splits["dev"]}) == {"dev": ('Say "dev", please.', "xy_dev")}
    assert "dev.tsv: these columns are ignored: up_votes" in corpus.notes


def test_hugging_face_with_a_folder_a_split(tmp_path: Path, write_wav: WriteWav) -> None:
    for split in ("train", "dev", "test"):
        write_wav(tmp_path / split / f"{split}.wav")
        (tmp_path / split / "metadata.csv").write_text(f"file_name,transcription\n{split}.wav,hi\n")
    splits = read_corpus("folder", {"root": str(tmp_path)})
    assert {name: [one.id for one in part] for name, part in splits.items()} == {n: [n] for n in splits}


def test_the_split_may_be_called_validation(tmp_path: Path, write_wav: WriteWav) -> None:
    for name in "abc":
        write_wav(tmp_path / f"{name}.wav")
    (tmp_path / "transcripts.csv").write_text("path,text,split\na.wav,x,train\nb.wav,x,Validation\nc.wav,x,test\n")
    assert [one.id for one in read_corpus("folder", {"root": str(tmp_path)})["dev"]] == ["b"]


def test_a_metadata_table_of_another_kind_is_left_alone(tmp_path: Path, write_wav: WriteWav) -> None:
    for name in "abc":
        write_wav(tmp_path / f"{name}.wav")
        (tmp_path / f"{name}.txt").write_text("hi")
    (tmp_path / "metadata.csv").write_text("recorder,room,date\nx,y,z\n")
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.tsv").write_text("epoch\tloss\n1\t2\n")
    assert texts(read_corpus("folder", {"root": str(tmp_path)})) == dict.fromkeys("abc", ("hi", None))


def test_paths_that_are_none(tmp_path: Path, write_wav: WriteWav) -> None:
    write_wav(tmp_path / "a.wav")
    (tmp_path / "clips").mkdir()
    rows = ["path\ttext", "a.wav\tx", "\tx", f"{'a' * 300}.wav\tx", "clips\tx", "/dev/zero\tx"]
    (tmp_path / "transcripts.tsv").write_text("\n".join([*rows, "../../etc/passwd\tx"]) + "\n")
    with pytest.raises(Problems) as caught:
        read_corpus("folder", {"root": str(tmp_path)})
    problems = [one.partition(": ")[2] for one in caught.value.problems]
    assert problems[0] == "the path '' is empty"
    assert problems[1].endswith("is too long (a path may have 4096 bytes, each name in it 255)")
    assert problems[2:4] == [
        "'clips' is a folder; expected a sound file",
        "'/dev/zero' is a device or a pipe; expected a sound file",
    ]
    assert problems[4].startswith("the path '../../etc/passwd' leads out of ")


def test_a_nul_in_a_path(tmp_path: Path, write_wav: WriteWav) -> None:
    """Python 3.10 cannot even read the line."""
    write_wav(tmp_path / "a.wav")
    (tmp_path / "transcripts.tsv").write_text("path\ttext\na.wav\tx\na\0.wav\tx\n")
    message = r"tsv:3: (the path 'a\\x00\.wav' holds a NUL character|cannot be read as a table: line contains NUL)"
    with pytest.raises(Problems, match=message):
        read_corpus("folder", {"root": str(tmp_path)})


def test_a_misspelt_column_is_told_from_one_that_is_not_read(tmp_path: Path, write_wav: WriteWav) -> None:
    write_wav(tmp_path / "a.wav")
    (tmp_path / "transcripts.csv").write_text("path,text,speeker,age\na.wav,x,anna,7\n")
    with pytest.raises(Problems, match=r"csv:1: unknown column 'speeker'; did you mean 'speaker'\?") as caught:
        read_corpus("folder", {"root": str(tmp_path)})
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("name", ["ljspeech", "csv_semicolon", "csv_commonvoice", "csv_hf_audiofolder"])
def test_the_cases(shared_cases: Path, tmp_path: Path, write_wav: WriteWav, name: str) -> None:
    (table,) = (shared_cases / "table_formats" / name).iterdir()
    shutil.copyfile(table, tmp_path / table.name)
    speakers = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
    suffix = "wav" if name == "ljspeech" else "flac"
    for speaker in speakers:
        for number in range(4):
            write_wav(tmp_path / f"{speaker}_{number}.{suffix}")
    found = texts(read_corpus("folder", {"root": str(tmp_path)}))
    assert len(found) == 24
    assert {text for text, _ in found.values()} == {"zero"}
    known = name in ("csv_semicolon", "csv_commonvoice")
    assert {speaker for _, speaker in found.values()} == (set(speakers) if known else {None})
