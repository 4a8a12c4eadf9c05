"""The embedded corpus: made the same again, TIMIT-shaped, splits that share nothing, labels that fit the sound."""

from __future__ import annotations

import json
import os
import shutil
import sys
import wave
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from asr.corpus.checks import check_utterances
from asr.corpus.phonemes import TIMIT_61
from asr.errors import ConfigError, DataError, MissingExtra
from data_prep import embedded
from data_prep.espeak import reader as espeak
from data_prep.espeak.library import speak
from data_prep.espeak.phonemes import CLOSURES, segments
from data_prep.espeak.sentences import words
from tests.disks import FULL, Disk, exchanged

CONFIG = espeak.Config(train=36, dev=4, test=8, train_speakers=9, dev_speakers=2, test_speakers=4)
VOWELS = frozenset(["iy", "ih", "eh", "ey", "ae", "aa", "aw", "ay", "ah", "ao", "oy", "ow", "uh", "uw", "er"])
Segments = list[tuple[int, int, str]]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("embedded") / "corpus"
    espeak.prepare(replace(CONFIG, root=str(root)))
    return root


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def read_lines(path: Path) -> Segments:
    fields = (line.split(" ", 2) for line in path.read_text(encoding="utf-8").splitlines())
    return [(int(start), int(end), label) for start, end, label in fields]


def read_sound(path: Path) -> np.ndarray:
    with wave.open(str(path.with_suffix(".wav"))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64)


def each(root: Path, suffix: str) -> Iterator[tuple[Path, Segments]]:
    paths = sorted(root.rglob(f"*{suffix}"))
    assert len(paths) == 48
    return ((path, read_lines(path)) for path in paths)


# Reproducible


def test_same_seed_gives_the_same_bytes(tree: Path, tmp_path: Path) -> None:
    espeak.prepare(replace(CONFIG, root=str(tmp_path / "again")))
    first, second = contents(tree), contents(tmp_path / "again")
    assert len(first) == 4 * 48 + 1
    assert first == second


def test_another_seed_gives_another_corpus(tree: Path) -> None:
    ours = {line.sentence for line in espeak.plan(CONFIG)}
    assert {path.read_text().split(" ", 2)[2].strip() for path in tree.rglob("*.txt")} == ours
    assert len({line.sentence for line in espeak.plan(replace(CONFIG, seed=2))} & ours) < 24


def test_a_split_does_not_depend_on_the_size_of_the_one_before(tree: Path, tmp_path: Path) -> None:
    shorter = replace(CONFIG, root=str(tmp_path / "corpus"))
    lines = [line for line in espeak.plan(shorter) if line.split == "test"]
    for line, speech in zip(lines, speak([line.request for line in lines]), strict=True):
        espeak._record(tmp_path, line, speech)
        assert (tmp_path / line.path).with_suffix(".wav").read_bytes() == (
            (tree / line.path).with_suffix(".wav").read_bytes()
        )


# Shape


def test_utterances_come_from_the_timit_reader(tree: Path) -> None:
    splits = espeak.prepare(replace(CONFIG, root=str(tree)))
    assert {name: len(utterances) for name, utterances in splits.items()} == {"train": 36, "dev": 4, "test": 8}
    check_utterances(splits, None)
    one = splits["test"][0]
    assert one.labels is not None
    assert one.labels[0] == one.labels[-1] == "h#"
    assert one.source.is_relative_to(tree / "test" / "dr1")


def test_phones_cover_the_file_without_gaps(tree: Path) -> None:
    for path, phones in each(tree, ".phn"):
        assert phones[0][0] == 0
        assert phones[-1][1] == len(read_sound(path)), path
        assert [end for _, end, _ in phones[:-1]] == [start for start, _, _ in phones[1:]], path
        assert all(start < end for start, end, _ in phones), path


def test_labels_are_timits(tree: Path) -> None:
    used = set()
    for path, phones in each(tree, ".phn"):
        labels = [label for _, _, label in phones]
        assert [i for i, label in enumerate(labels) if label == "h#"] == [0, len(labels) - 1], path
        for before, label in pairwise(labels):
            if label in CLOSURES:
                assert before in (CLOSURES[label], "h#", "pau"), path
        used |= set(labels)
    assert used <= set(TIMIT_61)
    assert len(used) > 45


