"""Mel filterbank energies and MFCC: one chain of steps whose settings reproduce HTK's, Kaldi's and librosa's.

signal -> windows -> offset removed -> (energy) -> pre-emphasis -> window function -> |FFT|^2 -> mel bands -> log
-> (cosine transform, lifter) -> (energy appended) -> (differences appended)
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from asr.audio.reading import audio_info, check_channel, read_audio, segment_frames
from asr.audio.resampling import change_speed
from asr.config import check_values, one_of, shown
from asr.corpus.utterance import Utterance
from asr.errors import DataError
from asr.features.sound.differences import with_differences
from asr.features.sound.framing import EDGES, Framing
from asr.features.sound.mel import cosine_transform, lifter_weights, mel_bands
from asr.plain_values import PlainFields

WINDOWS = ("hamming", "hann", "povey", "rectangular")
_LONGEST_WINDOW = 1 << 16  # samples
_CHUNK_FRAMES = 128  # windows at a time: they stay in the processor's cache, and an hour of sound needs no gigabytes


@dataclass
class SpectralConfig:
    """Settings of the spectral features; see `conf/features` for presets.

    Attributes:
        kind: `filterbank` or `mfcc`.
        rate: hertz; files of another rate are resampled.
        window_seconds: length of a window.
        shift_seconds: step from one frame to the next.
        window: `hamming`, `hann` (both periodic=False), `povey` (Kaldi's hann ** 0.85) or `rectangular`.
        edges: `inside`, `mirrored` or `centred`, see `Framing`.
        n_mels: mel bands.
        n_mfcc: cepstral coefficients, C0 included (kind `mfcc` only).
        low_hz: lower end of the lowest band.
        high_hz: upper end of the highest band; null for half the rate.
        triangles: `mel`: the bands' sides are straight lines over mel (HTK, Kaldi); `hertz`: over hertz (librosa,
            torchaudio).
        mel_scale: `htk` (2595 log10(1 + f / 700)); with triangles=hertz also `slaney` (linear below 1 kHz).
        area_norm: divide a band by its width in hertz (Slaney); with triangles=hertz only.
        energy: append the log energy of the window, taken before pre-emphasis and the window function.
        differences: 0, 1 (first) or 2 (first and second), over +-2 frames.
        preemphasis: x[n] - preemphasis * x[n - 1] within each window; 0 for none.
        remove_offset: subtract the mean of each window.
        scale: the signal, full scale 1, is multiplied by this; Kaldi works on 16-bit integers: 32768.
        log_floor: smaller powers are raised to this before the logarithm, so that digital silence gives log(log_floor).
            The rounding of 16-bit samples gives about 1e-8 in a band at scale 1.
        lifter: HTK's and Kaldi's sine lifter of the cepstra (22 there); 0 for none.
    """

    kind: str = "filterbank"
    rate: int = 16000
    window_seconds: float = 0.025
    shift_seconds: float = 0.010
    window: str = "hamming"
    edges: str = "inside"
    n_mels: int = 40
    n_mfcc: int = 13
    low_hz: float = 20.0
    high_hz: float | None = None
    triangles: str = "mel"
    mel_scale: str = "htk"
    area_norm: bool = False
    energy: bool = False
    differences: int = 0
    preemphasis: float = 0.97
    remove_offset: bool = True
    scale: float = 1.0
    log_floor: float = 1e-10
    lifter: float = 0.0
    _target_: str = "asr.features.sound.spectral.SpectralFeatures"


@dataclass(eq=False)
class SpectralFeatures(SpectralConfig):
    """Frames of audio; a `FrameExtractor`. Takes the fields of `SpectralConfig`.

    Raises:
        ConfigError: a field has no sensible value; says which and what was expected.
    """

    def __post_init__(self) -> None:
        _check(self)
        self.framing = Framing(
            round(self.window_seconds * self.rate), round(self.shift_seconds * self.rate), self.edges
        )
        self._fft_size = 1 << (self.framing.window - 1).bit_length()
        self._window = _window_function(self.window, self.framing.window)  # (W,)
        self._bands = mel_bands(  # (fft_size / 2 + 1, n_mels)
            self.n_mels, self._fft_size, self.rate, self.low_hz, self.high_hz or self.rate / 2,
            scale=self.mel_scale, triangles=self.triangles, area_norm=self.area_norm,
        )  # fmt: skip
        self._cepstra: Tensor | None = None
        if self.kind == "mfcc":  # (n_mels, n_mfcc)
            self._cepstra = cosine_transform(self.n_mels, self.n_mfcc) * lifter_weights(self.n_mfcc, self.lifter)

    @property
    def dim(self) -> int:
        """F, values per frame, differences included."""
        return self.blocks * ((self.n_mfcc if self.kind == "mfcc" else self.n_mels) + int(self.energy))

    @property
    def blocks(self) -> int:
        """1 + number of differences."""
        return 1 + self.differences

    @property
    def centres(self) -> NDArray[np.float64] | None:
        """(n_mels,) hertz of the bands' middles, weighted by the bands; None for cepstra."""
        if self.kind == "mfcc":
            return None
        bands = self._bands.double().numpy()
        bins = np.arange(len(bands)) * self.rate / self._fft_size
        return (bins @ bands) / bands.sum(axis=0)  # type: ignore[no-any-return]

    @property
    def frame_shift(self) -> float:
        """Seconds from one frame to the next."""
        return self.framing.shift / self.rate

    def check(self, utterance: Utterance) -> None:
        """Look at the file's header: is it there, is it audio, does it hold the segment?"""
        _check_kind(utterance)
        info = audio_info(utterance.source)
        check_channel(utterance.source, info, utterance.channel)
        segment_frames(utterance.source, info, *_segment(utterance))

    def read(self, utterance: Utterance) -> Tensor:
        """The utterance's samples (N,) float32 at `rate`, full scale 1."""
        _check_kind(utterance)
        start, duration = _segment(utterance)
        return torch.from_numpy(read_audio(utterance.source, start, duration, utterance.channel, self.rate))

    def at_speed(self, signal: Tensor, speed: float) -> Tensor:
        """The signal (N,) spoken `speed` times as fast: (round(N / speed),)."""
        return signal if speed == 1.0 else torch.from_numpy(change_speed(signal.numpy(), speed))

    def n_frames(self, n_samples: int) -> int:
        """T for a signal of n_samples."""
        return self.framing.n_frames(n_samples)

    def positions(self, n_frames: int) -> Tensor:
        """(T,) float64: seconds at which the frames' middles stand."""
        middle = self.framing.first + self.framing.window / 2
        return (torch.arange(n_frames, dtype=torch.float64) * self.framing.shift + middle) / self.rate

    def settings(self) -> PlainFields:
        """The fields of `SpectralConfig`."""
        return {field.name: getattr(self, field.name) for field in fields(SpectralConfig)}

    def compute(self, signal: Tensor) -> Tensor:
        """Frames of a signal.

        Args:
            signal: (N,) float32, N >= 1, full scale 1, at `rate`.

        Returns:
            (T, F) float32: [bands or cepstra, energy], then their first, then their second differences.

        Raises:
            DataError: the signal is empty.
        """
        if signal.ndim != 1:
            raise ValueError(f"a signal is (N,), got {tuple(signal.shape)}")
        windows = self.framing.windows(signal)
        chunks = [self._static(windows[i : i + _CHUNK_FRAMES]) for i in range(0, len(windows), _CHUNK_FRAMES)]
        return with_differences(torch.cat(chunks), self.differences)

    def _static(self, windows: Tensor) -> Tensor:
        """(n, W) samples to (n, F / blocks) frames."""
        x = windows * self.scale
        if self.remove_offset:
            x -= x.mean(dim=1, keepdim=True)
        energy = x.square().sum(dim=1, keepdim=True) if self.energy else None
        if self.preemphasis > 0:  # the first sample has itself before it (HTK, Kaldi)
            before = torch.cat([x[:, :1], x[:, :-1]], dim=1)
            x = torch.sub(x, before, alpha=self.preemphasis)
        x *= self._window
        spectrum = torch.fft.rfft(functional.pad(x, (0, self._fft_size - x.shape[1])))
        power = spectrum.real.square().addcmul_(spectrum.imag, spectrum.imag)  # much faster than abs() ** 2
        frames: Tensor = (power @ self._bands).clamp_(min=self.log_floor).log_()
        if self._cepstra is not None:
            frames = frames @ self._cepstra
        if energy is None:
            return frames
        return torch.cat([frames, energy.clamp_(min=self.log_floor).log_()], dim=1)


