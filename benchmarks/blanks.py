"""Find where blanks between words are missed and invented, and measure the gaps in the ink there.

    python benchmarks/blanks.py unipen unipen root=DATA/unipen.zip category=text --split dev
    python benchmarks/blanks.py unipen unipen root=DATA/unipen.zip category=text --split dev --decoder greedy

Examines every place between two characters of a reference: whether the reference has a blank, whether one was read, and
how wide the white gap in the ink is. A gap reaches from the rightmost point of the line so far to the leftmost point of
a stroke that begins between the two characters; the widest gap counts, in core heights of the normalised ink. A forced
alignment of the reference locates the characters in the ink. Places where the pen is not lifted have no gap.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

import asr
from asr.corpus.utterance import Utterance
from asr.ctc.alignment import align as forced_alignment
from asr.decoding.search import decode
from asr.experiment.corpus_splits import splits_to_score
from asr.features.pen.extractor import PenFeatures
from asr.features.pen.normalise import Trace, normalised
from asr.recogniser.batching import posteriors_of
from asr.recogniser.recogniser import Recogniser
from asr.scoring.edits import align
from asr.text import normalise_text

AT_A_TIME = 300
BACK, DOWN = 4.0, 1.5  # core heights; a stroke that begins this far to the left and below begins a new line
SIDES = ("two letters", "a sign or a digit", "a spelt line", "a new line")
QUARTILES = (10, 50, 90)


@dataclass(frozen=True)
class Place:
    """A place between two characters of a reference.

    Attributes:
        beside: the entry of `SIDES` for the place; a line is spelt if most of its words are single characters.
        blank, read: whether a blank stands there, and whether one was read.
        gap: core heights; NaN where no stroke begins.
    """

    beside: str
    blank: bool
    read: bool
    gap: float


@dataclass(frozen=True)
class Gap:
    """The gap before a stroke: the `point` of the signal at which it begins, core heights, whether it begins a line."""

    point: int
    width: float
    new_line: bool


def gaps_of(trace: Trace) -> list[Gap]:
    """Return the gap before each stroke but the first; it is below 0 if the stroke begins left of the line's end."""
    low = np.minimum.reduceat(trace.points, trace.first, axis=0)  # (S, 2)
    high = np.maximum.reduceat(trace.points, trace.first, axis=0)
    middle = 0.5 * (low[:, 1] + high[:, 1])
    right, line, found = float(high[0, 0]), float(middle[0]), []
    for s in range(1, len(low)):
        width = float(low[s, 0]) - right
        new_line = width < -BACK and middle[s] < line - DOWN
        found.append(Gap(int(trace.index[trace.first[s]]), width, bool(new_line)))
        right = float(high[s, 0]) if new_line else max(right, float(high[s, 0]))
        line = float(middle[s]) if new_line else 0.8 * line + 0.2 * float(middle[s])
    return found


def blanks_read(reference: str, hypothesis: str) -> list[bool]:
    """Return for each character of a reference whether a blank was read in its place or just before it."""
    found, before = [], False
    for edit in align(reference, hypothesis):
        if edit.reference is None:
            before = before or edit.hypothesis == " "
        else:
            found.append(before or edit.hypothesis == " ")
            before = False
    return found


def places_of(
    reference: str, hypothesis: str, log_probs: NDArray[np.float32], labels: Sequence[int], gaps: Sequence[Gap],
    points: NDArray[np.int64],
) -> Iterator[Place]:  # fmt: skip
    """Examine all places of a reference.

    Args:
        log_probs: (T, L).
        labels: (U,) of the reference.
        gaps: of the ink.
        points: (T,) the place of each frame in the signal.
    """
    try:
        aligned = forced_alignment(log_probs, np.array(labels, dtype=np.int64))
    except ValueError:  # more labels than frames
        return
    read = blanks_read(reference, hypothesis)
    words = reference.split()
    spelt = sum(len(word) == 1 for word in words) > len(words) / 2
    for a, b in pairwise(k for k, one in enumerate(reference) if one != " "):
        begin, end = points[aligned.end[a] - 1], points[min(aligned.start[b] + 1, len(points) - 1)]
        between = [one for one in gaps if begin <= one.point <= end]
        beside = "two letters" if (reference[a] + reference[b]).isalpha() else "a sign or a digit"
        beside = "a new line" if any(one.new_line for one in between) else "a spelt line" if spelt else beside
        yield Place(beside, b == a + 2, any(read[a + 1 : b + 1]), max((one.width for one in between), default=math.nan))


def places(recogniser: Recogniser, utterances: Sequence[Utterance]) -> Iterator[Place]:
    """Examine all places of utterances."""
    extractor = recogniser.extractor
    assert isinstance(extractor, PenFeatures)
    for first in range(0, len(utterances), AT_A_TIME):
        some = utterances[first : first + AT_A_TIME]
        signals = [extractor.read(one) for one in some]
        frames = [
            recogniser.frames(extractor.compute(signal), one.speaker) for signal, one in zip(signals, some, strict=True)
        ]
        for batch in posteriors_of(recogniser, [len(one) for one in frames], frames.__getitem__):
            found = decode(recogniser.decoder, batch.log_probs, batch.lengths, recogniser.frame_seconds, 0.0, 1)
            for i, log_probs, length, best in zip(batch.numbers, batch.log_probs, batch.lengths, found, strict=True):
                trace = normalised(signals[i].astype(np.float64), extractor.slant, extractor.baseline, extractor.size)
                _, index = extractor.compute_placed(signals[i])
                reference, labels = normalise_text(some[i].text or ""), recogniser.inventory.encode(some[i])
                points = index[recogniser.stacking.stride * np.arange(length)]
                yield from places_of(reference, best[0].text, log_probs[:length], labels, gaps_of(trace), points)


def row(beside: str, found: Sequence[Place]) -> str:
    """Return the row of a table."""
    hit, missed, within, invented = (
        [one for one in found if (one.blank, one.read) == kind]
        for kind in ((True, True), (True, False), (False, False), (False, True))
    )
    counts = (len(hit) + len(missed), len(missed), len(within) + len(invented), len(invented))
    gaps = (quartiles(one) for one in (hit, missed, within, invented))
    return f"| {' | '.join([beside, *map(str, counts), *gaps])} |"


def quartiles(found: Sequence[Place]) -> str:
    """Return the 10th, 50th and 90th percentile of the gaps, in core heights."""
    gaps = [one.gap for one in found if not math.isnan(one.gap)]
    return " / ".join(f"{value:.1f}" for value in np.percentile(gaps, QUARTILES)) if gaps else ""


def main() -> None:
    parser = argparse.ArgumentParser(description="Say where blanks between words are missed and invented.")
    parser.add_argument("model")
    parser.add_argument("corpus", help="a reader, or a manifest")
    parser.add_argument("options", nargs="*", help="of the reader")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--decoder", default=None, help="default: the model's own")
    given = parser.parse_args()
    corpus = splits_to_score(given.corpus, given.options, (), lambda *told: None)
    utterances = corpus.splits[given.split]
    recogniser = asr.load(given.model, decoder=given.decoder).for_many(len(utterances))
    found = list(places(recogniser, utterances))
    print(
        "| beside the place | blanks | missed | no blanks | invented | gaps: found | missed | within words | invented |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for beside in SIDES:
        print(row(beside, [one for one in found if one.beside == beside]))
    print(row("any", found))


if __name__ == "__main__":
    main()
