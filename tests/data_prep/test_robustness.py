"""Corpora damaged at random give utterances or an error of ours, at once: never a traceback."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asr.corpus.faults import CorpusFaults, Skipped, read_skipped, skipped_content
from asr.corpus.handling import Handling
from asr.corpus.manifest import read_manifest
from asr.corpus.utterance import Utterance
from asr.errors import AsrError
from asr.ink import Ink
from asr.scoring.trn import read_trn
from asr.seeds import generator
from data_prep import load_corpus, timit
from data_prep.download import unpack
from data_prep.ink_cache import stored
from tests.mutations import mutated

from .conftest import WriteWav
from .test_download import tar

SLOWEST_SECONDS = 2.0  # of one reading, on a machine that does other things too
SKIP = Handling(on_error="skip", noise="drop", clean="unicode")
SPLITS = ("train", "dev", "test")


def survivals(path: Path, read: Callable[[], object], n_mutations: int, name: str) -> int:
    """Read a file after each of many mutations; how often there was still a value."""
    content = path.read_bytes()
    good = 0
    for k in range(n_mutations):
        path.write_bytes(mutated(content, generator("mutations", name, k)))
        begun = time.perf_counter()
        try:
            read()
            good += 1
        except AsrError as error:
            lines = str(error).splitlines()
            assert 0 < len(lines) <= 30
            assert max(map(len, lines)) < 1000, "a message as long as the file"
        assert time.perf_counter() - begun < SLOWEST_SECONDS
    path.write_bytes(content)
    return good


def reading(reader: str, root: Path) -> Callable[[], object]:
    """Read as it stands, and then without what is wrong; the second may fail only where the first does."""

    def read() -> None:
        try:
            load_corpus(reader, {"root": str(root)}, handling=SKIP)
        finally:
            load_corpus(reader, {"root": str(root)})

    return read


MANIFEST = """\
{"id": "a", "audio": "wav/a.wav", "start": 0.25, "duration": 1.5, "channel": 0, "text": "zero Ü", "speaker": "s 1"}
{"id": "b", "audio": "/x/b.wav", "labels": ["h#", "ax"], "tags": {"dialect": "1"}}