def _check_kind(utterance: Utterance) -> None:
    if utterance.kind != "audio":
        raise DataError(f"{utterance.source}: holds {utterance.kind}, these features read audio; choose other features")


def _segment(utterance: Utterance) -> tuple[float | None, float | None]:
    """Start and duration to read; without a start the whole file is meant, whose duration is only told, and rounded."""
    return (None, None) if utterance.start is None else (utterance.start, utterance.duration)


def _window_function(name: str, length: int) -> Tensor:
    if name == "rectangular":
        return torch.ones(length)
    if name == "hamming":
        return torch.hamming_window(length, periodic=False)
    hann = torch.hann_window(length, periodic=False)
    return hann**0.85 if name == "povey" else hann


def _check(config: SpectralConfig) -> None:
    """Raise a ConfigError that names every field without a sensible value."""
    check_values(vars(config), _names(config) | _of_windows(config) | _of_values(config))


def _names(config: SpectralConfig) -> dict[str, tuple[bool, str]]:
    hertz = config.triangles == "hertz"
    scales = ("htk", "slaney") if hertz else ("htk",)
    return {
        "kind": one_of(config.kind, ("filterbank", "mfcc")),
        "window": one_of(config.window, WINDOWS),
        "edges": one_of(config.edges, EDGES),
        "triangles": one_of(config.triangles, ("mel", "hertz")),
        "mel_scale": (config.mel_scale in scales, "htk, or slaney with triangles=hertz"),
        "area_norm": (hertz or not config.area_norm, "false, or triangles=hertz with it"),
    }


