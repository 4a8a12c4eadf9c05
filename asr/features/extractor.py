"""What training and recognition know of a feature: audio and ink give frames through the same few methods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from asr.corpus.utterance import Utterance
from asr.ink import Ink
from asr.plain_values import PlainFields


@runtime_checkable
class FrameExtractor(Protocol):
    """Turns the source of an utterance into frames.

    A class of your own needs these names and nothing else; a test runs each promise over every extractor.
    """

    @property
    def dim(self) -> int:
        """F, values per frame, differences included."""
        ...

    @property
    def blocks(self) -> int:
        """Blocks of F / blocks values that describe the same bands: 1 + number of differences."""
        ...

    @property
    def centres(self) -> NDArray[np.float64] | None:
        """Hertz at which the first values of each block stand, rising; None where they are no bands of frequency."""
        ...

    @property
    def frame_shift(self) -> float:
        """Step from one frame to the next: seconds; 1 where frames stand at unequal steps, see `PointIndexed`."""
        ...

    def check(self, utterance: Utterance) -> None:
        """Look at the header of the source only.

        Raises:
            DataError: it can be seen already that `read` would fail.
        """
        ...

    def read(self, utterance: Utterance) -> NDArray[np.float32]:
        """The signal of an utterance: audio (N,) float32, ink (N, C) float32.

        Raises:
            DataError: names the file and the remedy.
        """
        ...

    def compute(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Frames of a signal: (T, F) float32 with T >= 1, all finite."""
        ...

    def at_speed(self, signal: NDArray[np.float32], speed: float) -> NDArray[np.float32]:
        """The signal produced `speed` times as fast."""
        ...

    def settings(self) -> PlainFields:
        """All that the frames depend on besides the source, as plain JSON; the cache's name is a hash over it."""
        ...


@runtime_checkable
class Sampled(Protocol):
    """An extractor whose signal is sound at one rate; only such a one takes sound that is no file."""

    @property
    def rate(self) -> int:
        """Hertz of the signal that `compute` takes."""
        ...


@runtime_checkable
class Streaming(Protocol):
    """An extractor that needs not have the whole signal: frames come while it is still being read or recorded.

    One that is `Sampled`, too, is given sound in blocks by recognition, and its `read` and `compute` are not called.
    """

    def compute_blocks(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Frames of a signal that comes in blocks, in memory that does not grow with its length.

        Args:
            blocks: consecutive samples (n,) each, n >= 0.

        Yields:
            (t, F) float32, t >= 1; joined, they are `compute` of the joined blocks, but for rounding.

        Raises:
            DataError: there is no sample in any block.
        """
        ...


@runtime_checkable
class PointIndexed(Protocol):
    """An extractor whose frames do not stand at equal steps of the signal but know where they come from."""

    def signal_of(self, ink: Ink) -> NDArray[np.float32]:
        """An ink as `read` gives it."""
        ...

    def compute_placed(self, signal: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The frames of `compute`, and which place of the signal each of them came from: (T,) int64."""
        ...
