"""Measure how well pages upside down are detected: `python -m benchmarks.orientation [--sample N]`.

Every ink is tested as it is in its file and upside down. A false alarm is an ink that is turned although it is the
right way up; a detection is one upside down that is turned. The inks are lines of UNIPEN's category 8 (dev writers),
pages composed of them, and words from tablets, whose y grows downwards.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from asr.ink import Ink
from asr.ink.json_ink import ink_of_mapping
from asr.recogniser.loading import load
from asr.recogniser.orientation import SURE, evidence_of, flipped, is_upside_down
from asr.recogniser.recogniser import Recogniser
from benchmarks.unipen_lines import lines_of
from tests.ink.composed_pages import composed_pages

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder with unipen.zip and tablet/")
    parser.add_argument("--sample", type=int, default=400, help="number of inks of each kind")
    parser.add_argument("--model", default="unipen")
    given = parser.parse_args()
    recogniser = load(given.model)
    lines = lines_of(given.data / "unipen.zip")
    kinds = {
        "lines, UNIPEN category 8, dev": [line.ink for line in lines.all],
        "pages composed of them": [page.page for page in composed_pages(lines.writers, given.sample, "orientation")],
        "words, tablets": list(_tablet(given.data / "tablet" / "tablet_dev.jsonl.gz")),
    }
    print("| inks | recognised both ways, % | false alarms, % | detected upside down, % |\n|---|---|---|---|")
    for name, inks in kinds.items():
        print(_row(name, inks[:: max(1, len(inks) // given.sample)], recogniser), flush=True)


def _tablet(path: Path) -> Iterator[Ink]:
    with gzip.open(path, "rt") as file:
        for line in file:
            strokes = [stroke for stroke in json.loads(line)["strokes"] if stroke]
            yield ink_of_mapping({"strokes": strokes, "y": "down"})


def _row(name: str, inks: Sequence[Ink], recogniser: Recogniser) -> str:
    doubted = sum(evidence_of(ink) < SURE for ink in inks)
    false = sum(is_upside_down(recogniser, ink) for ink in inks)
    noticed = sum(is_upside_down(recogniser, flipped(ink)) for ink in inks)
    shares = " | ".join(f"{100 * one / len(inks):.1f} ({one})" for one in (doubted, false, noticed))
    return f"| {name} ({len(inks)}) | {shares} |"


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
