"""The interface of decoders: a search that reads the posteriors of an utterance chunk by chunk.

`decode` passes each utterance of a batch as one chunk.
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
        """Read the next frames; the cost depends on these frames only, not on earlier ones.

        Args:
            log_probs: (T, L) natural logarithms, normalised over the labels, T >= 0.

        Raises:
            ValueError: the shape is another one, or a value is NaN.
        """
        ...

    @property
    def text(self) -> str:
        """The best text of the frames so far."""
        ...

    def end(self, n_best: int = 1) -> list[Hypothesis]:
        """End the utterance, and return at least one and at most `n_best` hypotheses, best first.

        No two of them have the same labels and the same words.
        """
        ...


class Decoder(Protocol):
    """A method that finds the best labelling under posteriors; built from its configuration and `inventory=`."""

    def begin(self, frame_seconds: float, offset: float = 0.0) -> Search:
        """Begin a new utterance.

        Args:
            frame_seconds: the time from one frame of posteriors to the next, in seconds (audio) or points (ink).
            offset: where frame 0 begins, in the same unit.
        """
        ...


def writes_words(decoder: Decoder) -> bool:
    """Return whether the text of a decoder consists of words that labels only spell, as in a pronouncing dictionary.

    Such a decoder has a true attribute `writes_words`.
    """
    return bool(getattr(decoder, "writes_words", False))


def for_many(decoder: Decoder, utterances: int) -> Decoder:
    """Return the variant of a decoder that is fastest for this number of utterances.

    A decoder may have a method `for_many(utterances)` that returns the variant; other decoders are returned unchanged.
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
        decoder: the decoder.
        log_probs: (B, T, L) natural logarithms, normalised over labels; the padding may hold anything.
        lengths: (B,) integer frames, 0 <= lengths[b] <= T.
        frame_seconds: the time from one frame to the next, in seconds (audio) or points (ink).
        offset: where frame 0 begins, in the same unit; one number, or one for each utterance.
        n_best: the most hypotheses to return for an utterance.
        threads: how many threads decode. Only compiled loops run in parallel, the Python around them does not: two
            threads are no faster for utterances of a few seconds, and slower for single words.

    Returns:
        The hypotheses of each utterance, in the order of the batch, best first.

    Raises:
        ValueError: shapes do not fit each other or the inventory, or a value within an utterance is NaN.

    >>> from asr.corpus.inventory import Inventory
    >>> from asr.decoding.greedy import GreedyDecoder
    >>> decoder = GreedyDecoder(Inventory(("<blank>", "a", "b"), unit="labels"))
    >>> posteriors = np.array([[[0.1, 0.8, 0.1], [0.9, 0.05, 0.05], [0.2, 0.1, 0.7]]])  # one utterance of three frames
    >>> [[best]] = decode(decoder, np.log(posteriors), lengths=np.array([3]), frame_seconds=0.02)
    >>> best.labels
    ('a', 'b')
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
    shares = [range(first, len(lengths), n_threads) for first in range(n_threads)]  # one per thread: tasks cost time
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
