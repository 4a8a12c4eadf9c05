"""eSpeak NG in its own process: the same samples again, phonemes in order, errors with a remedy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asr.errors import DataError
from data_prep.espeak.library import RATE, Request, speak

SENTENCES = ("Both brothers enjoy fishing in cold rivers.", "The kettle whistled for several minutes.")


def requests() -> list[Request]:
    return [Request(text, voice) for voice in ("en-us+f1", "en-us+m3", "en-us+Mike") for text in SENTENCES]


def test_the_same_list_gives_the_same_samples() -> None:
    for one, other in zip(speak(requests()), speak(requests()), strict=True):
        assert one.phonemes == other.phonemes
        np.testing.assert_array_equal(one.samples, other.samples)


def test_settings_are_heard() -> None:
    text = SENTENCES[0]
    plain, fast, high, other = speak(
        [
            Request(text, "en-us"),
            Request(text, "en-us", speed=260),
            Request(text, "en-us", pitch=90),
            Request(text, "en-us+f1"),
        ]
    )
    assert len(fast.samples) < 0.8 * len(plain.samples)
    assert abs(len(high.samples) - len(plain.samples)) < 0.05 * RATE
    assert not np.array_equal(high.samples[:5000], plain.samples[:5000])
    assert not np.array_equal(other.samples[:5000], plain.samples[:5000])


def test_phonemes_come_in_order_with_their_place_in_the_text() -> None:
    [speech] = speak([Request("The chair.", "en-us")])
    assert [phoneme.name.lstrip("',") for phoneme in speech.phonemes[:4]] == ["D", "@2", "tS", "e@"]
    assert [phoneme.position for phoneme in speech.phonemes[:4]] == [1, 1, 5, 5]  # characters are counted from 1
    times = [phoneme.sample for phoneme in speech.phonemes]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= len(speech.samples)
    assert 0.4 * RATE < len(speech.samples) < 1.2 * RATE


def test_a_voice_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"eSpeak NG cannot speak: it has no voice 'xx-nowhere'"):
        list(speak([Request("Hello.", "xx-nowhere")]))


def fake_loader(folder: Path, body: str) -> None:
    (folder / "espeakng_loader.py").write_text(body, encoding="utf-8")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ImportError('wrong wheel')", r"cannot speak: wrong wheel\. Try `pip install espeakng-loader`"),
        ("def get_library_path():\n    return '/nowhere/libespeak-ng.so'\n", r"cannot speak: .*nowhere.*pip install"),
        ("import os\nos._exit(3)", r"stopped before 'Hello\.': no message"),
        ("import sys\nsys.exit('killed by a crash')", r"stopped before 'Hello\.': killed by a crash"),
    ],
    ids=["import", "library", "silent crash", "crash"],
)
def test_a_broken_loader_is_reported(body: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_loader(tmp_path, body)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(DataError, match=message):
        list(speak([Request("Hello.", "en-us")]))


def test_stopping_early_ends_the_process() -> None:
    spoken = speak([Request(SENTENCES[0], "en-us")] * 50)
    next(spoken)
    spoken.close()  # type: ignore[attr-defined]  # would wait for ever on a process that waits for its reader
