"""Corpora that are made on the spot: whole or not there, and never in the place of a user's own files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asr.errors import DataError
from asr.files import write_file, write_plain
from data_prep.embedded import CARD, Embedded, folder
from tests.mutations import mutated

IDENTITY = {"version": 1, "seed": 2}


def sizes(root: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in sorted(root.iterdir()) if path.name != CARD}


def fill(place: Path) -> None:
    for name in "ab":
        write_plain(place / name, b"content")
    card = {"configuration": IDENTITY, "sizes": sizes(place)}
    write_file(place / CARD, json.dumps(card).encode())


def toy(root: Path) -> Embedded:
    return Embedded("toy corpus", root, IDENTITY, "sizes", sizes)


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Embedded:
    """A corpus in the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    corpus = toy(folder("", "toy", IDENTITY))
    corpus.make(fill)
    return corpus


CARDS = [
    "",
    "null",
    "[]",
    "{}",
    "[" * 100_000,
    '{"configuration": [], "sizes": {}}',
    '{"configuration": {}}',
]


@pytest.mark.parametrize("card", CARDS)
def test_a_damaged_card_in_the_users_cache_means_that_it_is_made_anew(cached: Embedded, card: str) -> None:
    (cached.root / CARD).write_text(card)
    assert not cached.is_complete()
    cached.make(fill)
    assert cached.is_complete()


@pytest.mark.parametrize("card", CARDS)
def test_a_damaged_card_in_a_folder_of_the_users_is_refused(tmp_path: Path, card: str) -> None:
    (tmp_path / CARD).write_text(card)
    with pytest.raises(DataError, match=r"is not the toy corpus \(it has no readable corpus\.json\)"):
        toy(tmp_path).is_complete()


def test_a_card_damaged_at_random_is_no_traceback(cached: Embedded) -> None:
    card, rng = cached.root / CARD, np.random.default_rng(11)
    whole = card.read_bytes()
    found = []
    for _ in range(120):
        card.write_bytes(mutated(whole, rng))
        found.append(cached.is_complete())
    assert found.count(False) > 40


def test_a_file_in_the_place_of_the_corpus_is_refused(tmp_path: Path) -> None:
    (tmp_path / "corpus").write_text("thesis")
    with pytest.raises(DataError, match="is not the toy corpus"):
        toy(tmp_path / "corpus").is_complete()


def test_only_what_this_program_left_beside_a_corpus_is_removed(tmp_path: Path) -> None:
    for name in (".corpus.backup", ".corpus.ctc-asr-1-0123456789abcdef.tmp"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0))
    toy(tmp_path / "corpus").make(fill)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".corpus.backup", "corpus"]


def _forked(build: Callable[[], None]) -> int:
    process = os.fork()
    if process == 0:
        try:
            build()
            os._exit(0)
        finally:
            os._exit(1)
    return process


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_two_processes_may_make_the_same_corpus(tmp_path: Path) -> None:
    corpus = toy(tmp_path / "corpus")

    def build() -> None:
        for _ in range(20):
            corpus.make(fill)
            assert corpus.is_complete()

    assert [os.waitpid(one, 0)[1] for one in [_forked(build), _forked(build)]] == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]
    kept = (corpus.root / "a").stat().st_ino
    corpus.make(fill)  # another process was faster
    assert (corpus.root / "a").stat().st_ino == kept
