"""The matrices of the mel spectrum and its cosine transform."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asr.errors import ConfigError

_LISTED = 8  # bands in a message
_SLANEY_KNEE = 1000.0  # hertz; Slaney's scale is linear below and logarithmic above
_SLANEY_LINEAR = 3 / 200  # mel per hertz
_SLANEY_STEP = math.log(6.4) / 27  # step of log frequency per mel


def mel_bands(
    n_mels: int,
    fft_size: int,
    rate: int,
    low_hz: float,
    high_hz: float,
    scale: str = "htk",
    triangles: str = "mel",
    area_norm: bool = False,
) -> NDArray[np.float32]:
    """Return triangular bands, equally spaced in mel; each reaches from the centre of one neighbour to the other's.

    Args:
        n_mels: number of bands.
        fft_size: number of samples of the FFT.
        rate: sampling rate in hertz.
        low_hz: start of the first band in hertz.
        high_hz: end of the last band in hertz.
        scale: mel scale, `htk` or `slaney`.
        triangles: whether the sides are straight lines over `mel` (HTK, Kaldi) or over `hertz` (librosa, torchaudio).
        area_norm: divide each band by half its width in hertz.

    Returns:
        (fft_size / 2 + 1, n_mels) float32, weights of the power spectrum.

    Raises:
        ConfigError: a band is so narrow that it contains no FFT bin.

    >>> mel_bands(40, 512, 16000, low_hz=20.0, high_hz=8000.0).shape
    (257, 40)
    """
    bins = np.arange(fft_size // 2 + 1, dtype=np.float64) * (rate / fft_size)  # hertz
    low, high = hertz_to_mel([low_hz, high_hz], scale)
    ends = np.linspace(low, high, n_mels + 2, dtype=np.float64)
    hertz = mel_to_hertz(ends, scale)
    over_mel = triangles == "mel"
    bands = _triangles(hertz_to_mel(bins, scale), ends) if over_mel else _triangles(bins, hertz)
    check_bands(bands, rate / fft_size)
    if area_norm:
        bands *= 2 / (hertz[2:] - hertz[:-2])
    return bands.astype(np.float32)


def _triangles(places: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (bins, n) weights; triangle i rises from ends[i] to 1 at ends[i + 1] and falls to ends[i + 2]."""
    rising = (places[:, None] - ends[:-2]) / (ends[1:-1] - ends[:-2])
    falling = (ends[2:] - places[:, None]) / (ends[2:] - ends[1:-1])
    return np.maximum(np.minimum(rising, falling), 0.0)


def check_bands(bands: NDArray[np.floating], width: float) -> None:
    """Raise a ConfigError if a band (a column) contains no FFT bin; `width` is the width of a bin in hertz."""
    empty = np.flatnonzero(bands.max(axis=0) == 0).tolist()
    if empty:
        listed = ", ".join(map(str, empty[:_LISTED])) + (", ..." if len(empty) > _LISTED else "")
        raise ConfigError(
            f"n_mels={bands.shape[1]}: the bands {listed} (from 0) are narrower than a bin of the FFT ({width:.1f} Hz);"
            " take fewer bands, a longer window or a wider range of hertz"
        )


def hertz_to_mel(hertz: ArrayLike, scale: str = "htk") -> NDArray[np.float64]:
    """Convert hertz to mel: `htk` 2595 log10(1 + f / 700) (HTK Book, eq. 5.13); `slaney` (Auditory Toolbox, 1998).

    >>> hertz_to_mel([0.0, 1000.0]).round(2).tolist()
    [0.0, 999.99]
    """
    hertz = np.asarray(hertz, dtype=np.float64)
    if scale == "htk":
        return 2595 * np.log10(1 + hertz / 700)
    above = _SLANEY_KNEE * _SLANEY_LINEAR + np.log(np.maximum(hertz, _SLANEY_KNEE) / _SLANEY_KNEE) / _SLANEY_STEP
    return np.where(hertz < _SLANEY_KNEE, hertz * _SLANEY_LINEAR, above)


def mel_to_hertz(mel: ArrayLike, scale: str = "htk") -> NDArray[np.float64]:
    """Convert mel to hertz, the inverse of `hertz_to_mel`."""
    mel = np.asarray(mel, dtype=np.float64)
    if scale == "htk":
        return 700 * (10 ** (mel / 2595) - 1)
    knee = _SLANEY_KNEE * _SLANEY_LINEAR
    above = _SLANEY_KNEE * np.exp(_SLANEY_STEP * np.maximum(mel - knee, 0.0))
    return np.where(mel < knee, mel / _SLANEY_LINEAR, above)


def cosine_transform(n_mels: int, n_mfcc: int) -> NDArray[np.float32]:
    """Return the matrix of the orthonormal DCT-II, (n_mels, n_mfcc), as in Kaldi, librosa and torchaudio."""
    angles = np.outer(np.arange(n_mels) + 0.5, np.arange(n_mfcc)) * (math.pi / n_mels)
    matrix = np.cos(angles) * math.sqrt(2 / n_mels)
    matrix[:, 0] /= math.sqrt(2)
    return matrix.astype(np.float32)


def lifter_weights(n_mfcc: int, lifter: float) -> NDArray[np.float32]:
    """Return the weights 1 + lifter / 2 * sin(pi * i / lifter), (n_mfcc,), i from 0 (HTK Book, chapter 5).

    With lifter 0 all weights are 1.
    """
    if lifter == 0:
        return np.ones(n_mfcc, dtype=np.float32)
    weights = 1 + lifter / 2 * np.sin(math.pi / lifter * np.arange(n_mfcc))
    return np.asarray(weights, dtype=np.float32)
