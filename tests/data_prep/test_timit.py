from __future__ import annotations

import struct
from pathlib import Path

import pytest

from asr.corpus.handling import Handling
from asr.errors import DataError, Problems
from data_prep import load_corpus, read_corpus, timit

PHN = "0 100 h#\n100 700 w\n700 900 ax-h\n900 1600 h#\n"
WRD = "100 700 when\n650 900 a\n"  # words may overlap
TXT = "0 1600 When a?\n"


def write_sphere(path: Path, n_samples: int = 1600) -> None:
    """A NIST SPHERE file as on the LDC's disc: a header of 1024 bytes, then 16-bit little-endian samples."""
    fields = f"sample_count -i {n_samples}\nsample_rate -i 16000\nchannel_count -i 1\nsample_n_bytes -i 2\n"
    fields += "sample_byte_format -s2 01\nsample_sig_bits -i 16\nend_head\n"
    path.write_bytes(("NIST_1A\n   1024\n" + fields).encode().ljust(1024) + struct.pack("<h", 0) * n_samples)


def write_sentence(folder: Path, name: str, upper: bool = False, **files: str) -> None:
    """One sentence with its .phn, .wrd and .txt; the audio is SPHERE."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, text in ({"phn": PHN, "wrd": WRD, "txt": TXT} | files).items():
        (folder / (f"{name}.{suffix}".upper() if upper else f"{name}.{suffix}")).write_text(text)
    write_sphere(folder / (f"{name}.WAV".upper() if upper else f"{name}.wav"))


def test_ldc_tree_in_upper_case(tmp_path: Path) -> None:
    tree = tmp_path / "TIMIT"
    for path, name in (
        ("TRAIN/DR1/FCJF0", "SX37"),
        ("TRAIN/DR1/FCJF0", "SA1"),
        ("TRAIN/DR8/MBCG0", "SI486"),
        ("TEST/DR1/FAKS0", "SI943"),  # of the 50
        ("TEST/DR1/MDAB0", "SX49"),  # of the 24
        ("TEST/DR1/MREB0", "SA2"),
        ("TEST/DR2/MPGL0", "SX9"),  # of neither
    ):
        write_sentence(tree / path, name, upper=True)
    (tree / "DOC").mkdir()
    splits = read_corpus("timit", {"root": str(tmp_path), "complete": False})
    assert {split: [u.id for u in utterances] for split, utterances in splits.items()} == {
        "train": ["FCJF0_SX37", "MBCG0_SI486"],
        "dev": ["FAKS0_SI943"],
        "test": ["MDAB0_SX49"],
    }
    first = splits["train"][0]
    assert first.labels == ("h#", "w", "ax-h", "h#")
    assert (first.text, first.speaker, first.duration) == ("when a", "FCJF0", 0.1)
    assert first.tags == {"dialect": "dr1", "sex": "f"}
    assert first.source == tree / "TRAIN/DR1/FCJF0/SX37.WAV"


def test_copies_in_other_formats_are_left_alone(tmp_path: Path) -> None:
    # A release that circulates has SX37.WAV (SPHERE) and SX37.WAV.wav (RIFF) side by side.
    for split in ("TRAIN/DR1/FCJF0", "TEST/DR1/MDAB0", "TEST/DR1/FAKS0"):
        write_sentence(tmp_path / split, "SX37", upper=True)
        (tmp_path / split / "SX37.WAV.wav").write_bytes(b"RIFF")
    splits = timit.prepare(timit.Config(root=str(tmp_path), complete=False))
    assert [u.source.name for utterances in splits.values() for u in utterances] == ["SX37.WAV"] * 3


def test_tree_with_a_dev_folder_says_its_splits_itself(tmp_path: Path) -> None:
    for split, speaker in (("train", "esp01"), ("dev", "esp02"), ("test", "esp03")):
        write_sentence(tmp_path / split / "dr2" / speaker, "sx1")
    splits = timit.prepare(timit.Config(root=str(tmp_path)))
    assert {split: [u.id for u in utterances] for split, utterances in splits.items()} == {
        "train": ["ESP01_SX1"],
        "dev": ["ESP02_SX1"],
        "test": ["ESP03_SX1"],
    }


def test_words_come_from_txt_where_there_is_no_wrd(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        write_sentence(tmp_path / split / "dr1" / f"f{split}", "sx1", txt='0 1600 Don\'t ask me, "I" said: to-do.\n')
    for path in tmp_path.rglob("*.wrd"):
        path.unlink()
    splits = timit.prepare(timit.Config(root=str(tmp_path)))
    assert splits["dev"][0].text == "don't ask me i said to-do"


def test_lists_are_the_standard_ones(tmp_path: Path) -> None:
    assert (len(timit.CORE_TEST_SPEAKERS), len(timit.DEV_SPEAKERS)) == (24, 50)
    assert not timit.CORE_TEST_SPEAKERS & timit.DEV_SPEAKERS
    # testset.doc: two men and one woman of each of the eight dialects.
    assert sum(speaker[0] == "m" for speaker in timit.CORE_TEST_SPEAKERS) == 16
    for number in range(462):
        write_sentence(tmp_path / "train" / f"dr{number % 8 + 1}" / f"f{number:04d}", "sx1")
    for speaker in timit.CORE_TEST_SPEAKERS | timit.DEV_SPEAKERS:
        write_sentence(tmp_path / "test" / "dr1" / speaker, "sx2")
    splits = timit.prepare(timit.Config(root=str(tmp_path)))
    assert {split: len(utterances) for split, utterances in splits.items()} == {"train": 462, "dev": 50, "test": 24}
    write_sentence(tmp_path / "train" / "dr1" / "mmore0", "sx1")
    for path in (tmp_path / "test/dr1/mdab0").iterdir():
        path.unlink()
    with pytest.raises(Problems) as caught:
        timit.prepare(timit.Config(root=str(tmp_path)))
    assert "463 speakers; expected 462; complete the copy, or set complete=false" in caught.value.problems[0]
    assert "no recordings of the test speakers mdab0; complete" in caught.value.problems[1]


def test_problems_are_named_with_file_and_line(tmp_path: Path) -> None:
    speaker = tmp_path / "train" / "dr1" / "fabc0"
    write_sentence(speaker, "sx1", phn="0 100 h#\n100 700 ww\n50 60 aa\n60 60 aa\n60 70\na b aa\n")
    write_sentence(speaker, "sx2", phn="")
    write_sentence(speaker, "sx3", wrd="100 when\n")
    write_sentence(speaker, "sx4")
    write_sentence(speaker, "sx5")
    (speaker / "sx4.phn").unlink()
    (speaker / "sx5.wav").unlink()
    write_sentence(tmp_path / "dev" / "dr1" / "fabd0", "sx1")
    write_sentence(tmp_path / "test" / "dr1" / "fabe0", "sx1")
    with pytest.raises(Problems) as caught:
        timit.prepare(timit.Config(root=str(tmp_path)))
    assert caught.value.problems == (
        "train/dr1/fabc0/sx1.phn:3: runs from 50 to 60 after a begin of 100; times must not go back",
        "train/dr1/fabc0/sx1.phn:4: runs from 60 to 60 after a begin of 50; times must not go back",
        "train/dr1/fabc0/sx1.phn:5: expected 'begin end label' in samples, got '60 70'",
        "train/dr1/fabc0/sx1.phn:6: expected 'begin end label' in samples, got 'a b aa'",
        "train/dr1/fabc0/sx1.phn:2: 'ww' is not one of TIMIT's 61 phones",
        "train/dr1/fabc0/sx2.phn: holds no phone; expected lines 'begin end label'",
        "train/dr1/fabc0/sx3.wrd:1: expected 'begin end label' in samples, got '100 when'",
        "'FABC0_SX4' has train/dr1/fabc0/sx4.txt, sx4.wav, sx4.wrd but no .phn file",
        "'FABC0_SX5' has train/dr1/fabc0/sx5.phn, sx5.txt, sx5.wrd but no audio",
    )


def test_file_names_that_differ_in_case_only(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        write_sentence(tmp_path / split / "dr1" / f"f{split}", "sx1")
    (tmp_path / "dev/dr1/fdev/SX1.PHN").write_text(PHN)
    with pytest.raises(Problems, match=r"dev/dr1/fdev/sx1\.phn: differs only in case from SX1\.PHN"):
        timit.prepare(timit.Config(root=str(tmp_path)))


def test_missing_corpus_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected TRAIN and TEST folders.*LDC93S1"):
        timit.prepare(timit.Config(root=str(tmp_path)))


def test_real_sample(shared_data: Path) -> None:
    splits = read_corpus("timit", {"root": str(shared_data / "timit_sample")})
    assert {split: len(utterances) for split, utterances in splits.items()} == {"train": 80, "dev": 16, "test": 32}
    for split, speakers in (("train", 10), ("dev", 2), ("test", 4)):
        sexes = {u.speaker: u.tags["sex"] for u in splits[split]}
        assert len(sexes) == speakers
        assert sum(sex == "f" for sex in sexes.values()) == speakers // 2
    everything = [u for utterances in splits.values() for u in utterances]
    assert not any("_SA" in u.id for u in everything)
    assert len({u.speaker for u in everything}) == 16
    assert len({u.text for u in everything}) == 128  # no sentence is in two splits
    assert {u.tags["dialect"] for u in splits["train"]} == {f"dr{number}" for number in range(1, 9)}
    # Read by eye from dr1-fvmh0/sx206.phn and .wrd.
    known = next(u for u in everything if u.id == "FVMH0_SX206")
    assert known.labels is not None
    assert known.labels[:8] == ("h#", "w", "ax", "n", "pcl", "p", "iy", "l")
    assert known.text == "when peeling an orange it is hard not to spray juice"
    assert known.duration == pytest.approx(47924 / 16000, abs=1e-3)


def test_real_sphere_files_in_a_tree(shared_data: Path, tmp_path: Path) -> None:
    sample = shared_data / "timit_sample"
    names = {"train": "dr1-fvmh0/sx116", "dev": "dr1-mcpm0/sx294", "test": "dr2-faem0/sx42"}
    for split, name in names.items():
        folder = tmp_path / split / name.split("-")[0] / name.split("-")[1].split("/")[0]
        folder.mkdir(parents=True)
        stem = name.split("/")[1]
        (folder / f"{stem}.wav").symlink_to(sample / "sph_samples" / f"{name}.sph")
        for suffix in ("phn", "wrd", "txt"):
            (folder / f"{stem}.{suffix}").symlink_to(sample / "timit" / f"{name}.{suffix}")
    from_sphere = read_corpus("timit", {"root": str(tmp_path)})
    from_riff = {u.id: u for part in read_corpus("timit", {"root": str(sample)}).values() for u in part}
    for utterances in from_sphere.values():
        (utterance,) = utterances
        twin = from_riff[utterance.id]
        assert (utterance.duration, utterance.labels, utterance.text) == (twin.duration, twin.labels, twin.text)


def test_numbers_and_lines_that_are_too_long(tmp_path: Path) -> None:
    write_sentence(tmp_path / "dr1-fcjf0", "sx37", phn=f"0 {'9' * 5000} h#\n0 1 {'x' * 5000}\n")
    with pytest.raises(Problems) as caught:
        read_corpus("timit", {"root": str(tmp_path)})
    assert [one[:55] for one in caught.value.problems] == [
        "dr1-fcjf0/sx37.phn:1: expected 'begin end label' in sam",
        "dr1-fcjf0/sx37.phn:2: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]
    assert max(map(len, caught.value.problems)) < 200


def test_what_is_wrong_can_be_left_out(tmp_path: Path) -> None:
    for speaker in ("dr1-fcjf0", "dr2-marc0", "dr1-fvmh0"):
        write_sentence(tmp_path / speaker, "sx37")
        write_sentence(tmp_path / speaker, "sx38", phn="0 100 zz\n" if speaker == "dr2-marc0" else PHN)
    corpus = load_corpus("timit", {"root": str(tmp_path)}, handling=Handling(on_error="skip"))
    assert [len(part) for part in corpus.splits.values()] == [2, 1, 2]
    assert [(one.place, one.reason) for one in corpus.skipped] == [
        ("dr2-marc0/sx38.phn:1", "'zz' is not one of TIMIT's 61 phones")
    ]
