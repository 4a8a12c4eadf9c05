from __future__ import annotations

from pathlib import Path

import pytest

from asr.corpus.faults import CorpusFaults, Skipped
from asr.corpus.handling import Handling, handled
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError


def texts(handling: Handling, *utterances: Utterance) -> tuple[dict[str, str | None], dict[str, str]]:
    """Text of each utterance that is left, and reason for each that is not."""
    faults = CorpusFaults(collect=True)
    (left,) = handled({"dev": utterances}, handling, faults).values()
    assert all(one.split == "dev" for one in faults.skipped)
    return {one.id: one.text for one in left}, {one.place: one.reason for one in faults.skipped}


def spoken(text: str | None, name: str = "a", **more: object) -> Utterance:
    return Utterance(name, Path("/a.wav"), text=text, **more)  # type: ignore[arg-type]


def test_noise_is_an_error_unless_it_is_dropped_or_kept() -> None:
    one = spoken("zero [noise] <unk>")
    left, reasons = texts(Handling(), one)
    assert left == {}
    assert reasons == {
        "a": "the text has noise tags ([noise] <unk>); noise=drop removes them, noise=keep leaves them in"
    }
    assert texts(Handling(noise="drop"), one) == ({"a": "zero"}, {})
    assert texts(Handling(noise="keep"), one) == ({"a": "zero [noise] <unk>"}, {})


def test_brackets_in_handwriting_are_writing() -> None:
    ink = spoken("see [1] and (noise)", kind="ink")
    assert texts(Handling(noise="drop"), ink) == ({"a": "see [1] and (noise)"}, {})


def test_texts_are_cleaned_before_noise_is_looked_for() -> None:
    left, _ = texts(Handling(noise="drop", clean="unicode"), spoken("don\u2019t [noi\u200bse]\u00a0stop"))
    assert left == {"a": "don't stop"}
    assert texts(Handling(), spoken("don\u2019t"))[0] == {"a": "don\u2019t"}


def test_what_cannot_be_used_is_left_out_with_a_reason() -> None:
    left, reasons = texts(
        Handling(noise="drop"),
        spoken("good", "good"),
        spoken(" ", "empty"),
        spoken("[noise]", "only-noise"),
        spoken(None, "none"),
        spoken(None, "labels", labels=("a",)),
        spoken(None, "no-labels", labels=()),
        spoken("x", "late", start=-1.0),
    )
    assert left == {"good": "good", "labels": None}
    assert {name: reason.partition(";")[0] for name, reason in reasons.items()} == {
        "empty": "the transcript is empty",
        "only-noise": "the transcript is empty: only noise tags or invisible characters",
        "none": "has no transcript, neither text nor labels",
        "no-labels": "has an empty list of labels",
        "late": "start is -1.0",
    }


@pytest.mark.parametrize(("name", "value"), [("on_error", "skp"), ("noise", "kep"), ("clean", "unicod")])
def test_wrong_values_name_the_nearest(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name}={value}: expected .*; did you mean '(skip|keep|unicode)'\?"):
        Handling(**{name: value})


def test_sentences_become_places_and_reasons() -> None:
    faults = CorpusFaults(collect=True)
    faults.sentences += ["dev/text:3: 'x' has no audio", "nothing fits"]
    faults.leave_out("u1", "test", "is empty: 0 bytes")
    assert faults.skipped == (
        Skipped("dev/text:3", "'x' has no audio"),
        Skipped("", "nothing fits"),
        Skipped("u1", "is empty: 0 bytes", "test"),
    )
