"""The interface that all decoders share: a search that takes posteriors chunk by chunk.

Decoding an utterance at once is the special case of one chunk, see `decode`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from asr.decoding.hypothesis import Hypothesis


class Search(Protocol):
    """A search through one utterance, from `Decoder.begin`."""

    def step(self, log_probs: NDArray[np.float32]) -> None:
        """Take the next frames; the cost grows with these frames alone.

        Args:
            log_probs: (T, L) natural logarithms, normalised over the labels, T >= 0.

        Raises:
            ValueError: another shape, or NaN.
        """
        ...

    @property
    def text(self) -> str:
        """The best text of the frames so far."""
        ...

    def end(self, n_best: int = 1) -> list[Hypothesis]:
        """Return the best hypotheses, best first: one to `n_best`, no two with the same labels and words."""
        ...


class Decoder(Protocol):
    """A search for the best labelling under posteriors; built from its configuration with `inventory=`."""

    def begin(self, frame_seconds: float, offset: float = 0.0) -> Search:
        """Begin with an utterance.

        Args:
            frame_seconds: distance of two frames of posteriors, in seconds or points.
            offset: where frame 0 begins, in the same unit.
        """
        ...


def writes_words(decoder: Decoder) -> bool:
    """Return whether a decoder writes words that labels only spell, such as those of a pronouncing dictionary.

    Such a decoder has an attribute `writes_words` that is true.
    """
    return bool(getattr(decoder, "writes_words", False))


def for_many(decoder: Decoder, utterances: int) -> Decoder:
    """Return the form of a decoder that is fastest for this number of utterances.

    A decoder may have a method of this name that returns it; any other decoder is returned as it is.
    """
    prepared: Decoder = getattr(decoder, "for_many", lambda _: decoder)(utterances)
    return prepared


def decode(
    decoder: Decoder,
    log_probs: NDArray[np.float32],
    lengths: NDArray[np.int64],
    frame_seconds: float,
    offset: float | Sequence[float] = 0.0,
    n_best: int = 1,
    threads: int = 1,
) -> list[list[Hypothesis]]:
    """Decode a batch.

    Args:
        decoder: gives a search for each utterance.
        log_probs: (B, T, L) float, normalised over labels; the padding may hold anything.
        lengths: (B,) integer frames, 0 <= lengths[b] <= T.
        frame_seconds: distance of two frames of `log_probs`, in seconds or points.
        offset: where frame 0 begins, in the same unit, for all or for each utterance.
        n_best: how many hypotheses of an utterance are wanted at most.
        threads: that decode at a time. Compiled loops run beside each other, the Python around them does not: with two
            threads, utterances of a few seconds are done no sooner, and words later.

    Returns:
        the hypotheses of each utterance, in the order of the batch, best first.

    Raises:
        ValueError: shapes that do not fit each other or the inventory, or NaN within an utterance.
    """
    _check(log_probs, lengths)
    offsets: NDArray[Any] = np.broadcast_to(np.asarray(offset, dtype=np.float64), lengths.shape)

    def one(number: int) -> list[Hypothesis]:
        search = decoder.begin(frame_seconds, float(offsets[number]))
        try:
            search.step(log_probs[number, : int(lengths[number])])
        except ValueError as error:
            raise ValueError(f"item {number} of the batch: {error}") from error
        return search.end(n_best)

    n_threads = min(threads, len(lengths))
    if n_threads <= 1:
        return [one(number) for number in range(len(lengths))]
    shares = [range(first, len(lengths), n_threads) for first in range(n_threads)]  # one a thread: handing over costs
    with ThreadPoolExecutor(n_threads) as pool:
        found = list(pool.map(lambda share: [one(number) for number in share], shares))
    return [found[number % n_threads][number // n_threads] for number in range(len(lengths))]


def _check(log_probs: NDArray[np.float32], lengths: NDArray[np.int64]) -> None:
    if log_probs.ndim != 3:
        raise ValueError(f"log_probs must be (B, T, L), got {log_probs.shape}")
    if lengths.shape != log_probs.shape[:1]:
        raise ValueError(f"lengths must be ({log_probs.shape[0]},), got {lengths.shape}")
    if len(lengths) and (lengths.min() < 0 or lengths.max() > log_probs.shape[1]):
        raise ValueError(f"lengths must lie in 0..{log_probs.shape[1]}, got {lengths.tolist()}")
