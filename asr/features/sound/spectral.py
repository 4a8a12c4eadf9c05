"""Compute mel filterbank energies and MFCC; the settings can reproduce those of HTK, Kaldi and librosa.

signal -> windows -> offset removed -> (energy) -> pre-emphasis -> window function -> |FFT|^2 -> mel bands -> log
-> (cosine transform, lifter) -> (energy appended) -> (differences appended)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from asr.audio.reading import audio_info, check_channel, read_audio, segment_frames
from asr.audio.resampling import change_speed
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError
from asr.extras import require
from asr.features.sound.differences import differences_of_blocks, with_differences
from asr.features.sound.framing import Framing
from asr.features.sound.options import SpectralConfig, check_spectral
from asr.features.sound.window_steps import WindowSteps
from asr.plain_values import PlainFields

if TYPE_CHECKING:
    from asr.features.sound.torchaudio_backend import TorchaudioSteps

__all__ = ["SpectralConfig", "SpectralFeatures"]


class Backend(Protocol):
    """A computation of frames from samples, in numpy or in torch."""

    def frames(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute the frames (T, F) of `Framing.padded` samples, without differences."""
        ...


@dataclass(eq=False)
class SpectralFeatures(SpectralConfig):
    """The extractor of spectral features of sound; a `FrameExtractor`. Takes the fields of `SpectralConfig`.

    Raises:
        ConfigError: a field is out of its range, or the backend is not installed.

    >>> features = SpectralFeatures(n_mels=40, differences=2)
    >>> features.compute(np.zeros(16000, dtype=np.float32)).shape
    (98, 120)
    """

    def __post_init__(self) -> None:
        check_spectral(self)
        self.framing = Framing(
            round(self.window_seconds * self.rate), round(self.shift_seconds * self.rate), self.edges
        )
        self._steps = WindowSteps(self, self.framing)
        self._backend: Backend = self._steps
        if self.backend == "torchaudio":
            self._backend = _torchaudio_steps(self, self.framing, "cpu")

    @property
    def dim(self) -> int:
        """Number of values per frame, F, differences included."""
        return self.blocks * ((self.n_mfcc if self.kind == "mfcc" else self.n_mels) + int(self.energy))

    @property
    def blocks(self) -> int:
        """Number of blocks of a frame: 1 + number of differences."""
        return 1 + self.differences

    @property
    def centres(self) -> NDArray[np.float64] | None:
        """Centres of the bands in hertz, (n_mels,), weighted by the bands; None for cepstra."""
        if self.kind == "mfcc":
            return None
        bands = self._steps.bands.astype(np.float64)
        bins = np.arange(len(bands)) * self.rate / self._steps.fft_size
        return (bins @ bands) / bands.sum(axis=0)  # type: ignore[no-any-return]

    @property
    def frame_shift(self) -> float:
        """Seconds from one frame to the next."""
        return self.framing.shift / self.rate

    def check(self, utterance: Utterance) -> None:
        """Check from the header alone that the file exists, is audio and contains the segment.

        Raises:
            DataError: it does not.
        """
        _check_kind(utterance)
        info = audio_info(utterance.source)
        check_channel(utterance.source, info, utterance.channel)
        segment_frames(utterance.source, info, *_segment(utterance))

    def read(self, utterance: Utterance) -> NDArray[np.float32]:
        """Read the utterance's samples, (N,) float32 at `rate`, full scale 1.

        Raises:
            DataError: the file cannot be read; see `read_audio`.
        """
        _check_kind(utterance)
        start, duration = _segment(utterance)
        return read_audio(utterance.source, start, duration, utterance.channel, self.rate)

    def at_speed(self, signal: NDArray[np.float32], speed: float) -> NDArray[np.float32]:
        """Return the signal (N,) at another speed, (round(N / speed),)."""
        return signal if speed == 1.0 else change_speed(signal, speed)

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames, T, of a signal of `n_samples`."""
        return self.framing.n_frames(n_samples)

    def positions(self, n_frames: int) -> NDArray[np.float64]:
        """Return the times of the frames' centres in seconds, (T,)."""
        middle = self.framing.first + self.framing.window / 2
        return (np.arange(n_frames) * self.framing.shift + middle) / self.rate

    def settings(self) -> PlainFields:
        """Return the fields of `SpectralConfig`."""
        return {field.name: getattr(self, field.name) for field in fields(SpectralConfig)}

    def compute(self, signal: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute the frames of a signal.

        Args:
            signal: (N,) float32, N >= 1, full scale 1, at `rate`.

        Returns:
            (T, F) float32: [bands or cepstra, energy], then their first, then their second differences.

        Raises:
            DataError: the signal is empty.
        """
        _check_signal(signal)
        return with_differences(self._backend.frames(self.framing.padded(signal)), self.differences)

    def compute_blocks(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Compute the frames of a signal that arrives in blocks; the memory needed does not depend on its length.

        Args:
            blocks: consecutive samples (n,) float32 each, n >= 0.

        Yields:
            (t, F) float32, t >= 1; joined, they equal `compute` of the whole signal except for rounding. A frame is
            yielded as soon as all samples that it depends on have arrived.

        Raises:
            DataError: the signal is empty.
        """
        stretches = self.framing.padded_blocks(_checked(blocks))
        return differences_of_blocks(map(self._backend.frames, stretches), self.differences)

    def compute_batch(self, signals: Sequence[NDArray[np.float32]], device: str = "cpu") -> list[NDArray[np.float32]]:
        """Compute the frames of several signals; the backend torchaudio computes them at once.

        Args:
            signals: (N,) float32 each, N >= 1; any lengths.
            device: device of torch, such as `cuda`; the backend numpy supports `cpu` only.

        Returns:
            The frames (T, F) of each signal, the same as `compute` gives; signals do not influence each other.

        Raises:
            ConfigError: the device needs the backend torchaudio, or torch does not have it.
            DataError: a signal is empty.
        """
        for signal in signals:
            _check_signal(signal)
        if self.backend == "torchaudio":
            return _torchaudio_steps(self, self.framing, device).compute_batch(signals)
        if device != "cpu":
            raise ConfigError(f"device={device}: backend=numpy computes on the cpu; choose features.backend=torchaudio")
        return [self.compute(signal) for signal in signals]


def _check_kind(utterance: Utterance) -> None:
    if utterance.kind != "audio":
        raise DataError(f"{utterance.source}: holds {utterance.kind}; these features read audio; choose other features")


def _segment(utterance: Utterance) -> tuple[float | None, float | None]:
    """Return start and duration to read; without a start it is the whole file, whose stated duration is rounded."""
    return (None, None) if utterance.start is None else (utterance.start, utterance.duration)


def _torchaudio_steps(config: SpectralConfig, framing: Framing, device: str) -> TorchaudioSteps:
    require("torch", "torchaudio", what="features.backend=torchaudio")
    from asr.features.sound.torchaudio_backend import TorchaudioSteps  # here, because recognising needs no torch

    return TorchaudioSteps(config, framing, device)


def _check_signal(signal: NDArray[np.float32]) -> None:
    if signal.ndim != 1:
        raise ValueError(f"a signal is (N,), got {signal.shape}")


def _checked(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        _check_signal(block)
        yield block
