"""What training and recognition know of a feature: audio and ink give frames through the same few methods."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

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

    def read(self, utterance: Utterance) -> Tensor:
        """The signal of an utterance: audio (N,) float32, ink (N, C) float32.

        Raises:
            DataError: names the file and the remedy.
        """
        ...

    def compute(self, signal: Tensor) -> Tensor:
        """Frames of a signal: (T, F) float32 with T >= 1, all finite."""
        ...

    def at_speed(self, signal: Tensor, speed: float) -> Tensor:
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
class PointIndexed(Protocol):
    """An extractor whose frames do not stand at equal steps of the signal but know where they come from."""

    def signal_of(self, ink: Ink) -> Tensor:
        """An ink as `read` gives it."""
        ...

    def compute_placed(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """The frames of `compute`, and which place of the signal each of them came from: (T,) int64."""
        ...
