"""Measure error rates on signs of ASCII that people wrote on tablets: symbols, words, capitals and digits.

    python benchmarks/signs.py DATA/tablet/tablet_dev.jsonl.gz unipen runs/unipen/everything/...
    python benchmarks/signs.py DATA/tablet/tablet_dev.jsonl.gz unipen --signs

The file has an ink a line: `writer`, `language`, `text`, `strokes` (lists of [x, y], y downwards). Each ink is
recognised alone. Prints a row for each model in Markdown: character error rates of greedy search by kind, in percent,
over the English writers; with `--signs` also how often each symbol is right, and what it is read as. Texts are compared
without case and blanks.

ASCII has no copyright sign and no registered sign. The ink of `\\ ~ © ®` is cut after its first two strokes if these
lie to the left of all others, and left out otherwise.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import asr
from asr.ink import Ink
from asr.ink.ink import Stroke
from asr.scoring.edits import ErrorCounts, align, count_errors

KINDS = ("symbols", "words", "capitals", "digits")
OTHERS = "©®"


@dataclass(frozen=True)
class Written:
    """One ink, its kind, and its reference without case and blanks."""

    kind: str
    text: str
    ink: Ink


def main() -> None:
    given = arguments()
    written, left_out = inks_of(given.file)
    sizes = Counter(one.kind for one in written)
    print(f"{left_out} inks with copyright signs that could not be cut are left out\n")
    print(f"| model | {' | '.join(f'{kind}, {sizes[kind]} inks' for kind in KINDS)} |\n|---|{'---|' * len(KINDS)}")
    for model in given.models:
        recogniser = asr.load(model, decoder="greedy")
        texts = [folded(one.text) for one in recogniser.transcribe([one.ink for one in written])]
        rates = {kind: rate(kind, written, texts) for kind in KINDS}
        print(f"| `{model}` | {' | '.join(f'{100 * rates[kind].rate:.1f}' for kind in KINDS)} |", flush=True)
        if given.signs:
            print_signs(written, texts)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--signs", action="store_true", help="list the symbols too")
    return parser.parse_args()


def inks_of(file: Path) -> tuple[list[Written], int]:
    """Read the English inks, and count those that are left out."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        items = [one for one in map(json.loads, lines) if one["language"] == "en"]
    kept = list(_cut(items))
    return kept, len(items) - len(kept)


def _cut(items: Sequence[dict[str, object]]) -> Iterator[Written]:
    for one in items:
        strokes = [np.array(stroke, float) * (1, -1) for stroke in one["strokes"]]  # type: ignore[attr-defined]
        text = folded(str(one["text"]))
        if any(sign in text for sign in OTHERS):
            text, strokes, rest = text.strip(OTHERS), strokes[:2], strokes[2:]
            if not rest or np.concatenate(strokes)[:, 0].max() > np.concatenate(rest)[:, 0].min():
                continue
        yield Written(kind_of(str(one["text"])), text, Ink(tuple(Stroke(stroke) for stroke in strokes)))


def kind_of(text: str) -> str:
    """Return the kind of a text."""
    signs = text.replace(" ", "")
    if not any(sign.isalnum() for sign in signs):
        return "symbols"
    return "digits" if signs.isdigit() else "capitals" if signs.isupper() and " " in text else "words"


def folded(text: str) -> str:
    """Return a text without case and blanks."""
    return text.replace(" ", "").lower()


def rate(kind: str, written: Sequence[Written], texts: Sequence[str]) -> ErrorCounts:
    """Sum the errors of a kind."""
    pairs = [(one.text, text) for one, text in zip(written, texts, strict=True) if one.kind == kind]
    return sum((count_errors(list(a), list(b)) for a, b in pairs), ErrorCounts())


def print_signs(written: Sequence[Written], texts: Sequence[str]) -> None:
    """Print how often each symbol is right, and what it is read as otherwise."""
    read_as: dict[str, Counter[str]] = defaultdict(Counter)
    for one, text in zip(written, texts, strict=True):
        if one.kind == "symbols":
            for _, wanted, read in align(list(one.text), list(text)):
                if wanted is not None:
                    read_as[wanted][read or "nothing"] += 1
    for sign, found in sorted(read_as.items(), key=lambda item: item[1][item[0]]):
        wrong = ", ".join(f"{other} {count}" for other, count in found.most_common(6) if other != sign)
        print(f"    {sign}  {100 * found[sign] / found.total():5.1f} % right; as {wrong}")


if __name__ == "__main__":
    main()