def test_words_are_those_of_the_sentence_and_end_where_phones_end(tree: Path) -> None:
    for path, spoken in each(tree, ".wrd"):
        [(start, end, sentence)] = read_lines(path.with_suffix(".txt"))
        assert (start, end) == (0, len(read_sound(path)))
        assert [word for _, _, word in spoken] == words(sentence)
        phones = read_lines(path.with_suffix(".phn"))
        assert {start for start, _, _ in spoken} <= {start for start, _, _ in phones}, path
        assert {end for _, end, _ in spoken} <= {end for _, end, _ in phones}, path
        assert all(before[1] <= after[0] for before, after in pairwise(spoken)), path


def test_words_spoken_as_one_are_divided() -> None:
    line = next(line for line in espeak.plan(espeak.Config()) if "from the" in line.sentence)
    [speech] = speak([line.request])
    times = segments(speech)
    spoken = {word: (start, end) for start, end, word in espeak._word_lines(times, line.sentence)}
    labels = {word: [s.label for s in times if start <= s.start < end] for word, (start, end) in spoken.items()}
    assert (labels["from"][0], labels["from"][-1]) == ("f", "m")
    assert labels["the"][0] == "dh"


# Splits


@pytest.mark.parametrize("config", [espeak.Config(), espeak.Config(seed=7), CONFIG], ids=["default", "seed 7", "small"])
def test_splits_share_no_speaker_no_variant_and_no_sentence(config: espeak.Config) -> None:
    lines = espeak.plan(config)
    assert [sum(line.split == split for line in lines) for split in espeak.SPLITS] == [
        config.train,
        config.dev,
        config.test,
    ]
    for what in (
        lambda line: line.speaker.name,
        lambda line: line.speaker.voice,
        lambda line: " ".join(words(line.sentence)),
        lambda line: line.id,
    ):
        parts = [{what(line) for line in lines if line.split == split} for split in espeak.SPLITS]
        assert sum(map(len, parts)) == len(set.union(*parts))
    assert len({" ".join(words(line.sentence)) for line in lines}) == len(lines)
    assert len({line.speaker.name for line in lines if line.split == "test"}) == config.test_speakers


def test_variants_that_are_alike_stay_in_one_split() -> None:
    together = 0
    for seed in range(20):
        split_of = {line.speaker.voice: line.split for line in espeak.plan(espeak.Config(seed=seed))}
        for family in (("steph", "steph2", "steph3"), ("iven3", "iven4"), ("Gene", "Gene2")):
            splits = [split_of[f"en-us+{variant}"] for variant in family if f"en-us+{variant}" in split_of]
            assert len(set(splits)) <= 1
            together += len(splits) > 1
    assert together > 20


# The tree on disk


def refuse(*_: object) -> None:
    raise AssertionError("the corpus was made again")


def test_a_complete_tree_is_read_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded.Embedded, "make", refuse)
    assert len(espeak.prepare(replace(CONFIG, root=str(tree)))["train"]) == 36


