from __future__ import annotations

from pathlib import Path

from asr.corpus.seen import tag_seen
from asr.corpus.utterance import Utterance


def utterance(text: str | None = None, labels: tuple[str, ...] | None = None, **tags: str) -> Utterance:
    return Utterance(id="a", source=Path("/a.wav"), text=text, labels=labels, tags=tags)


def test_a_text_of_the_training_split_is_seen_in_every_other_split() -> None:
    splits = {
        "train": [utterance("the  cat"), utterance("dog")],
        "dev": [utterance("the cat"), utterance("The cat"), utterance("cat")],
        "test": [utterance(" dog ")],
    }
    tagged = tag_seen(splits)
    assert tagged["train"] == splits["train"]
    assert [one.tags for one in tagged["dev"]] == [{"seen": "yes"}, {"seen": "no"}, {"seen": "no"}]
    assert [one.tags for one in tagged["test"]] == [{"seen": "yes"}]


def test_labels_are_compared_where_there_is_no_text() -> None:
    splits = {"train": [utterance(labels=("a", "b"))], "test": [utterance(labels=("a", "b")), utterance(labels=("a",))]}
    assert [one.tags["seen"] for one in tag_seen(splits)["test"]] == ["yes", "no"]


def test_other_tags_stay_and_a_tag_of_the_corpus_wins() -> None:
    splits = {"train": [utterance("a")], "test": [utterance("a", donor="x"), utterance("a", seen="unknown")]}
    assert [one.tags for one in tag_seen(splits)["test"]] == [{"seen": "yes", "donor": "x"}, {"seen": "unknown"}]


def test_without_a_training_split_nothing_is_tagged() -> None:
    test = [utterance("a")]
    assert tag_seen({"test": test}) == {"test": test}
    assert tag_seen({"train": [], "test": test}) == {"train": [], "test": test}
