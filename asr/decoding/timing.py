"""Compute times and confidences of the labels that a search found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asr.ctc.alignment import align
from asr.decoding.hypothesis import Span

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory


_MOST_CELLS = 4_000_000
"""The most cells (frames times labels) of an utterance that is aligned in one piece."""

_LABELS, _THROWN_AWAY = 400, 100
"""The labels in a piece of a longer utterance, and how many at its end are aligned again with the next piece."""


def spans_of(
    labels: NDArray[np.int64],
    log_probs: NDArray[np.float32],
    inventory: Inventory,
    frame_seconds: float,
    offset: float,
    births: NDArray[np.int64] | None = None,
) -> tuple[Span, ...]:
    """Return the time of each label on the likeliest path of a labelling; the confidence is the peak posterior.

    A long utterance is aligned in pieces of a few hundred labels, so that memory and time are linear in its length. A
    piece ends in the frame in which the search first extended the labelling beyond the piece.

    Args:
        labels: (U,) indices of labels.
        log_probs: (T, L) the log posteriors of the utterance.
        inventory: the labels.
        frame_seconds: the time from one frame to the next.
        offset: where frame 0 begins.
        births: (U,) rising, the first frame in which the search held the labelling up to each label; None: align in one
            piece, whatever the length.

    Raises:
        ValueError: no path has a probability above 0.

    >>> from asr.corpus.inventory import Inventory
    >>> log_probs = np.log(np.array([[0.1, 0.9], [0.9, 0.1], [0.2, 0.8]], dtype=np.float32))
    >>> spans = spans_of(np.array([1, 1]), log_probs, Inventory(("<blank>", "a"), unit="labels"), 0.02, offset=1.0)
    >>> [(span.label, span.start, round(span.end, 2), round(span.confidence, 2)) for span in spans]
    [('a', 1.0, 1.02, 0.9), ('a', 1.04, 1.06, 0.8)]
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