def _of_windows(config: SpectralConfig) -> dict[str, tuple[bool, str]]:
    """Conditions of the windows and bands; they bound what an utterance takes of memory, whoever wrote the options."""
    rate = min(max(config.rate, 1000), 1_000_000)
    most = min(1.0, _LONGEST_WINDOW / rate)  # seconds
    high = rate / 2 if config.high_hz is None else config.high_hz
    return {
        "rate": (rate == config.rate, "1000 to 1000000 hertz"),
        "window_seconds": (
            2 / rate <= config.window_seconds <= most, f"two samples to {most:.3g} seconds, such as 0.025"
        ),
        "shift_seconds": (
            max(1 / rate, 0.0005) <= config.shift_seconds <= 1, "0.0005 to 1 second, such as 0.010"
        ),
        "low_hz": (0 <= config.low_hz < high, f"from 0 to below high_hz ({high:g})"),
        "high_hz": (0 < high <= rate / 2, f"above 0, at most half the rate ({rate / 2:g}), or null"),
        "n_mels": (4 <= config.n_mels <= 1000, "4 to 1000"),
        "n_mfcc": (
            1 <= config.n_mfcc <= max(1, config.n_mels) or config.kind != "mfcc",
            f"1 to n_mels ({shown(config.n_mels)})",
        ),
        "differences": (config.differences in (0, 1, 2), "0, 1 or 2"),
    }  # fmt: skip


def _of_values(config: SpectralConfig) -> dict[str, tuple[bool, str]]:
    """Conditions of what is done to the values; within them no frame overflows float32."""
    return {
        "preemphasis": (0 <= config.preemphasis < 1, "0 to below 1"),
        "scale": (0 < config.scale <= 1e9, "above 0, at most 1e9"),
        "log_floor": (
            torch.finfo(torch.float32).tiny <= config.log_floor <= 1e9, "above 0, at most 1e9, such as 1e-10"
        ),
        "lifter": (0 <= config.lifter <= 1000, "0 to 1000"),
    }  # fmt: skip