@pytest.mark.parametrize("how", ["missing", "truncated", "added"])
def test_a_damaged_tree_is_made_again(how: str, tree: Path, tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    shutil.copytree(tree, root)
    victim = sorted(root.rglob("*.wav"))[5]
    if how == "missing":
        victim.unlink()
    elif how == "truncated":
        os.truncate(victim, 1000)
    else:
        victim.with_name("sx9999.wav").write_bytes(b"RIFF")
    heard: list[tuple[str, int, int]] = []
    espeak.prepare(replace(CONFIG, root=str(root)), lambda *progress: heard.append(progress))
    assert heard[0] == ("making the embedded corpus", 1, 48)
    assert heard[-1] == ("making the embedded corpus", 48, 48)
    assert contents(root) == contents(tree)


def test_a_tree_of_another_configuration_is_not_touched(tree: Path) -> None:
    before = contents(tree)
    with pytest.raises(DataError, match=r"with another seed, snr_low; set root= to another folder"):
        espeak.prepare(replace(CONFIG, root=str(tree), seed=2, snr_low=0.0))
    assert contents(tree) == before


def test_a_folder_with_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(DataError, match=r"is not the embedded corpus"):
        espeak.prepare(replace(CONFIG, root=str(tmp_path)))
    (tmp_path / "corpus.json").write_text(json.dumps(["mine"]))
    with pytest.raises(DataError, match=r"no readable corpus\.json"):
        espeak.prepare(replace(CONFIG, root=str(tmp_path)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.json", "thesis.txt"]


def test_a_full_disk_leaves_nothing_half_made(tmp_path: Path) -> None:
    expected = "cannot be (written|made): No space left on device; .*free some space, then do it again"
    with exchanged(Disk(12, FULL)), pytest.raises(DataError, match=expected):
        espeak.prepare(replace(CONFIG, root=str(tmp_path / "corpus")))
    assert list(tmp_path.iterdir()) == []


def test_the_default_folder_is_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one, other = espeak.folder(espeak.Config()), espeak.folder(espeak.Config(seed=2))
    assert one.parent == other.parent == tmp_path / "ctc-asr"
    assert one != other


def test_without_the_loader_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tree: Path) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(MissingExtra, match=r"needs espeakng_loader; install it: pip install 'ctc-asr\[train\]'"):
        espeak.prepare(replace(CONFIG, root=str(tmp_path / "corpus")))
    assert len(espeak.prepare(replace(CONFIG, root=str(tree)))["test"]) == 8  # a tree that is there needs no loader


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accent": "en-gb"}, r"accent='en-gb' has no table of phonemes; expected en-us or en-gb-scotland"),
        ({"dev": 3, "dev_speakers": 5}, r"dev_speakers=5 cannot share dev=3 utterances"),
        ({"test": 0}, r"cannot share test=0"),
        ({"tracts": 0.9}, r"tracts=0\.9: expected 0 to 0\.3"),
        ({"rooms": -1.0}, r"rooms=-1\.0: expected a share from 0 to 1"),
        ({"snr_low": 40.0}, r"snr_low=40\.0: expected at most snr_high=35\.0"),
    ],
)
def test_options_out_of_range(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        espeak.prepare(replace(CONFIG, root=str(tmp_path), **options))  # type: ignore[arg-type]


# Labels fit the sound


def quiet_closures(tree: Path, shift_seconds: float) -> float:
    """Share of the voiceless closures that are at least 9 dB below the median vowel of their utterance."""
    shift = round(16000 * shift_seconds)
    quiet = []
    for path, phones in each(tree, ".phn"):
        sound = read_sound(path)
        level = {(a, b): 10 * np.log10(np.mean(np.square(sound[a + shift : b + shift]))) for a, b, _ in phones[1:-1]}
        vowel = np.median([level[a, b] for a, b, label in phones[1:-1] if label in VOWELS])
        quiet += [level[a, b] < vowel - 9 for a, b, label in phones[1:-1] if label in ("pcl", "tcl", "kcl")]
    assert len(quiet) > 100
    return float(np.mean(quiet))


def test_closures_are_quiet(tree: Path) -> None:
    assert quiet_closures(tree, 0.0) > 0.98
    for shift in (-0.05, 0.05):  # the measure tells a label that is half a phone away
        assert quiet_closures(tree, shift) < 0.8


def crossings(tree: Path, labels: frozenset[str]) -> list[float]:
    """Share of samples at which the sign changes, of each phone."""
    return [
        float(np.mean(np.diff(np.sign(read_sound(path)[start:end])) != 0))
        for path, phones in each(tree, ".phn")
        for start, end, label in phones
        if label in labels
    ]


def test_s_hisses_and_vowels_do_not(tree: Path) -> None:
    hiss, voice = crossings(tree, frozenset({"s"})), crossings(tree, VOWELS)
    assert len(hiss) > 30
    assert len(voice) > 200
    assert np.percentile(hiss, 5) > 0.35 > np.percentile(voice, 98)


def test_a_voiced_closure_ends_where_the_sound_becomes_sharp(tree: Path) -> None:
    rises = []
    for path, phones in each(tree, ".phn"):
        sharp = np.diff(read_sound(path), n=2, prepend=0.0, append=0.0)
        for (a, b, closure), (_, _, release) in pairwise(phones):
            if closure in ("bcl", "dcl", "gcl") and release in "bdg":
                energies = [np.mean(np.square(sharp[x:y])) for x, y in ((a, b), (b, b + 160))]
                rises.append(10 * np.log10(energies[1] / energies[0]))
    assert len(rises) > 60
    assert np.mean(np.array(rises) > 0) > 0.9


def test_noise_is_at_its_ratio(tree: Path) -> None:
    for line in espeak.plan(CONFIG):
        path = tree / line.path
        phones = read_lines(path.with_suffix(".phn"))
        sound = read_sound(path)
        floor = np.sqrt(np.mean(np.square(sound[: phones[0][1]])))
        voice = np.sqrt(np.mean([np.mean(np.square(sound[a:b])) for a, b, label in phones if label in VOWELS]))
        assert line.snr - 8 < 20 * np.log10(voice / floor) < line.snr + 16, line.id
