"""Times and confidences for the labels that a search found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asr.ctc.alignment import align
from asr.decoding.hypothesis import Span

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory


_MOST_CELLS = 4_000_000
"""Frames times labels up to which an utterance is aligned at once."""

_LABELS, _THROWN_AWAY = 400, 100
"""Labels of a piece of a longer one, and how many of them, at its end, are aligned anew with the next piece."""


def spans_of(
    labels: NDArray[np.int64],
    log_probs: NDArray[np.float32],
    inventory: Inventory,
    frame_seconds: float,
    offset: float,
    births: NDArray[np.int64] | None = None,
) -> tuple[Span, ...]:
    """Return the times of each label on the likeliest path of its labelling, with the highest posterior in its run.

    A long utterance is aligned piece by piece, in memory and time that grow with its length alone. A piece ends in the
    frame in which the search made the prefix that goes on behind it: at most a few labels come later.

    Args:
        labels: (U,) indices.
        log_probs: (T, L) of the utterance.
        inventory: names the labels.
        frame_seconds, offset: see `asr.decoding.search.Decoder`.
        births: (U,) the first frame in which the search looked at the labelling up to each label, rising; None: the
            utterance is aligned at once, however long it is.

    Raises:
        ValueError: no path has a probability above 0.
    """
    pieces: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    first, frame = 0, 0
    while True:
        stop, end, kept = len(labels), len(log_probs), len(labels)
        is_long = (stop - first) * (end - frame) > _MOST_CELLS and stop - first > _LABELS
        if births is not None and is_long:
            stop, kept = first + _LABELS, first + _LABELS - _THROWN_AWAY
            end = int(births[stop])
        found = align(log_probs[frame:end], labels[first:stop], inventory.blank)
        n = kept - first
        pieces.append((frame + found.start[:n], frame + found.end[:n], found.score[:n]))
        if kept == len(labels):
            break
        first, frame = kept, int(pieces[-1][1][-1])
    starts, ends, peaks = (np.concatenate(part) for part in zip(*pieces, strict=True))
    names = inventory.decode(labels.tolist())
    times = ((offset + at * frame_seconds).tolist() for at in (starts, ends))
    return tuple(Span(*row) for row in zip(names, *times, np.exp(peaks).tolist(), strict=True))
