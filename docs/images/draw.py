"""Draw the pictures of README.md: a recording with its posteriors, and ink with each letter in its colour.

    python docs/images/draw.py --an4 /data/an4

The recording is `an425-menk-b` of AN4's test set (Carnegie Mellon University, free for any purpose), read by the model
`an4`; the ink is made of a Hershey font of the embedded corpus and aligned by the model `unipen`. The commands
`asr-transcribe an4 an425-menk-b.flac --format svg` and `asr-align unipen FILE --text TEXT --format svg` draw the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import asr
from asr.files import write_file
from asr.ink import Ink
from asr.recogniser.alignment import align_transcript, spelled
from asr.recogniser.letters_picture import letter_lines
from asr.recogniser.picture_theme import THEMES
from asr.recogniser.recording_picture import recognised_recording, recording_lines
from asr.seeds import generator
from data_prep.hershey.hand import Writing, hand

FOLDER = Path(__file__).parent
RECORDING = "wav/an4test_clstk/menk/an425-menk-b.flac"
TEXT = "Every letter counts"


def line() -> Ink:
    """Return the line of ink."""
    return Writing(hand("picture1", 1, "print")).write(TEXT, generator(1, "ink", "p1"))


def draw_recording(an4: Path) -> None:
    """Write `recording-light.svg` and `recording-dark.svg`."""
    recognised = recognised_recording(asr.load("an4", decoder="greedy"), an4 / RECORDING)
    for theme in THEMES:
        _write(f"recording-{theme}.svg", recording_lines(recognised, Path(RECORDING).name, theme=theme))


def draw_letters() -> None:
    """Write `letters-light.svg` and `letters-dark.svg`."""
    recogniser, ink = asr.load("unipen", decoder="greedy"), line()
    found = align_transcript(recogniser, ink, spelled(recogniser.inventory, TEXT, "the line"))
    for theme in THEMES:
        _write(f"letters-{theme}.svg", letter_lines(found, ink, "a line of ink", theme))


def _write(name: str, lines: Iterable[str]) -> None:
    write_file(FOLDER / name, "".join(f"{one}\n" for one in lines).encode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--an4", type=Path, required=True, metavar="FOLDER", help="the AN4 corpus")
    draw_recording(parser.parse_args().an4)
    draw_letters()
