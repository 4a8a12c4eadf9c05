"""The settings of the spectral features, and their checks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.config import check_values, one_of, shown
from asr.features.sound.framing import EDGES

WINDOWS = ("hamming", "hann", "povey", "rectangular")
BACKENDS = ("numpy", "torchaudio")
_LONGEST_WINDOW = 1 << 16  # samples


@dataclass
class SpectralConfig:
    """Settings of the spectral features; see `conf/features` for presets.

    Attributes:
        kind: `filterbank` or `mfcc`.
        rate: sampling rate in hertz; files of another rate are resampled.
        window_seconds: length of a window.
        shift_seconds: step from one frame to the next.
        window: `hamming`, `hann` (both periodic=False), `povey` (Kaldi's hann ** 0.85) or `rectangular`.
        edges: `inside`, `mirrored` or `centred`, see `Framing`.
        n_mels: number of mel bands.
        n_mfcc: number of cepstral coefficients, C0 included (kind `mfcc` only).
        low_hz: lower end of the lowest band.
        high_hz: upper end of the highest band; null for half the rate.
        triangles: whether the bands' sides are straight lines over `mel` (HTK, Kaldi) or over `hertz` (librosa,
            torchaudio).
        mel_scale: `htk` (2595 log10(1 + f / 700)); with triangles=hertz also `slaney` (linear below 1 kHz).
        area_norm: divide each band by half its width in hertz (Slaney); with triangles=hertz only.
        energy: append the log energy of the window, taken before pre-emphasis and the window function.
        differences: 0, 1 (first) or 2 (first and second), over +-2 frames.
        preemphasis: coefficient of the filter x[n] - preemphasis * x[n - 1] within each window; 0 for none.
        remove_offset: subtract the mean of each window.
        scale: factor for the signal, whose full scale is 1; Kaldi's features need 32768 (16-bit integers).
        log_floor: smallest power; smaller ones are raised to it before the logarithm, so that digital silence gives
            log(log_floor). The rounding of 16-bit samples gives about 1e-8 in a band at scale 1.
        lifter: sine lifter of the cepstra, as in HTK and Kaldi (22 there); 0 for none.
        backend: `numpy`, or `torchaudio`, which gives the same frames (to 1e-5 of their range) and computes many
            recordings at once on a GPU (`SpectralFeatures.compute_batch`).
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
    backend: str = "numpy"
    _target_: str = "asr.features.sound.spectral.SpectralFeatures"


def check_spectral(config: SpectralConfig) -> None:
    """Raise a ConfigError that names every field out of its range."""
    check_values(vars(config), _names(config) | _of_windows(config) | _of_values(config))


def _names(config: SpectralConfig) -> dict[str, tuple[bool, str]]:
    hertz = config.triangles == "hertz"
    scales = ("htk", "slaney") if hertz else ("htk",)
    return {
        "backend": one_of(config.backend, BACKENDS),
        "kind": one_of(config.kind, ("filterbank", "mfcc")),
        "window": one_of(config.window, WINDOWS),
        "edges": one_of(config.edges, EDGES),
        "triangles": one_of(config.triangles, ("mel", "hertz")),
        "mel_scale": (config.mel_scale in scales, "htk, or slaney with triangles=hertz"),
        "area_norm": (hertz or not config.area_norm, "false, or triangles=hertz with it"),
    }


def _of_windows(config: SpectralConfig) -> dict[str, tuple[bool, str]]:
    """Return the conditions of windows and bands, which also limit the memory that an utterance needs."""
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
    """Return the conditions of the other values, which also keep every frame within float32."""
    return {
        "preemphasis": (0 <= config.preemphasis < 1, "0 to below 1"),
        "scale": (0 < config.scale <= 1e9, "above 0, at most 1e9"),
        "log_floor": (
            float(np.finfo(np.float32).tiny) <= config.log_floor <= 1e9, "above 0, at most 1e9, such as 1e-10"
        ),
        "lifter": (0 <= config.lifter <= 1000, "0 to 1000"),
    }  # fmt: skip