{"audio_filepath": "c.wav", "offset": 1e-1, "duration": 2, "text": "hi", "lang": "en", "speaker": 7}
{"id": "i", "ink": "pens.inks", "start": 12, "duration": 100, "text": "pen"}
"""


def a_manifest(folder: Path, write_wav: WriteWav) -> tuple[Path, Callable[[], object]]:
    path = folder / "train.jsonl"
    path.write_text(MANIFEST)
    return path, lambda: read_manifest(path, check_sources=False)


def a_manifest_with_sources(folder: Path, write_wav: WriteWav) -> tuple[Path, Callable[[], object]]:
    write_wav(folder / "wav/a.wav")
    path = folder / "train.jsonl"
    path.write_text(MANIFEST.splitlines()[0] + "\n")
    return path, lambda: read_manifest(path)


def a_skipped_list(folder: Path, write_wav: WriteWav) -> tuple[Path, Callable[[], object]]:
    (folder / "skipped.jsonl").write_bytes(skipped_content([Skipped("a", "is empty", "dev"), Skipped("", "Ü")]))
    return folder / "skipped.jsonl", lambda: read_skipped(folder)


def kaldi_file(name: str) -> Callable[[Path, WriteWav], tuple[Path, Callable[[], object]]]:
    def make(folder: Path, write_wav: WriteWav) -> tuple[Path, Callable[[], object]]:
        for split in SPLITS:
            (folder / split).mkdir()
            write_wav(folder / "wav" / f"{split}.wav", seconds=2)
            tables = {
                "wav.scp": f"r1 wav/{split}.wav\nr2 wav/{split}.wav\n",
                "segments": f"{split}-1 r1 0.25 1.0\n{split}-2 r1 1.00 2.0\n{split}-3 r2 0 -1\n",
                "text": f"{split}-1 zero one\n{split}-2 Ünal's\n{split}-3 two\n",
                "utt2spk": "".join(f"{split}-{n} s-{split}\n" for n in (1, 2, 3)),
            }
            for table, content in tables.items():
                (folder / split / table).write_text(content)
        return folder / "train" / name, reading("kaldi_dir", folder)

    return make


def a_table(name: str, content: str) -> Callable[[Path, WriteWav], tuple[Path, Callable[[], object]]]:
    def make(folder: Path, write_wav: WriteWav) -> tuple[Path, Callable[[], object]]:
        for one in "abcd":
            write_wav(folder / "wavs" / f"{one}.wav", seconds=2)
        (folder / name).write_text(content, newline="")
        return folder / name, reading("folder", folder)

    return make


def a_text(folder: Path, write_wav: WriteWav) -> tuple[Path, Callable[[], object]]:
    for one in "abcd":
        write_wav(folder / f"{one}.wav")
        (folder / f"{one}.txt").write_text("zero Ü (maybe)\none\n")
    return folder / "a.txt", reading("folder", folder)


def timit_file(suffix: str) -> Callable[[Path, WriteWav], tuple[Path, Callable[[], object]]]:
    def make(folder: Path, write_wav: WriteWav) -> tuple[Path, Callable[[], object]]:
        stem = folder / "dr1-fcjf0/sx37"
        write_wav(stem.with_suffix(".wav"))
        stem.with_suffix(".phn").write_text("0 400 h#\n400 800 ix\n800 1600 h#\n")
        (stem.with_suffix(suffix)).touch()
        if suffix == ".wrd":
            stem.with_suffix(suffix).write_text("400 800 she\n700 1600 had\n")
        elif suffix == ".txt":
            stem.with_suffix(suffix).write_text("0 1600 She had your dark suit, in.\n")
        return stem.with_suffix(suffix), lambda: timit.prepare(timit.Config(root=str(folder)))

    return make


def an4_file(name: str) -> Callable[[Path, WriteWav], tuple[Path, Callable[[], object]]]:
    def make(folder: Path, write_wav: WriteWav) -> tuple[Path, Callable[[], object]]:
        (folder / "etc").mkdir()
        for split in ("train", "test"):
            paths = [f"set/{speaker}/{split}-{n}-{speaker}" for n, speaker in enumerate(("fbbh", "mxyz"))]
            for path in paths:
                write_wav(folder / "wav" / f"{path}.wav")
            lines = [f"<s> GO {n} </s> ({path.rpartition('/')[2]})\n" for n, path in enumerate(paths)]
            (folder / "etc" / f"an4_{split}.fileids").write_text("".join(f"{path}\n" for path in paths))
            (folder / "etc" / f"an4_{split}.transcription").write_text("".join(lines))
        return folder / "etc" / name, reading("an4", folder)

    return make


def a_trn(folder: Path, write_wav: WriteWav) -> tuple[Path, Callable[[], object]]:
    (folder / "ref.trn").write_text("zero Ü one (s-a)\n;; a remark\n(uh) two%20 @ (s-b)\n (c)\n")
    return folder / "ref.trn", lambda: read_trn(folder / "ref.trn")


def an_ink_cache(folder: Path, write_wav: WriteWav) -> tuple[Path, Callable[[], object]]:
    def make(problems: list[str]) -> Iterator[tuple[Utterance, Ink]]:
        yield Utterance("a", Path(), "ink", text="A", tags={"donor": "é"}), Ink.of([[1, 2], [3, 4]])

    def read() -> list[Utterance]:
        found = stored("toy", {"version": 1}, make, CorpusFaults(), str(folder))
        assert all(type(one.start) is type(one.duration) is int and isinstance(one.id, str) for one in found)
        return found

    read()
    return next(folder.glob("*.json")), read


def an_archive(folder: Path, write_wav: WriteWav) -> tuple[Path, Callable[[], object]]:
    import gzip
    import shutil

    path = folder / "c.tar.gz"
    path.write_bytes(gzip.decompress(tar({"c/a": b"one" * 50, "c/b": b"two"})))  # plain, so that mutations reach it

    def read() -> None:
        shutil.rmtree(folder / "out", ignore_errors=True)
        (folder / "out").mkdir()
        unpack(path, folder / "out", 10_000)
        assert sum(one.stat().st_size for one in (folder / "out").rglob("*") if one.is_file()) <= 10_000

    return path, read


TSV = "path\ttext\tid\tspeaker\tstart\tduration\n" + "".join(f"{n}.wav\tzero Ü\tu{n}\ts{n}\t0.5\t1\n" for n in "abcd")
CSV = 'file_name;transcription\r\na.wav;"zero; one"\r\nb.wav;Ü\r\nc.wav;two\r\nd.wav;x\r\n'
LJSPEECH = "a|Dr. 1|Doctor one\nb|two|two\nc|three|three\nd|x|\n"

KINDS: dict[str, Callable[[Path, WriteWav], tuple[Path, Callable[[], Any]]]] = {
    "manifest": a_manifest,
    "manifest with sources": a_manifest_with_sources,
    "skipped.jsonl": a_skipped_list,
    "wav.scp": kaldi_file("wav.scp"),
    "segments": kaldi_file("segments"),
    "text": kaldi_file("text"),
    "utt2spk": kaldi_file("utt2spk"),
    "transcripts.tsv": a_table("transcripts.tsv", TSV),
    "transcripts.csv": a_table("transcripts.csv", CSV),
    "metadata.csv": a_table("metadata.csv", LJSPEECH),
    "a.txt": a_text,
    ".phn": timit_file(".phn"),
    ".wrd": timit_file(".wrd"),
    ".txt": timit_file(".txt"),
    "an4.fileids": an4_file("an4_train.fileids"),
    "an4.transcription": an4_file("an4_train.transcription"),
    "trn": a_trn,
    "ink cache": an_ink_cache,
    "archive": an_archive,
}


QUICK = {"manifest", "skipped.jsonl", ".phn", ".wrd", ".txt", "trn"}
"""Kinds that are read in less than a millisecond."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_mutations(tmp_path: Path, write_wav: WriteWav, kind: str) -> None:
    path, read = KINDS[kind](tmp_path, write_wav)
    read()
    n_mutations = 300 if kind in QUICK else 30
    good = survivals(path, read, n_mutations, kind)
    assert good > 0  # most damage is small
    if kind != "ink cache":  # which is made anew
        assert good < n_mutations
    read()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_mutations(tmp_path: Path, write_wav: WriteWav, kind: str) -> None:
    path, read = KINDS[kind](tmp_path, write_wav)
    survivals(path, read, 1000, f"many {kind}")
