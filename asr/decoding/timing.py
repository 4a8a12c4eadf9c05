"""Times and confidences of the labels of a labelling that a search found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asr.ctc.alignment import align
from asr.decoding.hypothesis import Span

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory


def spans_of(
    labels: NDArray[np.int64],
    log_probs: NDArray[np.float32],
    inventory: Inventory,
    frame_seconds: float,
    offset: float,
) -> tuple[Span, ...]:
    """Return where each label stands on the likeliest path of its labelling, with the highest posterior in its run.

    Args:
        labels: (U,) indices.
        log_probs: (T, L) of the utterance.
        inventory: names the labels.
        frame_seconds, offset: see `asr.decoding.search.Decoder`.

    Raises:
        ValueError: no path has a probability above 0.
    """
    found = align(log_probs, labels, inventory.blank)
    starts, ends = offset + found.start * frame_seconds, offset + found.end * frame_seconds
    names = inventory.decode(labels.tolist())
    rows = zip(names, starts.tolist(), ends.tolist(), np.exp(found.score).tolist(), strict=True)
    return tuple(Span(*row) for row in rows)
