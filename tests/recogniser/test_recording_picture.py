"""Pictures of recordings: well formed, in their theme, and nothing from outside acts in them."""

from __future__ import annotations

import io
import re
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile

from asr.corpus.inventory import BLANK, Inventory
from asr.decoding.hypothesis import Hypothesis, Score, Span
from asr.errors import ConfigError, DataError
from asr.features.extractor import FrameExtractor
from asr.recogniser import recording_picture
from asr.recogniser.recording_picture import RecognisedRecording, recognised_recording, recording_lines
from tests.recogniser.models import RATE, SOUND, small, small_config

HOSTILE = '</text><script>alert("1")</script>&amp;\x1b[2J\ud800\uffff'
NAMESPACE = "{http://www.w3.org/2000/svg}"
INVENTORY = Inventory((BLANK, " ", "a", "b", "c"), "characters")


def found(*words: tuple[str, float, float]) -> Hypothesis:
    spans = tuple(Span(label, start, end, 0.9) for label, start, end in words)
    return Hypothesis((), " ".join(span.label for span in spans), Score(0.0), (), spans)


def one_of(*rows: tuple[float, ...], start: float = 0.0) -> RecognisedRecording:
    """Frames of 0.1 s: the posterior of each label, in the order of the inventory."""
    log_probs = np.log(np.maximum(np.array(rows, dtype=np.float32).reshape(-1, len(INVENTORY)), 1e-9))
    samples = np.sin(np.arange(max(len(rows), 1) * 100, dtype=np.float32))
    return RecognisedRecording(
        samples,
        1000,
        log_probs,
        0.1,
        start,
        INVENTORY,
        found(("b", start, start + 0.2), ("a", start + 0.2, start + 0.3)),
    )


ONE = one_of((0, 0, 0, 1, 0), (0.25, 0, 0, 0.75, 0), (0, 0.01, 0.99, 0, 0), (1, 0, 0, 0, 0))


def parsed(
    one: RecognisedRecording, name: str = "a.wav", hypothesis: Hypothesis | None = None, theme: str = "light"
) -> ElementTree.Element:
    return ElementTree.fromstring("\n".join(recording_lines(one, name, hypothesis, theme)))


def texts(root: ElementTree.Element) -> list[str | None]:
    return [one.text for one in root.iter(f"{NAMESPACE}text")]


def test_words_labels_and_seconds_are_written() -> None:
    root = parsed(ONE)
    assert texts(root) == ["b", "a", "b", "a", "blank", "0 s"]  # words, rows of likely labels, the axis
    assert root.findtext(f"{NAMESPACE}title") == "a.wav: b a"
    assert len(root.findall(f"{NAMESPACE}path")) == 1


def test_cells_are_as_opaque_as_labels_are_probable() -> None:
    light = recording_picture.theme_of("light")
    cells = [one.attrib for one in parsed(ONE).iter(f"{NAMESPACE}rect") if one.attrib["height"] == "16"]
    drawn = [(one["fill"], one.get("opacity", "1")) for one in cells]
    assert drawn == [
        (light.colours[0], "1"), (light.colours[0], "0.75"), (light.colours[1], "0.99"),  # b, b, a: of their words
        (light.ink, "0.09"), (light.ink, "0.35"),  # blank
    ]  # fmt: skip


def test_an_alignment_takes_the_place_of_what_was_recognised() -> None:
    root = parsed(ONE, hypothesis=found(("cab", 0.0, 0.4)))
    assert texts(root)[0] == "cab"
    assert root.findtext(f"{NAMESPACE}title") == "a.wav: cab"


def test_times_count_from_the_beginning_of_the_file() -> None:
    later = one_of(*np.exp(ONE.log_probs).tolist(), start=10.0)
    assert texts(parsed(later))[-1] == "10 s"
    ours, first = (
        [(one.attrib.get("x"), one.attrib["fill"]) for one in parsed(each).iter(f"{NAMESPACE}rect")]
        for each in (later, ONE)
    )
    assert ours == first


def test_the_same_recording_gives_the_same_bytes_in_each_theme() -> None:
    light, dark = ("\n".join(recording_lines(ONE, "a", theme=theme)) for theme in ("light", "dark"))
    assert light == "\n".join(recording_lines(ONE, "a"))
    assert light != dark
    without_colours = [re.sub("#[0-9a-f]{6}", "#", one) for one in (light, dark)]
    assert without_colours[0] == without_colours[1]
    with pytest.raises(ConfigError, match=r"there is no theme 'drak'; did you mean 'dark'\?; expected light, dark"):
        recording_lines(ONE, "a", theme="drak")


def test_nothing_from_outside_acts() -> None:
    svg = "\n".join(recording_lines(ONE, HOSTILE, found((HOSTILE, 0.0, 0.4))))
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "\x1b" not in svg
    svg.encode()  # no surrogates
    assert not re.search(r"<[^>]*(href|src|on\w+)=", svg)


