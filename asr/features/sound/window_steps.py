"""From windows of samples to frames, without differences: the steps that `SpectralFeatures` names, in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.features.sound.mel import cosine_transform, lifter_weights, mel_bands
from asr.features.sound.options import SpectralConfig

_CHUNK = 64  # windows at a time, so that all that is made of them stays in a core's cache


def window_function(name: str, length: int) -> NDArray[np.float32]:
    """(length,) weights of the samples of a window, length >= 2: one of `options.WINDOWS`."""
    if name == "rectangular":
        return np.ones(length, dtype=np.float32)
    angles = 2 * np.pi / (length - 1) * np.arange(length)
    if name == "hamming":
        return np.asarray(0.54 - 0.46 * np.cos(angles), dtype=np.float32)
    hann = 0.5 - 0.5 * np.cos(angles)
    return np.asarray(hann**0.85 if name == "povey" else hann, dtype=np.float32)


class WindowSteps:
    """Computes frames from windows; holds the matrices and nothing that changes, so that threads may share it.

    Args:
        config: which steps.
        window: samples in a window, W.

    Raises:
        ConfigError: a band is so narrow that no FFT bin lies in it.
    """

    def __init__(self, config: SpectralConfig, window: int) -> None:
        self.config = config
        self.fft_size = 1 << (window - 1).bit_length()
        self.window = window_function(config.window, window)
        self.bands = mel_bands(  # (fft_size / 2 + 1, n_mels)
            config.n_mels, self.fft_size, config.rate, config.low_hz, config.high_hz or config.rate / 2,
            scale=config.mel_scale, triangles=config.triangles, area_norm=config.area_norm,
        )  # fmt: skip
        self.cepstra: NDArray[np.float32] | None = None  # (n_mels, n_mfcc)
        if config.kind == "mfcc":
            self.cepstra = cosine_transform(config.n_mels, config.n_mfcc) * lifter_weights(config.n_mfcc, config.lifter)

    def frames(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(T, W) samples to (T, F) frames: bands or cepstra, and the energy if it is asked for."""
        n_values = self.bands.shape[1] if self.cepstra is None else self.cepstra.shape[1]
        out = np.empty((len(windows), n_values + int(self.config.energy)), dtype=np.float32)
        work = _Work.of(min(len(windows), _CHUNK), len(self.window), self.fft_size)
        for begin in range(0, len(windows), _CHUNK):
            chunk = windows[begin : begin + _CHUNK]
            self._fill(out[begin : begin + _CHUNK], chunk, work.first(len(chunk)))
        return out

    def _fill(self, out: NDArray[np.float32], windows: NDArray[np.float32], work: _Work) -> None:
        energy = self._prepare(windows, work)
        power = _power(work)
        values = _floored_log(power @ self.bands, self.config.log_floor)
        if self.cepstra is not None:
            values = values @ self.cepstra
        out[:, : values.shape[1]] = values
        if energy is not None:
            out[:, -1] = _floored_log(energy, self.config.log_floor)

    def _prepare(self, windows: NDArray[np.float32], work: _Work) -> NDArray[np.float32] | None:
        """Fill `work.padded` with what the FFT is taken of; return the energies (n,) if they are asked for."""
        config, x = self.config, work.samples
        np.multiply(windows, np.float32(config.scale), out=x)
        if config.remove_offset:
            x -= x.mean(axis=1, keepdims=True)
        energy = np.einsum("nw,nw->n", x, x) if config.energy else None
        if config.preemphasis > 0:  # the first sample has itself before it (HTK, Kaldi)
            before = np.multiply(x, np.float32(config.preemphasis), out=work.before)
            x[:, 1:] -= before[:, :-1]
            x[:, 0] -= before[:, 0]
        np.multiply(x, self.window, out=work.padded[:, : len(self.window)])
        return energy


@dataclass(frozen=True, eq=False)
class _Work:
    """Arrays that the chunks of one call share: fresh memory for each would cost more than the arithmetic.

    Attributes:
        samples: (n, W).
        before: (n, W).
        padded: (n, fft_size), zeros from W on.
        power: (n, fft_size / 2 + 1).
        imaginary: like `power`.
    """

    samples: NDArray[np.float32]
    before: NDArray[np.float32]
    padded: NDArray[np.float32]
    power: NDArray[np.float32]
    imaginary: NDArray[np.float32]

    @classmethod
    def of(cls, n: int, window: int, fft_size: int) -> _Work:
        """Make arrays for up to n windows."""
        n_bins = fft_size // 2 + 1
        sizes = ((n, window), (n, window), (n, fft_size), (n, n_bins), (n, n_bins))
        return cls(*(np.zeros(size, dtype=np.float32) for size in sizes))

    def first(self, n: int) -> _Work:
        """Return the same arrays for n windows."""
        if n == len(self.samples):
            return self
        return _Work(self.samples[:n], self.before[:n], self.padded[:n], self.power[:n], self.imaginary[:n])


def _power(work: _Work) -> NDArray[np.float32]:
    """(n, fft_size / 2 + 1) squared magnitudes; np.fft computes in float32, and in float64 before numpy 2."""
    spectrum = np.fft.rfft(work.padded)
    np.square(spectrum.real, out=work.power)
    np.square(spectrum.imag, out=work.imaginary)
    return np.add(work.power, work.imaginary, out=work.power)


def _floored_log(values: NDArray[np.float32], floor: float) -> NDArray[np.float32]:
    np.maximum(values, np.float32(floor), out=values)
    return np.log(values, out=values)
