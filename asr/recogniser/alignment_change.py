"""Move the boundaries of an alignment to where the sound changes.

Labels and pauses begin and end at changes of the spectrum. An alignment is precise to about two frames of posteriors,
20 to 30 ms each, but the spectrum is computed every 10 ms. The change at a border between two frames is the root mean
square difference, over the bands of a filterbank, between the mean of the two log spectra after it and the mean of the
two before it, divided by its mean over the recording. A boundary moves to the time, up to 60 ms away, that maximises

    change(time) - ((time - boundary) / 0.02 s)^2

A parabola through the best border and its neighbours interpolates between borders. Bands more than 9 nats below the
loudest count as 9 nats below, so that changes of the noise in a pause do not matter.

These numbers put the most boundaries of the embedded corpus within 20 ms: `python -m benchmarks.alignment --grid`.
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
"""The distance, in seconds, that a boundary moves for one more unit of change."""

WEIGHT = 1.0
"""The factor of the change."""

QUIET = 9.0  # nats below the loudest band
_REACH = 6  # how many borders a boundary may move
_SHORTEST = 0.001  # the least duration of a label, in seconds


@dataclass(frozen=True, eq=False)
class Changes:
    """The change of a recording's spectrum at each border between two frames of its extractor.

    Attributes:
        values: (T + 1,) the change at each border, 1 on average; 0 at the first two and the last two.
        first: the time of the border before the first frame, in seconds.
        step: the time from one border to the next, in seconds.
    """

    values: NDArray[np.float64]
    first: float
    step: float

    def best(self, times: NDArray[np.float64], spread: float = SPREAD, weight: float = WEIGHT) -> NDArray[np.float64]:
        """Return (N,) the best time near each boundary (N,), in seconds, by the rule of this module."""
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
        blocks: returns the log filterbank frames (t, F), block by block; it is called twice.
        bands: how many of the F values, from the first, are log energies of bands.
        first: see `Changes`.
        step: see `Changes`.
    """
    loudest = max(float(block[:, :bands].max()) for block in blocks())
    parts = list(_changes(np.maximum(block[:, :bands], loudest - QUIET) for block in blocks()))
    values = np.concatenate([[0.0, 0.0], *parts, [0.0, 0.0]])
    mean = float(values.mean())
    return Changes(values / mean if mean > 0 else values, first, step)


def _changes(blocks: Iterable[Frames]) -> Iterator[NDArray[np.float64]]:
    """Yield (b,) the changes at borders with two frames on each side, for each block of frames."""
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
        found: the alignment, with times in seconds.
        changes: the changes of the same recording.
        unit: the unit of the inventory.
        spread: see `SPREAD`.
        weight: see `WEIGHT`.
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
    """Return words with the new times of their labels, of which no two begin at the same time.

    Args:
        words: the words, with their old times.
        before: the labels, with their old times.
        spans: the labels, with their new times.
    """
    number_at = {span.start: number for number, span in enumerate(before)}
    firsts = [number_at[word.start] for word in words]
    lasts = [*(first - 1 for first in firsts[1:]), len(spans) - 1]
    return tuple(
        replace(word, start=spans[first].start, end=spans[last].end)
        for word, first, last in zip(words, firsts, lasts, strict=False)
    )
