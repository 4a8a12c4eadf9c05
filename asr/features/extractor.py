"""The interface of feature extractors, the same for audio and ink."""

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
    """An extractor that turns the source of an utterance into frames.

    A class of your own needs these properties and methods, and nothing else.
    """

    @property
    def dim(self) -> int:
        """Number of values per frame, F, differences included."""
        ...

    @property
    def blocks(self) -> int:
        """Number of blocks of a frame that describe the same bands: 1 + number of differences."""
        ...

    @property
    def centres(self) -> NDArray[np.float64] | None:
        """Centres in hertz of the first values of each block, increasing; None if these are not frequency bands."""
        ...

    @property
    def frame_shift(self) -> float:
        """Step from one frame to the next in seconds; 1 if the steps are unequal, see `PointIndexed`."""
        ...

    def check(self, utterance: Utterance) -> None:
        """Check the header of the source, without reading its content.

        Raises:
            DataError: `read` would certainly fail.
        """
        ...

    def read(self, utterance: Utterance) -> NDArray[np.float32]:
        """Read the signal of an utterance: audio (N,) float32, ink (N, C) float32.

        Raises:
            DataError: the source cannot be read.
        """
        ...

    def compute(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute the frames of a signal: (T, F) float32 with T >= 1, all finite."""
        ...

    def at_speed(self, signal: NDArray[np.float32], speed: float) -> NDArray[np.float32]:
        """Return the signal as if it were spoken or written `speed` times as fast."""
        ...

    def settings(self) -> PlainFields:
        """Return all settings that the frames depend on as plain JSON; the name of a cache is a hash over them."""
        ...


@runtime_checkable
class Sampled(Protocol):
    """An extractor whose signal is sound at a fixed rate, so that it also accepts sound that is not in a file."""

    @property
    def rate(self) -> int:
        """Sampling rate in hertz of the signal that `compute` takes."""
        ...


@runtime_checkable
class Streaming(Protocol):
    """An extractor that computes frames while the signal is still being read or recorded.

    If it is also `Sampled`, recognition passes sound in blocks and does not call `read` and `compute`.
    """

    def compute_blocks(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Compute the frames of a signal that arrives in blocks; the memory needed does not grow with its length.

        Args:
            blocks: consecutive samples (n,) each, n >= 0.

        Yields:
            (t, F) float32, t >= 1; joined, they equal `compute` of the joined blocks except for rounding.

        Raises:
            DataError: all blocks are empty.
        """
        ...


@runtime_checkable
class PointIndexed(Protocol):
    """An extractor whose frames are at unequal steps of the signal; it reports the position of each frame."""

    def signal_of(self, ink: Ink) -> NDArray[np.float32]:
        """Convert an ink to the signal that `read` would give."""
        ...

    def compute_placed(self, signal: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Compute the frames, and for each frame its index in the signal, (T,) int64."""
        ...
