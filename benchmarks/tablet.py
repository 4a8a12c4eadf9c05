"""Compare decoders with greedy search on words of four languages written on tablets.

    python benchmarks/tablet.py DATA/tablet/tablet_dev.jsonl.gz unipen_words
    python benchmarks/tablet.py DATA/tablet/tablet_dev.jsonl.gz unipen_words decoder=beam,lm=english_letters

The file has an ink a line: `writer`, `language` (en, de, fr, es), `text`, `strokes` (lists of [x, y], y downwards).
Prints a row in Markdown for greedy search, for the model's own decoder, and for each decoder that is given: the error
rates of texts and of characters in percent, and the number of texts. Texts are compared without case, blanks and
accents. There are six times as many English writers as others, so every fourth of them is read. `rows` are letters and
digits with blanks between them, of all languages; signs are left out.

A default decoder is safe if it is at most a point worse than greedy search in every language.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import asr
from asr.decoding.search import Decoder, decode
from asr.ink import Ink
from asr.ink.ink import Stroke
from asr.recogniser.recogniser import Recogniser
from asr.scoring.edits import ErrorCounts, count_errors

LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}
ROWS = "rows"
EVERY_ENGLISH = 4
AT_A_TIME = 32
TWO_LETTERS = {"œ": "oe", "æ": "ae", "ß": "ss"}


@dataclass(frozen=True)
class Written:
    """One ink, its column of the table, and its reference."""

    column: str
    text: str
    ink: Ink


@dataclass(frozen=True)
class Score:
    """Errors of a column: in texts and in characters."""

    texts: ErrorCounts = field(default_factory=ErrorCounts)
    characters: ErrorCounts = field(default_factory=ErrorCounts)

    def __str__(self) -> str:
        return f"{100 * self.texts.rate:.1f} / {100 * self.characters.rate:.1f}"


def main() -> None:
    given = arguments()
    written = list(read(given.file))
    greedy = asr.load(given.model, decoder="greedy")
    log_probs = posteriors(greedy.for_many(len(written)), [one.ink for one in written])
    columns = [*LANGUAGES, ROWS]
    sizes = [sum(one.column == column for one in written) for column in columns]
    names = [f"{LANGUAGES.get(column, 'rows')}, {size}" for column, size in zip(columns, sizes, strict=True)]
    print(f"| `{given.model}` | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for name, wish in {"greedy": "greedy", "its own": None, **{one: options(one) for one in given.decoders}}.items():
        decoder = asr.load(given.model, decoder=wish).for_many(len(written)).decoder
        scores = measure(decoder, greedy.frame_seconds, log_probs, written)
        print(f"| {name} | {' | '.join(str(scores[column]) for column in columns)} |", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("model")
    parser.add_argument("decoders", nargs="*", help="decoder=NAME,OPTION=VALUE,...")
    return parser.parse_args()


def options(written: str) -> list[str]:
    """Split `decoder=beam,lm_weight=0.3` into the options of a command line."""
    name, *others = written.split(",")
    return [name, *(f"decoder.{one}" for one in others)]


def read(file: Path) -> Iterator[Written]:
    """Read the inks of all columns."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        items = [json.loads(line) for line in lines]
    english = sorted({one["writer"] for one in items if one["language"] == "en"})[::EVERY_ENGLISH]
    for one in items:
        column = column_of(one["text"], one["language"])
        if column is not None and (one["language"] != "en" or one["writer"] in english):
            strokes = (Stroke(np.array(stroke, float) * (1, -1)) for stroke in one["strokes"])
            yield Written(column, one["text"], Ink(tuple(strokes)))


def column_of(text: str, language: str) -> str | None:
    """Return the language of a word, `rows` for letters and digits in a row, None for signs."""
    if any(len(word) > 1 for word in text.split()):
        return language
    return ROWS if all(word.isalnum() for word in text.split()) else None


def posteriors(recogniser: Recogniser, inks: Sequence[Ink]) -> list[NDArray[np.float32]]:
    """Return the log posteriors (T, L) of each ink."""
    extractor: Any = recogniser.extractor  # an extractor for ink, which has `signal_of`
    frames = [recogniser.frames(extractor.compute(extractor.signal_of(one))) for one in inks]
    found: dict[int, NDArray[np.float32]] = {}
    order = sorted(range(len(inks)), key=lambda i: len(frames[i]))
    for start in range(0, len(order), AT_A_TIME):
        batch = order[start : start + AT_A_TIME]
        log_probs, lengths = recogniser.posteriors([frames[i] for i in batch])
        found |= {i: one[:length].copy() for i, one, length in zip(batch, log_probs, lengths, strict=True)}
    return [found[i] for i in range(len(inks))]


def measure(
    decoder: Decoder, frame_seconds: float, log_probs: Sequence[NDArray[np.float32]], written: Sequence[Written]
) -> dict[str, Score]:
    """Decode all inks, and count the errors of each column."""
    scores = dict.fromkeys((*LANGUAGES, ROWS), Score())
    for one, posterior in zip(written, log_probs, strict=True):
        ((best, *_),) = decode(decoder, posterior[None], np.array([len(posterior)]), frame_seconds)
        reference, found = plain(one.text), plain(best.text)
        before = scores[one.column]
        scores[one.column] = Score(
            before.texts + count_errors((reference,), (found,)),
            before.characters + count_errors(tuple(reference), tuple(found)),
        )
    return scores


def plain(text: str) -> str:
    """Leave out case, blanks and accents.

    >>> plain("ce Vœu À")
    'cevoeua'
    """
    for one, two in TWO_LETTERS.items():
        text = text.lower().replace(one, two)
    apart = unicodedata.normalize("NFKD", text)
    return "".join(one for one in apart if not unicodedata.combining(one) and not one.isspace())


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
