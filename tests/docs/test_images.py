"""The pictures of the README are what its script draws: of the recording and of the ink, light and dark."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import asr
from asr.recogniser.alignment import align_transcript, spelled
from asr.recogniser.recording_picture import recognised_recording
from tests.docs.drawing import draw

REPOSITORY = Path(__file__).parents[2]
IMAGES = REPOSITORY / "docs" / "images"
NAMESPACE = "{http://www.w3.org/2000/svg}"


def parsed(name: str) -> ElementTree.Element:
    return ElementTree.fromstring((IMAGES / f"{name}.svg").read_bytes())


@pytest.mark.parametrize("name", ["recording", "letters"])
def test_pictures_are_small_and_the_same_in_both_themes(name: str) -> None:
    light, dark = ((IMAGES / f"{name}-{theme}.svg").read_text(encoding="utf-8") for theme in ("light", "dark"))
    assert max(len(light), len(dark)) < 150_000
    assert light != dark
    assert re.sub("#[0-9a-f]{6}", "", light) == re.sub("#[0-9a-f]{6}", "", dark)
    assert not re.search(r"<script|<image|href=", light)
    for theme in ("light", "dark"):
        parsed(f"{name}-{theme}")
        assert f"docs/images/{name}-{theme}.svg" in (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_the_recording_is_what_the_model_hears(shared_data: Path) -> None:
    recognised = recognised_recording(asr.load("an4", decoder="greedy"), shared_data / "an4" / "an4" / draw.RECORDING)
    root = parsed("recording-light")
    assert root.findtext(f"{NAMESPACE}title") == f"{Path(draw.RECORDING).name}: {recognised.hypothesis.text}"
    words = [one.text for one in root.iter(f"{NAMESPACE}text")][: len(recognised.hypothesis.words)]
    assert words == recognised.hypothesis.text.split()


def test_the_letters_are_those_of_the_line() -> None:
    pytest.importorskip("HersheyFonts")
    recogniser, ink = asr.load("unipen", decoder="greedy"), draw.line()
    found = align_transcript(recogniser, ink, spelled(recogniser.inventory, draw.TEXT, "the line"))
    paths = [one.attrib["d"] for one in parsed("letters-light").iter(f"{NAMESPACE}path")]
    assert len(paths) == len(draw.TEXT.replace(" ", ""))
    points = [len(re.findall("[ML]", one)) for one in paths]  # of letters, with what joins them and dots as lines
    own = [span.end - span.start for span in found.spans if not span.label.isspace()]
    assert np.abs(np.array(points) - np.array(own)).max() <= 4, (
        "unipen divides the line elsewhere; run docs/images/draw.py"
    )
