"""The utterances that the other benchmarks recognise: test sets on disk, or the embedded corpora."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from asr.corpus.utterance import Utterance
from asr.ink import Ink
from asr.ink.reading import read_ink
from data_prep.corpora import load_corpus

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class TestSet:
    """Utterances, and the model that recognises them.

    Attributes:
        model: name of a pretrained model.
        called: name of the corpus and the split.
        utterances: those of the split.
    """

    model: str
    called: str
    utterances: Sequence[Utterance]

    def sample(self, count: int) -> TestSet:
        """Draw a number of them with a fixed seed."""
        if count >= len(self.utterances):
            return self
        chosen = random.Random(1).sample(list(self.utterances), count)
        return TestSet(self.model, f"{self.called}, {count} of {len(self.utterances)}", chosen)


def words(data: Path) -> TestSet:
    """Return UNIPEN's test words or, if they are not on disk, those of the embedded corpus of pen strokes."""
    if (data / "unipen.zip").exists():
        return _test("unipen_words", "UNIPEN words, test", "unipen", root=str(data / "unipen.zip"))
    return _test("quickstart_pen", "embedded pen strokes, test (no UNIPEN here)", "hershey")


def recordings(data: Path) -> TestSet:
    """Return AN4's test recordings or, if they are not on disk, the embedded ones with their model."""
    if (data / "an4").exists():
        return _test("an4", "AN4, test", "an4", root=str(data / "an4"))
    return _test("quickstart", "embedded speech, test (no AN4 here)", "espeak", train=2400, train_speakers=150)


def phones(data: Path) -> TestSet | None:
    """Return the test recordings of speechocean762, if they are on disk."""
    if not (data / "speechocean762").exists():
        return None
    return _test("english_phones", "speechocean762, test", "speechocean762", root=str(data / "speechocean762"))


def _test(model: str, called: str, reader: str, **options: object) -> TestSet:
    return TestSet(model, called, load_corpus(reader, options).splits["test"])


def inks(chosen: TestSet) -> list[Ink]:
    """Read the ink of each utterance into memory."""
    return [_ink(one) for one in chosen.utterances]


def as_json(ink: Ink) -> dict[str, Any]:
    """Return the ink in the form that `asr.ink.json_ink` describes."""
    strokes = [
        (one.points if one.times is None else np.column_stack([one.points, one.times])).tolist() for one in ink.strokes
    ]
    return {"strokes": strokes, "resolution": ink.resolution}


def _ink(utterance: Utterance) -> Ink:
    if utterance.start is None:
        return read_ink(utterance.source)
    length = None if utterance.duration is None else int(utterance.duration)
    return read_ink(utterance.source, int(utterance.start), length)


def spoken(chosen: TestSet, seconds: float) -> list[Path]:
    """Return files that last about a number of seconds together."""
    found, total = [], 0.0
    for utterance in chosen.utterances:
        found.append(utterance.source)
        total += soundfile.info(utterance.source).duration
        if total >= seconds:
            break
    return found


def of_two_seconds(chosen: TestSet) -> Path:
    """Return the recording whose length is nearest to two seconds."""
    return min(
        (one.source for one in chosen.utterances), key=lambda path: float(np.abs(soundfile.info(path).duration - 2.0))
    )
