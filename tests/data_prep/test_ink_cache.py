from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from asr.corpus.faults import CorpusFaults
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.ink import Ink
from asr.ink.reading import read_ink
from data_prep.ink_cache import stored
from tests.mutations import mutated

INKS = {"a": Ink.of([[1, 2], [3, 4]], [[5, 6]]), "b": Ink.of([[7, 8, 0.5]], resolution=20.0)}


class Maker:
    """Gives the inks above and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, problems: list[str]) -> Iterator[tuple[Utterance, Ink]]:
        self.calls += 1
        for name, ink in INKS.items():
            yield Utterance(name, Path(), "ink", text=name.upper(), speaker=None, tags={"donor": "é"}), ink


def test_made_once_and_read_again(tmp_path: Path) -> None:
    make = Maker()
    first = stored("toy", {"version": 1}, make, CorpusFaults(), str(tmp_path))
    again = stored("toy", {"version": 1}, make, CorpusFaults(), str(tmp_path))
    assert make.calls == 1
    assert again == first
    assert [(one.id, one.text, one.start, one.duration) for one in first] == [("a", "A", 0, 3), ("b", "B", 3, 1)]
    for one in first:
        assert one.kind == "ink"
        assert one.start is not None
        assert one.duration is not None
        assert read_ink(one.source, int(one.start), int(one.duration)) == INKS[one.id]


def test_another_identity_is_another_cache(tmp_path: Path) -> None:
    make = Maker()
    first = stored("toy", {"version": 1}, make, CorpusFaults(), str(tmp_path))
    other = stored("toy", {"version": 2}, make, CorpusFaults(), str(tmp_path))
    assert make.calls == 2
    assert first[0].source != other[0].source


@pytest.mark.parametrize("damage", ["no store", "short store", "no index", "half an index", "not JSON", "a list"])
def test_what_is_not_whole_is_made_anew(tmp_path: Path, damage: str) -> None:
    make = Maker()
    first = stored("toy", {}, make, CorpusFaults(), str(tmp_path))
    store = first[0].source
    index = store.with_suffix(".json")
    if damage == "no store":
        store.unlink()
    elif damage == "short store":
        store.write_bytes(store.read_bytes()[:-1])
    elif damage == "no index":
        index.unlink()
    elif damage == "half an index":
        index.write_text(index.read_text().replace('"points": [3, 1]', '"points": [3]'))
    else:
        index.write_text("[" if damage == "not JSON" else "[]")
    assert stored("toy", {}, make, CorpusFaults(), str(tmp_path)) == first
    assert make.calls == 2
    assert read_ink(store, 0, 3) == INKS["a"]


def test_an_index_damaged_anyhow_is_made_anew(tmp_path: Path) -> None:
    make = Maker()
    first = stored("toy", {}, make, CorpusFaults(), str(tmp_path))
    index = first[0].source.with_suffix(".json")
    whole = index.read_text(encoding="utf-8")
    changes = [
        ('"start": [0, 3]', '"start": [0, 3.5]'),
        ('"start": [0, 3]', '"start": [0, -3]'),
        ('"start": [0, 3]', '"start": [1, 3]'),
        ('"start": [0, 3]', f'"start": [0, {10**30}]'),
        ('"start": [0, 3]', f'"start": [0, {"9" * 5000}]'),
        ('"points": [3, 1]', '"points": ["3", "1"]'),
        ('"points": [3, 1]', '"points": 4'),
        ('"id": ["a", "b"]', '"id": ["a", 2]'),
        ('"text": ["A", "B"]', '"text": ["A", ["B"]]'),
        ('"speaker": [null, null]', '"speaker": [null, false]'),
        ('"donor": "\\u00e9"', '"donor": 5'),
        ('"tags": [{', '"tags": [[], {'),
        (whole, "[" * 200_000),
        (whole, "null"),
    ]
    for n, (old, new) in enumerate(changes, start=1):
        assert old in whole
        index.write_text(whole.replace(old, new, 1), encoding="utf-8")
        assert stored("toy", {}, make, CorpusFaults(), str(tmp_path)) == first, new[:50]
        assert make.calls == 1 + n, new[:50]


def test_an_index_damaged_at_random_gives_utterances_or_is_made_anew(tmp_path: Path) -> None:
    make, rng = Maker(), np.random.default_rng(3)
    first = stored("toy", {}, make, CorpusFaults(), str(tmp_path))
    index = first[0].source.with_suffix(".json")
    whole = index.read_bytes()
    for _ in range(120):
        index.write_bytes(mutated(whole, rng))
        found = stored("toy", {}, make, CorpusFaults(), str(tmp_path))
        assert [(one.start, one.duration) for one in found] == [(0, 3), (3, 1)]
        assert all(isinstance(one.id, str) and isinstance(one.text, str | None) for one in found)
    assert make.calls > 40


def test_a_store_that_another_index_belongs_to_is_made_anew(tmp_path: Path) -> None:
    """A file of the right size is not enough: reading its ink would fail, and preparing again would not help."""
    make = Maker()
    first = stored("toy", {}, make, CorpusFaults(), str(tmp_path))
    store = first[0].source
    content = store.read_bytes()
    store.write_bytes(bytes(len(content)))
    assert stored("toy", {}, make, CorpusFaults(), str(tmp_path)) == first
    assert make.calls == 2
    assert store.read_bytes() == content


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def fail(problems: list[str]) -> Iterator[tuple[Utterance, Ink]]:
        yield from Maker()(problems)
        raise DataError("the corpus is broken")

    with pytest.raises(DataError, match="the corpus is broken"):
        stored("toy", {}, fail, CorpusFaults(), str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_users_cache_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert stored("toy", {}, Maker(), CorpusFaults())[0].source.parent == tmp_path / "ctc-asr" / "ink"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="file cannot be made: File exists"):
        stored("toy", {}, Maker(), CorpusFaults(), str(tmp_path / "file"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"points": [3, 1]', '"points": [3, 100000000000000000000]'),
        ('"points": [3, 1]', '"points": [3, 1.5]'),
        ('"points": [3, 1]', '"points": [3, ' + "9" * 5000 + "]"),
        ('"start": [0, 3]', '"start": [0, -3]'),
        ('"start": [0, 3]', '"start": [0, true]'),
        ('"id": ["a", "b"]', '"id": ["a", 7]'),
        ('"text": ["A", "B"]', '"text": ["A", {}]'),
        ('"problems": []', '"problems": [1]'),
        ('"problems": []', '"problems": 1'),
    ],
)
def test_an_index_with_strange_values_is_made_anew(tmp_path: Path, before: str, after: str) -> None:
    make = Maker()
    first = stored("toy", {}, make, CorpusFaults(), str(tmp_path))
    index = first[0].source.with_suffix(".json")
    assert before in index.read_text()
    index.write_text(index.read_text().replace(before, after))
    assert stored("toy", {}, make, CorpusFaults(), str(tmp_path)) == first
    assert make.calls == 2


def test_what_is_wrong_is_told_again_when_the_cache_is_read(tmp_path: Path) -> None:
    def make(problems: list[str]) -> Iterator[tuple[Utterance, Ink]]:
        yield from Maker()(problems)
        problems.append("c.dat:3: the label is empty")

    for _ in range(2):
        faults = CorpusFaults()
        assert len(stored("toy", {}, make, faults, str(tmp_path))) == 2
        assert faults.sentences == ["c.dat:3: the label is empty"]
