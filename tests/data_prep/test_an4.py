from __future__ import annotations

import os
from pathlib import Path

import pytest

from asr.corpus.splits import write_corpus
from asr.errors import DataError, Problems
from data_prep import an4, read_corpus

from .conftest import WriteWav

TRAIN = {"an251-fash-b": "<s> YES </s>", "an1-fbbh-b": "<s> RUBOUT G M </s>"}
TEST = {"an406-fcaw-b": "ENTER <s> SIX </s>"}


@pytest.fixture
def tree(tmp_path: Path, write_wav: WriteWav) -> Path:
    etc = tmp_path / "etc"
    etc.mkdir()
    for split, folder, texts in (("train", "an4_clstk", TRAIN), ("test", "an4test_clstk", TEST)):
        ids = [f"{folder}/{name.split('-')[1]}/{name}" for name in texts]
        for fileid in ids:
            write_wav(tmp_path / "wav" / f"{fileid}.wav")
        (etc / f"an4_{split}.fileids").write_text("".join(f"{fileid}\n" for fileid in ids))
        (etc / f"an4_{split}.transcription").write_text("".join(f"{text} ({name})\n" for name, text in texts.items()))
    return tmp_path


def test_reads_a_small_tree(tree: Path) -> None:
    splits = an4.prepare(an4.Config(root=str(tree)))
    found = {split: [(u.id, u.speaker, u.text) for u in utterances] for split, utterances in splits.items()}
    assert found == {
        "train": [("an251-fash-b", "fash", "YES")],
        "dev": [("an1-fbbh-b", "fbbh", "RUBOUT G M")],
        "test": [("an406-fcaw-b", "fcaw", "ENTER SIX")],
    }
    assert splits["dev"][0].source == tree / "wav/an4_clstk/fbbh/an1-fbbh-b.wav"
    assert splits["dev"][0].labels is None


DICTIONARY = """\
ENTER                EH N ER
ENTER(2)             EH N T ER
G                    JH IY
M                    EH M
RUBOUT               R AH B AW T
SIX                  S IH K S

YES                  Y EH S
"""


def test_phonemes_come_from_the_dictionary(tree: Path) -> None:
    (tree / "etc/an4.dic").write_text(DICTIONARY)
    splits = an4.prepare(an4.Config(root=str(tree), phonemes=True))
    assert {split: [" ".join(u.labels or ()) for u in utterances] for split, utterances in splits.items()} == {
        "train": ["y eh s"],
        "dev": ["r ah b aw t jh iy eh m"],
        "test": ["eh n er s ih k s"],
    }
    assert [u.text for u in splits["test"]] == ["ENTER SIX"]


def test_two_words_are_spelled_as_the_speakers_say_them(tree: Path) -> None:
    (tree / "etc/an4.dic").write_text(DICTIONARY.replace("YES ", "YES(2) ") + "A AH\nA(2) EY\n")
    transcripts = tree / "etc/an4_train.transcription"
    transcripts.write_text(transcripts.read_text().replace("YES", "A"))
    assert an4.prepare(an4.Config(root=str(tree), phonemes=True))["train"][0].labels == ("ey",)


def test_problems_of_the_dictionary_are_named_together(tree: Path) -> None:
    (tree / "etc/an4.dic").write_text(DICTIONARY.replace("G ", "GO ").replace("Y EH S", "Y EH SS"))
    with pytest.raises(Problems) as caught:
        an4.prepare(an4.Config(root=str(tree), phonemes=True))
    assert caught.value.problems == (
        "an4.dic:8: expected 'WORD PHONE ...' in phones of CMU, got 'YES                  Y EH SS'",
        "an4.dic: lacks 'YES', a word of 'an251-fash-b'",
        "an4.dic: lacks 'G', a word of 'an1-fbbh-b'",
    )
    (tree / "etc/an4.dic").unlink()
    with pytest.raises(Problems, match="an4.dic: "):
        an4.prepare(an4.Config(root=str(tree), phonemes=True))


def test_problems_are_named_together(tree: Path) -> None:
    (tree / "wav/an4_clstk/fash/an251-fash-b.wav").unlink()
    with (tree / "etc/an4_train.fileids").open("a") as file:
        file.write("an4_clstk/x/one\nan4_clstk/x/two\n../../etc/passwd\n")
    with (tree / "etc/an4_train.transcription").open("a") as file:
        file.write("NO END (one\nA B (other)\nUP (passwd)\nMORE (m)\n")
    with pytest.raises(Problems) as caught:
        an4.prepare(an4.Config(root=str(tree)))
    assert caught.value.problems == (
        "an4_train.fileids has 5 lines, but an4_train.transcription has 6; expected the same number",
        "an4_train.fileids:1: there is no audio wav/an4_clstk/fash/an251-fash-b with .flac, .wav, .sph",
        "an4_train.transcription:3: expected 'WORDS (utterance-id)', got 'NO END (one'",
        "an4_train.transcription:4: belongs to 'other', but an4_train.fileids:4 names 'two'",
        "an4_train.fileids:5: '../../etc/passwd' is not a path set/speaker/utterance",
    )


def test_missing_corpus_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected etc/an4_train\.fileids.*github\.com/cmusphinx/an4"):
        an4.prepare(an4.Config(root=str(tmp_path)))
    with pytest.raises(DataError, match=r"nowhere does not exist; expected a folder with etc/an4_train"):
        an4.prepare(an4.Config(root=str(tmp_path / "nowhere")))
    with pytest.raises(
        DataError, match=r"no root= was given.*download=true.*asr-train: corpus\.root=.*corpus\.options\."
    ):
        an4.prepare(an4.Config())


def test_real_corpus(shared_data: Path, tmp_path: Path) -> None:
    splits = read_corpus("an4", {"root": str(shared_data / "an4")})
    write_corpus(splits, tmp_path)
    # 948 and 130 utterances, 5,442 and 773 words: the release's own counts (and SOURCE.md beside it).
    train, dev, test = splits["train"], splits["dev"], splits["test"]
    assert (len(train) + len(dev), len(test)) == (948, 130)
    assert sum(len((u.text or "").split()) for u in train + dev) == 5442
    assert sum(len((u.text or "").split()) for u in test) == 773
    assert {u.speaker for u in dev} == set(an4.DEV_SPEAKERS)
    assert {u.tags["sex"] for u in dev} == {"f", "m"}
    assert len(dev) == 99
    assert not any("<" in (u.text or "") for u in train + dev + test)
    assert sum(u.duration or 0 for u in train + dev) / 3600 == pytest.approx(0.7073, abs=1e-4)


def test_lists_that_no_file_can_follow(tree: Path) -> None:
    names = tree / "etc/an4_test.fileids"
    first = names.read_text().splitlines()
    names.write_bytes("\n".join([*first[:-1], f"a/b/{'x' * 300}"]).encode())
    with pytest.raises(Problems) as caught:
        read_corpus("an4", {"root": str(tree)})
    assert max(map(len, caught.value.problems)) < 300
    names.write_bytes(b"a/b\xff/c\n")
    with pytest.raises(Problems, match=r"an4_test\.fileids:1: byte 4 of the line is not UTF-8"):
        read_corpus("an4", {"root": str(tree)})
    names.unlink()
    os.mkfifo(names)
    with pytest.raises(Problems, match=r"an4_test\.fileids: is a device or a pipe; expected a text file"):
        read_corpus("an4", {"root": str(tree)})
