"""Move boundaries to where the sound changes: labels and pauses begin and end at changes of the spectrum.

An alignment knows a boundary up to two frames of posteriors, 20 to 30 ms each. The spectrum is known every 10 ms. The
change at a border between two frames is the root mean square difference, over the bands of a filterbank, between the
mean of the two log spectra behind it and that of the two before it, in units of its mean over the recording. A boundary
moves to the time, up to 60 ms away, that maximises

    change(time) - ((time - boundary) / 0.02 s)^2

which a parabola through the three best neighbours gives between the borders. What is quieter than the loudest band by
more than 9 nats counts as that quiet: changes of the noise in a pause are none of the sound.

The numbers are those of a grid that put the most boundaries of the embedded corpus within 20 ms: `python -m
benchmarks.alignment --grid`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from asr.corpus.inventory import Unit
from asr.decoding.hypothesis import Hypothesis, Span, words_of

Frames = NDArray[np.float32]

SPREAD = 0.02
"""Seconds; a boundary moves so far for one unit of change more."""

WEIGHT = 1.0
QUIET = 9.0  # nats
_REACH = 6  # borders
_SHORTEST = 0.001  # seconds of a label


@dataclass(frozen=True, eq=False)
class Changes:
    """The change of a recording's spectrum at each border between two frames of its extractor.

    Attributes:
        values: (T + 1,) change, 1 on average; 0 at the two first and the two last.
        first: seconds at which the border before the first frame stands.
        step: seconds from one border to the next.
    """

    values: NDArray[np.float64]
    first: float
    step: float

    def best(self, times: NDArray[np.float64], spread: float = SPREAD, weight: float = WEIGHT) -> NDArray[np.float64]:
        """Return (N,) the most likely positions, in seconds, of boundaries near these times (N,)."""
        if len(self.values) < 3:
            return times
        nearest = np.round((times - self.first) / self.step).astype(np.int64)
        borders = nearest[:, None] + np.arange(-_REACH, _REACH + 1)  # (N, 2 reach + 1)
        inside = (borders > 0) & (borders < len(self.values) - 1)
        places = self.first + borders * self.step
        scores = weight * self.values[np.clip(borders, 0, len(self.values) - 1)]
        scores = np.where(inside, scores - ((places - times[:, None]) / spread) ** 2, -1e3)
        at = np.clip(scores.argmax(axis=1), 1, 2 * _REACH - 1)
        rows = np.arange(len(times))
        before, here, after = (scores[rows, at + shift] for shift in (-1, 0, 1))
        bend = before - 2 * here + after
        shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1.0), 0.0)
        return places[rows, at] + self.step * np.clip(shift, -0.5, 0.5)  # type: ignore[no-any-return]


def changes_of(blocks: Callable[[], Iterable[Frames]], bands: int, first: float, step: float) -> Changes:
    """Compute the changes of a recording.

    Args:
        blocks: gives its log filterbank frames (t, F), block by block; called twice.
        bands: how many of the F values are log energies of bands; they stand first.
        first, step: see `Changes`.
    """
    loudest = max(float(block[:, :bands].max()) for block in blocks())
    parts = list(_changes(np.maximum(block[:, :bands], loudest - QUIET) for block in blocks()))
    values = np.concatenate([[0.0, 0.0], *parts, [0.0, 0.0]])
    mean = float(values.mean())
    return Changes(values / mean if mean > 0 else values, first, step)


def _changes(blocks: Iterable[Frames]) -> Iterator[NDArray[np.float64]]:
    """Yield the change at each border that has two frames on both sides."""
    held: Frames | None = None
    for block in blocks:
        frames = block if held is None else np.concatenate([held, block])
        pairs = frames[:-1] + frames[1:]
        yield np.sqrt(np.mean(np.square(pairs[2:] - pairs[:-2], dtype=np.float64), axis=1)) / 2
        held = frames[-3:]


def sharpened(
    found: Hypothesis, changes: Changes, unit: Unit, spread: float = SPREAD, weight: float = WEIGHT
) -> Hypothesis:
    """Move the boundaries of an alignment to where the recording changes; spans stay in order, without overlap.

    Args:
        found: its times in seconds.
        changes: of the same recording.
        unit: of the inventory.
        spread, weight: of the rule.
    """
    if not found.spans:
        return found
    times = np.array([[span.start, span.end] for span in found.spans])  # (U, 2)
    moved = changes.best(times.reshape(-1), spread, weight).reshape(-1, 2)
    spans, before = [], 0.0
    for span, (start, end) in zip(found.spans, moved.tolist(), strict=True):
        start = max(start, before)
        before = max(end, start + _SHORTEST)
        spans.append(replace(span, start=start, end=before))
    words = words_of(spans, unit) if unit == "characters" else _moved(found.words, found.spans, spans)
    return replace(found, spans=tuple(spans), words=words)


def _moved(words: Sequence[Span], before: Sequence[Span], spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return words, each of several labels, where their labels have moved; no two labels begin at the same time."""
    number_at = {span.start: number for number, span in enumerate(before)}
    firsts = [number_at[word.start] for word in words]
    lasts = [*(first - 1 for first in firsts[1:]), len(spans) - 1]
    return tuple(
        replace(word, start=spans[first].start, end=spans[last].end)
        for word, first, last in zip(words, firsts, lasts, strict=False)
    )
