from __future__ import annotations

from pathlib import Path

import pytest

from asr.corpus.checks import SPLIT_BY_RECORDING, check_utterances
from asr.corpus.inventory import BLANK, Inventory
from asr.corpus.utterance import Utterance
from asr.errors import Problems


def one(name: str, text: str | None = "ab", speaker: str | None = None, **rest: object) -> Utterance:
    return Utterance(id=name, source=Path(f"/{name}.wav"), text=text, speaker=speaker, **rest)  # type: ignore[arg-type]


AB = Inventory((BLANK, "a", "b"), "characters")


def test_a_sound_corpus_passes() -> None:
    check_utterances({"train": [one("t", speaker="s1")], "dev": [one("d", speaker="s2")], "test": [one("e")]}, AB)


def test_everything_is_reported_together() -> None:
    splits = {
        "train": [one("t1", speaker="anna"), one("t1"), one("t2", "aß"), one("t3", " \t")],
        "dev": [one("d1", speaker="anna"), one("d2", None), one("t1")],
        "test": [one("e1", speaker="anna"), one("e2", "ba", speaker="anna")],
    }
    with pytest.raises(Problems) as caught:
        check_utterances(splits, AB)
    assert caught.value.problems == (
        "'t1': the id is used twice in train; make ids unique",
        "'t1': the id is used in train and in dev; make ids unique",
        "train: 't2': 'ß' (U+00DF) is not among the 3 labels; correct the transcript or train with such an example",
        "train: 't3' has an empty transcript; leave it out or correct it",
        "dev: 'd2' has no text; a model of characters needs one",
        "speaker 'anna' is in train and in dev (1 utterances), which makes error rates look better than they are; "
        "move the speaker to one split",
        "speaker 'anna' is in train and in test (2 utterances), which makes error rates look better than they are; "
        "move the speaker to one split",
        "dev: 't1' is the same recording as 't1' of train; remove one of them",
    )


def test_without_an_inventory_any_transcript_will_do() -> None:
    check_utterances({"train": [one("a", None, labels=("x",)), one("b", "text")]})
    with pytest.raises(Problems, match="'c' has no transcript, neither text nor labels"):
        check_utterances({"train": [one("c", None)]})
    with pytest.raises(Problems, match="'d' has an empty transcript"):
        check_utterances({"train": [one("d", None, labels=())]})


def test_speakers_shared_on_purpose_pass() -> None:
    splits = {"train": [one("a", speaker="s")], "test": [one("b", speaker="s", tags=SPLIT_BY_RECORDING)]}
    check_utterances(splits, AB)


def test_segments_of_one_recording_may_be_apart_but_not_the_same() -> None:
    segments = [Utterance(name, Path("/r.wav"), start=start, text="a") for name, start in (("a", 0.0), ("b", 1.0))]
    check_utterances({"train": segments[:1], "test": segments[1:]}, AB)
    twin = Utterance("c", Path("/r.wav"), start=0.0, text="a")
    with pytest.raises(Problems, match="test: 'c' is the same recording as 'a' of train"):
        check_utterances({"train": segments[:1], "test": [twin]}, AB)
