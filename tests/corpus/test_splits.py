from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from asr.corpus.faults import SKIPPED_NAME, Skipped, read_skipped
from asr.corpus.handling import Handling
from asr.corpus.splits import SPLITS, read_manifests, write_corpus
from asr.corpus.utterance import Utterance
from asr.errors import DataError, Problems


@pytest.fixture
def splits(tmp_path: Path) -> dict[str, list[Utterance]]:
    for name in SPLITS:
        (tmp_path / f"{name}.wav").write_bytes(b"x")
    return {name: [Utterance(name, tmp_path / f"{name}.wav", text="hi", speaker=name)] for name in SPLITS}


def test_what_was_skipped_stands_beside_the_manifests(tmp_path: Path, splits: dict[str, list[Utterance]]) -> None:
    skipped = [Skipped("u7", "the transcript holds nothing", "dev"), Skipped("dev/text:3", "has \x1b no 'audio'")]
    write_corpus(splits, tmp_path, skipped)
    assert read_skipped(tmp_path) == skipped
    assert read_manifests(tmp_path).skipped == tuple(skipped)
    write_corpus(splits, tmp_path)
    assert not (tmp_path / SKIPPED_NAME).exists()
    assert read_skipped(tmp_path) == []


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"place": 1}', b"[" * 100_000, b"\xff"])
def test_a_damaged_list_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / SKIPPED_NAME).write_bytes(content)
    with pytest.raises(DataError, match=r"skipped\.jsonl cannot be read as a list of skipped utterances"):
        read_skipped(tmp_path)


def test_manifests_are_refused_or_read_without_what_is_wrong(
    tmp_path: Path, splits: dict[str, list[Utterance]]
) -> None:
    splits["dev"].append(replace(splits["dev"][0], id="tagged", start=1.0, text="hi [noise]"))
    write_corpus(splits, tmp_path)
    with (tmp_path / "test.jsonl").open("a") as file:
        file.write('{"id": "x"}\n{"id": "y", "audio": "test.wav", "text": " "}\n')
    with pytest.raises(Problems, match=r"3 problems in the manifests in .*on_error=skip leaves out faulty items"):
        read_manifests(tmp_path)
    corpus = read_manifests(tmp_path, Handling(on_error="skip"))
    assert {name: [one.id for one in part] for name, part in corpus.splits.items()} == {n: [n] for n in SPLITS}
    assert [(one.place, one.split) for one in corpus.skipped] == [
        ("test.jsonl:2", "test"),
        ("tagged", "dev"),
        ("y", "test"),
    ]
    kept = read_manifests(tmp_path, Handling(on_error="skip", noise="drop")).splits["dev"]
    assert [one.text for one in kept] == ["hi", "hi"]