def test_pictures_are_bounded_and_stay_within_their_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_picture, "MOST_LABELS", 2)
    crowd = tuple((f"w{n}" * 40, n * 0.001, n * 0.001 + 5.0) for n in range(400))
    root = parsed(ONE, hypothesis=found(*crowd))
    assert [one for one in texts(root) if one in ("a", "b", "c", "blank")] == ["b", "a", "blank"]
    words = [str(one) for one in texts(root) if str(one).startswith("w")]
    assert len(words) == 1  # those that would cover it are left out
    assert max(map(len, words)) <= 80
    width = float(root.attrib["width"])
    for one in root.iter(f"{NAMESPACE}rect"):
        if one.attrib["width"] != "100%":
            assert 0 <= float(one.attrib["x"]) <= float(one.attrib["x"]) + float(one.attrib["width"]) <= width + 2


def test_silence_without_a_word_or_a_frame_is_a_picture() -> None:
    nothing = replace(one_of(), samples=np.zeros(10, dtype=np.float32))
    assert "nan" not in "\n".join(recording_lines(nothing, "a", found()))
    assert texts(parsed(nothing, hypothesis=found()))[0] == "blank"


def test_a_picture_has_the_text_of_transcribe(tmp_path: Path) -> None:
    recogniser = small(small_config())
    one = recognised_recording(recogniser, (SOUND, RATE))
    assert one.hypothesis == recogniser.transcribe((SOUND, RATE))
    assert len(one.samples) == len(SOUND)
    np.testing.assert_allclose(np.exp(one.log_probs).sum(axis=1), 1.0, atol=1e-5)
    assert "\n".join(recording_lines(one, "a")).endswith("</svg>")


def test_a_file_is_read_as_its_samples_are(tmp_path: Path) -> None:
    recogniser, path = small(small_config()), tmp_path / "a.wav"
    soundfile.write(path, SOUND, RATE, subtype="FLOAT")
    one, other = recognised_recording(recogniser, path), recognised_recording(recogniser, (SOUND, RATE))
    np.testing.assert_array_equal(one.samples, other.samples)
    np.testing.assert_array_equal(one.log_probs, other.log_probs)
    assert one.hypothesis == recogniser.transcribe(path)


@pytest.mark.parametrize(("seconds", "shown"), [(61.0, "61.0"), (60.4, "60.4"), (60.01, "60.1")])
def test_a_long_recording_is_refused(tmp_path: Path, seconds: float, shown: str) -> None:
    recogniser, path = small(small_config()), tmp_path / "long.wav"
    samples = np.zeros(round(seconds * 8000), dtype=np.float32)
    soundfile.write(path, samples, 8000)
    told = f"{shown} s long; a picture shows 60 s at most, cut the recording"
    for source, name in ((path, path), ((samples, 8000), "<samples>")):
        with pytest.raises(DataError, match=f"^{re.escape(str(name))}: {re.escape(told)}$"):
            recognised_recording(recogniser, source)


def test_a_stream_that_is_too_long_is_not_decoded() -> None:
    stream = io.BytesIO()
    soundfile.write(stream, np.zeros(600 * 8000, dtype=np.int16), 8000, format="FLAC")  # 19 MB as float32
    recogniser = small(small_config())
    stream.seek(0)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"600\.0 s long"):
            recognised_recording(recogniser, stream)
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


class NotStreaming:
    """An extractor of a user's own, which reads a whole signal."""

    def __init__(self, inner: Any) -> None:
        self.dim, self.rate, self.frame_shift = inner.dim, inner.rate, inner.frame_shift
        self.read, self.compute = inner.read, inner.compute


def test_the_limit_holds_for_extractors_that_read_a_whole_signal(tmp_path: Path) -> None:
    recogniser, path = small(small_config()), tmp_path / "long.wav"
    own = replace(recogniser, extractor=cast(FrameExtractor, NotStreaming(recogniser.extractor)))
    soundfile.write(path, np.zeros(61 * 8000, dtype=np.float32), 8000)
    with pytest.raises(DataError, match=r"long\.wav: 61\.0 s long; a picture shows 60 s at most"):
        recognised_recording(own, path)
    assert recognised_recording(own, (SOUND, RATE)).hypothesis == recogniser.transcribe((SOUND, RATE))


def test_a_file_of_ink_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_text("<svg/>")
    with pytest.raises(DataError, match=r"a\.svg: this model reads recordings, not ink"):
        recognised_recording(small(small_config()), path)


def test_a_model_of_ink_is_refused() -> None:
    with pytest.raises(DataError, match="reads ink, not recordings"):
        recognised_recording(small(small_config(pen=True)), (SOUND, RATE))
