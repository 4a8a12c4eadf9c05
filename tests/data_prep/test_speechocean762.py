from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from asr.corpus.splits import write_corpus
from asr.errors import DataError, Problems
from data_prep import read_corpus, speechocean762

from .conftest import WriteWav


@pytest.fixture
def tree(tmp_path: Path, write_wav: WriteWav) -> Path:
    spoken = {"train": ("0001", "0104"), "test": ("0003",)}
    phones = []
    for split, speakers in spoken.items():
        folder = tmp_path / split
        folder.mkdir()
        tables: dict[str, list[str]] = {name: [] for name in ("wav.scp", "text", "utt2spk", "spk2age", "spk2gender")}
        for speaker in speakers:
            name = f"{speaker}0"
            write_wav(tmp_path / f"WAVE/SPEAKER{speaker}/{name}.WAV")
            tables["wav.scp"].append(f"{name}\tWAVE/SPEAKER{speaker}/{name}.WAV")
            tables["text"].append(f"{name}\tCALL IT")
            tables["utt2spk"].append(f"{name} {speaker}")
            tables["spk2age"].append(f"{speaker}\t6")
            tables["spk2gender"].append(f"{speaker}\tf")
            phones += [f"{name}.0\tK_B AO0_I L_E", f"{name}.1\tIH1_B T_E"]
        for table, lines in tables.items():
            (folder / table).write_text("\n".join(lines) + "\n")
    (tmp_path / "resource").mkdir()
    (tmp_path / "resource/text-phone").write_text("\n".join(phones) + "\n")
    return tmp_path


def test_reads_a_small_tree(tree: Path) -> None:
    splits = speechocean762.prepare(speechocean762.Config(root=str(tree)))
    found = {split: [(u.id, u.speaker) for u in utterances] for split, utterances in splits.items()}
    assert found == {"train": [("00010", "0001")], "dev": [("01040", "0104")], "test": [("00030", "0003")]}
    (first,) = splits["train"]
    assert first.labels == ("k", "ao", "l", "ih", "t")
    assert (first.text, first.tags) == ("CALL IT", {"age": "6", "sex": "f"})
    assert first.source == tree / "WAVE/SPEAKER0001/00010.WAV"


def test_phones_that_do_not_fit_are_named(tree: Path) -> None:
    (tree / "resource/text-phone").write_text("00010.0\tK_B XX0_I\n00010.x\tK_S\n01040.0\tIH1_B T_E\n")
    with pytest.raises(Problems) as caught:
        speechocean762.prepare(speechocean762.Config(root=str(tree)))
    assert caught.value.problems == (
        "resource/text-phone:1: 'xx' is not one of the 39 phones of the CMU dictionary",
        "resource/text-phone:2: expected 'utterance.number phones', got '00010.x'",
        "resource/text-phone: 0 words of '00010', but train/text has 'CALL IT'",
        "resource/text-phone: 1 words of '01040', but train/text has 'CALL IT'",
        "resource/text-phone: 0 words of '00030', but test/text has 'CALL IT'",
    )


def test_missing_corpus_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected train/wav\.scp.*download=true.*openslr\.org/101"):
        speechocean762.prepare(speechocean762.Config(root=str(tmp_path)))


def test_real_corpus(shared_data: Path, tmp_path: Path) -> None:
    splits = read_corpus("speechocean762", {"root": str(shared_data / "speechocean762")})
    write_corpus(splits, tmp_path)
    train, dev, test = splits["train"], splits["dev"], splits["test"]
    # 2,500 utterances, 15,849 and 15,967 words, 2.8761 and 2.6913 hours: SOURCE.md beside the corpus.
    assert (len(train), len(dev), len(test)) == (2260, 240, 2500)
    assert sum(len((u.text or "").split()) for u in train + dev) == 15849
    assert sum(len((u.text or "").split()) for u in test) == 15967
    assert sum(u.duration or 0 for u in train + dev) / 3600 == pytest.approx(2.8761, abs=1e-4)
    assert sum(u.duration or 0 for u in test) / 3600 == pytest.approx(2.6913, abs=1e-4)
    assert len({label for u in train for label in u.labels or ()}) == 39
    people = {u.speaker: (int(u.tags["age"]) < 16, u.tags["sex"]) for u in dev}
    assert Counter(people.values()) == {(True, "f"): 3, (True, "m"): 3, (False, "f"): 3, (False, "m"): 3}
    # resource/text-phone, by eye: W_B IY0_E / K_B AO0_I L_E / IH0_B T_E / B_B EH0_I R_E
    known = next(u for u in train if u.id == "000010011")
    assert (known.text, " ".join(known.labels or ())) == ("WE CALL IT BEAR", "w iy k ao l ih t b eh r")
