"""The embedded pen corpus: made the same again, splits that share nothing, ink that looks like its text."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asr.corpus.checks import check_utterances
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError, MissingExtra
from asr.ink.ink import Ink
from asr.ink.reading import read_ink
from data_prep import embedded
from data_prep.hershey import reader as hershey
from data_prep.hershey.glyphs import FONTS, LETTERS, font
from data_prep.hershey.hand import Writing, hand
from tests.disks import FULL, Disk, exchanged

CONFIG = hershey.Config(train=36, dev=6, test=12, train_writers=9, dev_writers=3, test_writers=4)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("embedded") / "corpus"
    hershey.prepare(replace(CONFIG, root=str(root)))
    return root


def contents(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(root.iterdir())}


def ink_of(utterance: Utterance) -> Ink:
    assert utterance.start is not None
    assert utterance.duration is not None
    return read_ink(utterance.source, int(utterance.start), int(utterance.duration))


# Reproducible


def test_same_seed_gives_the_same_bytes(tree: Path, tmp_path: Path) -> None:
    hershey.prepare(replace(CONFIG, root=str(tmp_path / "again")))
    first = contents(tree)
    assert set(first) == {"corpus.json", "dev.jsonl", "test.jsonl", "train.jsonl", "words.inks"}
    assert first == contents(tmp_path / "again")


def test_another_seed_gives_other_words_and_hands() -> None:
    ours, others = hershey.plan(CONFIG), hershey.plan(replace(CONFIG, seed=2))
    assert len({line.text for line in ours} & {line.text for line in others}) < 18
    assert not {line.hand for line in ours} & {line.hand for line in others}


# Splits


@pytest.mark.parametrize(
    "config", [hershey.Config(), hershey.Config(seed=7), CONFIG], ids=["default", "seed 7", "small"]
)
def test_splits_share_no_writer_and_no_sentence(config: hershey.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hershey, "_text", lambda sentence, seed: sentence)  # plan the whole sentences
    lines = hershey.plan(config)
    counts = [sum(line.split == split for line in lines) for split in hershey.SPLITS]
    assert counts == [config.train, config.dev, config.test]
    writers = [{line.hand.name for line in lines if line.split == split} for split in hershey.SPLITS]
    assert [len(some) for some in writers] == [config.train_writers, config.dev_writers, config.test_writers]
    assert len(set.union(*writers)) == sum(map(len, writers))
    assert len({line.text for line in lines}) == len(lines)
    assert {line.hand.style for line in lines if line.split == "dev"} == set(hershey.STYLES)


def test_texts_are_words_of_their_letters() -> None:
    texts = [line.text for line in hershey.plan(hershey.Config())]
    used = set("".join(texts))
    assert used <= {*LETTERS, " "}
    assert used >= set("abcdefghijklmnopqrstuvwxyz' ")
    assert sum(letter.isupper() for letter in used) >= 24  # words with x are rare
    lengths = [len(text.split(" ")) for text in texts]
    assert set(lengths) == {1, 2, 3, 4}
    assert 0.55 < np.mean(np.array(lengths) == 1) < 0.65
    assert all(text == text.strip() and "  " not in text for text in texts)


def test_utterances_pass_the_checks(tree: Path) -> None:
    splits = hershey.prepare(replace(CONFIG, root=str(tree)))
    assert {name: len(utterances) for name, utterances in splits.items()} == {"train": 36, "dev": 6, "test": 12}
    check_utterances(splits, None)
    one = splits["test"][0]
    assert (one.kind, one.source) == ("ink", tree / "words.inks")
    assert one.speaker is not None
    assert one.speaker.startswith("test")


# The ink


def test_ink_has_times_and_moves_like_a_hand(tree: Path) -> None:
    for utterances in hershey.prepare(replace(CONFIG, root=str(tree))).values():
        for utterance in utterances:
            ink = ink_of(utterance)
            assert ink.has_times
            assert ink.resolution is not None
            times = np.concatenate([stroke.times for stroke in ink.strokes])  # type: ignore[misc]
            assert (np.diff(times) > 0).all()
            n_letters = len(utterance.text or "")
            assert 4 * n_letters < ink.n_points < 200 * n_letters
            left, bottom, right, top = ink.bounds()
            assert n_letters < 3 or right - left > 0.1 * n_letters * (top - bottom)


def test_strokes_of_the_letters_are_written() -> None:
    """By the fonts: an o has one stroke, a printed t two, an i a stem and a dot, with the dot above the stem."""
    assert set(font("print")) == set(font("script")) == set(LETTERS)
    for name in FONTS:
        letters = font(name)
        assert len(letters["i"].marks) == len(letters["j"].marks) == len(letters["t"].marks) == 1
        assert letters["i"].marks[0][:, 1].min() > max(stroke[:, 1].max() for stroke in letters["i"].strokes)
        assert not any(letters[letter].marks for letter in LETTERS if letter not in "ijt")
        for letter in "acemnorsuvwx":
            points = np.concatenate(letters[letter].strokes)
            assert abs(points[:, 1].max() - 1.0) < 0.25, (name, letter)
            assert abs(points[:, 1].min()) < 0.1, (name, letter)
        assert min(stroke[:, 1].min() for stroke in letters["g"].strokes) < -0.3
        assert max(stroke[:, 1].max() for stroke in letters["l"].strokes) > 1.4


def test_dots_come_late_where_the_hand_writes_them_late() -> None:
    one = replace(hand("w", 1, "print"), joins=False, tremor=0.0)
    tops = {}
    for late in (True, False):
        ink = Writing(replace(one, late=late, slant=0.0, rise=0.0)).write("ill", np.random.default_rng(0))
        assert len(ink.strokes) == 4
        tops[late] = [stroke.points[:, 1].min() > 0.9 * one.height for stroke in ink.strokes]
    assert tops == {True: [False, False, False, True], False: [False, True, False, False]}


def test_joined_script_has_fewer_strokes_than_print() -> None:
    counts = {}
    for style in FONTS:
        one = replace(hand("w", 1, style), joins=style == "script")
        counts[style] = len(Writing(one).write("hammer", np.random.default_rng(0)).strokes)
    assert counts["script"] < counts["print"]


def test_hands_differ_in_what_they_should() -> None:
    hands = [hand(f"w{i}", 1, "print") for i in range(50)]
    for what in ("height", "width", "slant", "rise", "wander", "speed", "tremor", "rate", "late"):
        assert len({getattr(one, what) for one in hands}) > 1, what
    one, other = (Writing(replace(hands[0], name=name)).write("a", np.random.default_rng(0)) for name in "xy")
    assert one != other  # letters of one's own


# The tree on disk


def refuse(*_: object) -> None:
    raise AssertionError("the corpus was made again")


def test_a_complete_tree_is_read_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded.Embedded, "make", refuse)
    assert len(hershey.prepare(replace(CONFIG, root=str(tree)))["train"]) == 36


@pytest.mark.parametrize("how", ["missing", "truncated", "added"])
def test_a_damaged_tree_is_made_again(how: str, tree: Path, tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    shutil.copytree(tree, root)
    if how == "missing":
        (root / "dev.jsonl").unlink()
    elif how == "truncated":
        os.truncate(root / "words.inks", 1000)
    else:
        (root / "more.jsonl").write_text("{}")
    heard: list[tuple[str, int, int]] = []
    hershey.prepare(replace(CONFIG, root=str(root)), lambda *progress: heard.append(progress))
    assert heard[0] == ("making the embedded pen corpus", 1, 54)
    assert heard[-1] == ("making the embedded pen corpus", 54, 54)
    assert contents(root) == contents(tree)


def test_a_tree_of_another_configuration_is_not_touched(tree: Path) -> None:
    before = contents(tree)
    with pytest.raises(DataError, match=r"with another seed, dev; set root= to another folder"):
        hershey.prepare(replace(CONFIG, root=str(tree), seed=2, dev=7))
    assert contents(tree) == before


def test_a_folder_with_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(DataError, match=r"is not the embedded pen corpus"):
        hershey.prepare(replace(CONFIG, root=str(tmp_path)))
    (tmp_path / "corpus.json").write_text(json.dumps(["mine"]))
    with pytest.raises(DataError, match=r"no readable corpus\.json"):
        hershey.prepare(replace(CONFIG, root=str(tmp_path)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.json", "thesis.txt"]


def test_a_full_disk_leaves_nothing_half_made(tmp_path: Path) -> None:
    expected = "cannot be (written|made): No space left on device; .*free some space, then do it again"
    with exchanged(Disk(4, FULL)), pytest.raises(DataError, match=expected):
        hershey.prepare(replace(CONFIG, root=str(tmp_path / "corpus")))
    assert list(tmp_path.iterdir()) == []


def test_the_default_folder_is_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one, other = hershey.folder(hershey.Config()), hershey.folder(hershey.Config(seed=2))
    assert one.parent == other.parent == tmp_path / "ctc-asr"
    assert one != other


def test_without_the_fonts_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tree: Path) -> None:
    monkeypatch.setitem(sys.modules, "HersheyFonts", None)
    with pytest.raises(MissingExtra, match=r"needs HersheyFonts; install it: pip install 'ctc-asr\[train\]'"):
        hershey.prepare(replace(CONFIG, root=str(tmp_path / "corpus")))
    font.cache_clear()
    with pytest.raises(MissingExtra):
        font("print")
    assert len(hershey.prepare(replace(CONFIG, root=str(tree)))["test"]) == 12  # a tree that is there needs no fonts


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dev": 3, "dev_writers": 5}, r"dev_writers=5 cannot share dev=3 utterances"),
        ({"test": 0}, r"cannot share test=0"),
        ({"train_writers": 0}, r"train_writers=0 cannot share"),
    ],
)
def test_options_out_of_range(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        hershey.prepare(replace(CONFIG, root=str(tmp_path), **options))  # type: ignore[arg-type]
