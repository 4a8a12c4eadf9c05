"""`on_error=skip`, for every kind of reader: what is wrong is left out and listed, and the rest is read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from asr.corpus.faults import Skipped
from asr.corpus.handling import Handling
from asr.errors import Problems
from data_prep import load_corpus, read_corpus

from .conftest import WriteWav

SKIP = Handling(on_error="skip")


def kaldi(root: Path, write_wav: WriteWav, **texts: str) -> Path:
    """Three data directories with the recordings a to d, two seconds each, and `text` as given."""
    for split in ("train", "dev", "test"):
        (root / split).mkdir(parents=True)
        names = [f"{split}-{one}" for one in "abcd"]
        for name in names:
            write_wav(root / "wav" / f"{name}.wav", seconds=2)
        (root / split / "wav.scp").write_text("".join(f"{name} wav/{name}.wav\n" for name in names))
        text = texts.get(split, "".join(f"{name} zero one\n" for name in names))
        (root / split / "text").write_text(text)
    return root


def test_kaldi(tmp_path: Path, write_wav: WriteWav) -> None:
    root = kaldi(tmp_path, write_wav, dev="dev-a zero\ndev-b\ndev-c [noise] one\nghost x\n")
    with pytest.raises(Problems, match="4 problems in the Kaldi directories in .*on_error=skip leaves out"):
        read_corpus("kaldi_dir", {"root": str(root)})
    (root / "wav/test-a.wav").write_bytes(b"RIFF")
    corpus = load_corpus("kaldi_dir", {"root": str(root)}, handling=SKIP)
    assert [one.id for one in corpus.splits["dev"]] == ["dev-a"]
    assert [one.id for one in corpus.splits["test"]] == ["test-b", "test-c", "test-d"]
    assert [(one.place, one.split) for one in corpus.skipped] == [
        ("dev/text", "dev"),  # has no transcript of dev-d
        ("dev/text:4", "dev"),
        ("dev-b", "dev"),
        ("dev-c", "dev"),
        ("test-a", "test"),
    ]


def test_everything_that_is_wrong_with_a_corpus_is_one_report(tmp_path: Path, write_wav: WriteWav) -> None:
    root = kaldi(tmp_path, write_wav, dev="dev-a zero\ndev-b\ndev-c x\ndev-d x\nghost x\n")
    (root / "wav/test-a.wav").write_bytes(b"")
    with pytest.raises(Problems) as caught:
        read_corpus("kaldi_dir", {"root": str(root)})
    assert [one.partition(": ")[0] for one in caught.value.problems] == ["dev/text:5", "'dev-b'", "'test-a'"]


def test_speakers_that_are_not_known_are_left_out(tmp_path: Path, write_wav: WriteWav) -> None:
    root = kaldi(tmp_path, write_wav)
    (root / "dev/utt2spk").write_text("dev-a x\ndev-b x\ndev-c x\n")
    corpus = load_corpus("kaldi_dir", {"root": str(root)}, handling=SKIP)
    assert [one.id for one in corpus.splits["dev"]] == ["dev-a", "dev-b", "dev-c"]
    assert corpus.skipped == (Skipped("dev/utt2spk", "has no speaker of 'dev-d'", "dev"),)


def test_folder(tmp_path: Path, write_wav: WriteWav) -> None:
    for name in "abcdef":
        write_wav(tmp_path / f"{name}.wav")
        (tmp_path / f"{name}.txt").write_text("hi")
    write_wav(tmp_path / "a.flac")
    (tmp_path / "a.flac").rename(tmp_path / "A.flac")
    (tmp_path / "b.txt").write_text("")
    (tmp_path / "c.txt").unlink()
    (tmp_path / "d.wav").write_bytes(b"x")
    (tmp_path / "lost.txt").write_text("hi")
    corpus = load_corpus("folder", {"root": str(tmp_path)}, handling=SKIP)
    assert sorted(one.id for part in corpus.splits.values() for one in part) == ["a", "e", "f"]
    assert sorted(one.place for one in corpus.skipped) == ["A.flac", "b.txt", "c.wav", "d", "lost.txt"]


def test_a_table(tmp_path: Path, write_wav: WriteWav) -> None:
    for name in "abcd":
        write_wav(tmp_path / f"{name}.wav")
    (tmp_path / "transcripts.csv").write_text("path,text\na.wav,x\nb.wav,\nb.wav\nc.wav,x\nd.wav,x\nc.wav,x\n")
    corpus = load_corpus("folder", {"root": str(tmp_path)}, handling=SKIP)
    assert sorted(one.id for part in corpus.splits.values() for one in part) == ["a", "c", "d"]
    assert [one.place for one in corpus.skipped] == ["transcripts.csv:3", "transcripts.csv:4", "c"]


def test_a_corpus_of_which_nothing_is_left_is_an_error(tmp_path: Path, write_wav: WriteWav) -> None:
    root = kaldi(tmp_path, write_wav, train="", dev="", test="")
    with pytest.raises(Problems, match="12 problems in the Kaldi directories"):
        load_corpus("kaldi_dir", {"root": str(root)}, handling=SKIP)


@pytest.mark.parametrize(("end", "duration"), [(2.0, 1.75), (2.005, 1.75), (2.3, 1.75), (2.5, 1.75)])
def test_a_segment_that_ends_behind_its_recording_is_trimmed(
    tmp_path: Path, write_wav: WriteWav, end: float, duration: float
) -> None:
    root = kaldi(tmp_path, write_wav, dev="dev-1 zero\n")
    (root / "dev/segments").write_text(f"dev-1 dev-a 0.25 {end}\n")
    corpus = load_corpus("kaldi_dir", {"root": str(root)})
    assert corpus.splits["dev"][0].duration == duration
    noted = (f"1 segment was trimmed by up to {end - 2:.3g} s to the end of the recording",)
    assert corpus.notes == (noted if end > 2.01 else ())


def test_a_segment_that_ends_far_behind_its_recording_is_an_error(tmp_path: Path, write_wav: WriteWav) -> None:
    root = kaldi(tmp_path, write_wav, dev="dev-1 zero\ndev-2 zero\n")
    (root / "dev/segments").write_text("dev-1 dev-a 0.25 2.51\ndev-2 dev-a 2 2.1\n")
    with pytest.raises(Problems, match=r"(?s)'dev-1': .*lies outside the file.*'dev-2': .*lies outside the file"):
        read_corpus("kaldi_dir", {"root": str(root)})


def copied(case: Path, root: Path, write_wav: WriteWav) -> Path:
    """A case with recordings for what its wav.scp name."""
    shutil.copytree(case, root, copy_function=shutil.copyfile)
    for folder in (root, *(one for one in root.rglob("*") if one.is_dir())):
        folder.chmod(0o755)
    for table in root.rglob("wav.scp"):
        for line in table.read_text(encoding="utf-8-sig").splitlines():
            write_wav(root / line.split()[1])
    return root


@pytest.mark.parametrize("name", ["bom", "bom_text_only"])
def test_byte_order_marks_are_no_text(shared_cases: Path, tmp_path: Path, write_wav: WriteWav, name: str) -> None:
    root = copied(shared_cases / "kaldi_bom" / name, tmp_path / "root", write_wav)
    splits = read_corpus("kaldi_dir", {"root": str(root)})
    assert [len(part) for part in splits.values()] == [16, 4, 4]
    assert splits["dev"][0].id == "theo-0"
    assert not any("\ufeff" in f"{one.id}{one.text}{one.speaker}" for part in splits.values() for one in part)


def test_the_overshoot_of_the_cases(shared_cases: Path, tmp_path: Path, write_wav: WriteWav) -> None:
    root = kaldi(tmp_path, write_wav)
    for name in ("text", "segments"):
        shutil.copyfile(shared_cases / "kaldi_overshoot/dev" / name, root / "dev" / name)
    write_wav(root / "wav/long.wav", seconds=73.365)
    (root / "dev/wav.scp").write_text("devr wav/long.wav\n")
    (only,) = read_corpus("kaldi_dir", {"root": str(root)})["dev"]
    assert (only.start, only.duration) == (63.66, 9.705)


def test_the_noise_tags_of_the_cases(shared_cases: Path, tmp_path: Path, write_wav: WriteWav) -> None:
    root = copied(shared_cases / "kaldi_noise_tags/noise_tags", tmp_path / "root", write_wav)
    with pytest.raises(Problems, match=r"'theo-0': the text has noise tags \(\[noise\] <unk>\); noise=drop removes"):
        read_corpus("kaldi_dir", {"root": str(root)})
    for noise, text in (("drop", "zero one"), ("keep", "zero one [noise] <unk>")):
        splits = read_corpus("kaldi_dir", {"root": str(root)}, handling=Handling(noise=noise))
        assert splits["dev"][0].text == text
    assert [len(part) for part in read_corpus("kaldi_dir", {"root": str(root)}, handling=SKIP).values()] == [15, 3, 3]


def test_the_invisible_characters_of_the_cases(shared_cases: Path) -> None:
    clean = Handling(clean="unicode")
    for name, texts in (("invisible", {"zero", "zero one"}), ("quotes", {"don't", "it's"})):
        splits = read_corpus("folder", {"root": str(shared_cases / "invisible_characters" / name)}, handling=clean)
        assert {one.text for part in splits.values() for one in part} == texts
