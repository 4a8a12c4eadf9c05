"""From samples to frames, without differences: the steps that `SpectralFeatures` names, in numpy."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from asr.blas import one_thread
from asr.features.sound.framing import Framing
from asr.features.sound.mel import cosine_transform, lifter_weights, mel_bands
from asr.features.sound.options import SpectralConfig

_CHUNK = 1 << 17  # samples of the FFT at a time: few enough for a core's cache, enough that calls of numpy cost little
_FFT_TAKES_OUT = int(np.__version__.partition(".")[0]) >= 2
_kept = threading.local()


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
    """Computes frames from samples; holds the matrices and nothing that changes, so that threads may share it.

    Args:
        config: which steps.
        framing: which windows.

    Raises:
        ConfigError: a band is so narrow that no FFT bin lies in it.
    """

    def __init__(self, config: SpectralConfig, framing: Framing) -> None:
        self.config, self.framing = config, framing
        self.fft_size = 1 << (framing.window - 1).bit_length()
        self.window = window_function(config.window, framing.window)
        self._average = np.full(framing.window, 1 / framing.window, dtype=np.float32)
        self.bands = mel_bands(  # (fft_size / 2 + 1, n_mels)
            config.n_mels, self.fft_size, config.rate, config.low_hz, config.high_hz or config.rate / 2,
            scale=config.mel_scale, triangles=config.triangles, area_norm=config.area_norm,
        )  # fmt: skip
        self._band_blocks = _blocks(self.bands)
        self.cepstra: NDArray[np.float32] | None = None  # (n_mels, n_mfcc)
        if config.kind == "mfcc":
            self.cepstra = cosine_transform(config.n_mels, config.n_mfcc) * lifter_weights(config.n_mfcc, config.lifter)

    def frames(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute the frames (T, F) of `Framing.padded` samples: bands or cepstra, and the energy if there is one."""
        window, shift = self.framing.window, self.framing.shift
        n_frames = 1 + (len(samples) - window) // shift
        n_values = self.bands.shape[1] if self.cepstra is None else self.cepstra.shape[1]
        out = np.empty((n_frames, n_values + int(self.config.energy)), dtype=np.float32)
        work = _work(window, self.fft_size)
        with one_thread():
            for begin in range(0, n_frames, len(work.windows)):
                end = min(begin + len(work.windows), n_frames)
                chunk = samples[begin * shift : (end - 1) * shift + window]
                self._fill(out[begin:end], chunk, work.first(end - begin))
        return out

    def _fill(self, out: NDArray[np.float32], samples: NDArray[np.float32], work: _Work) -> None:
        energy = self._prepare(samples, work)
        values = _floored_log(self._in_bands(_power(work)), self.config.log_floor)
        if self.cepstra is not None:
            values = values @ self.cepstra
        out[:, : values.shape[1]] = values
        if energy is not None:
            out[:, -1] = _floored_log(energy, self.config.log_floor)

    def _in_bands(self, power: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, fft_size / 2 + 1) to (n, n_mels): `power @ self.bands`."""
        out = np.empty((len(power), self.bands.shape[1]), dtype=np.float32)
        for bins, columns, weights in self._band_blocks:
            out[:, columns] = power[:, bins] @ weights
        return out

    def _prepare(self, samples: NDArray[np.float32], work: _Work) -> NDArray[np.float32] | None:
        """Fill `work.padded` with what the FFT is taken of; return the energies (n,) if they are asked for."""
        config, x = self.config, work.windows
        np.copyto(x, sliding_window_view(samples * np.float32(config.scale), x.shape[1])[:: self.framing.shift])
        if config.remove_offset:
            x -= x[:, :1].copy()  # first, so that a constant signal becomes exactly silent and little is left to round
            x -= (x @ self._average)[:, None]
        energy = np.einsum("nw,nw->n", x, x) if config.energy else None
        if config.preemphasis > 0:
            _emphasise(x, np.float32(config.preemphasis), work.before)
        x *= self.window
        work.padded[:, : x.shape[1]] = x
        return energy


def _blocks(bands: NDArray[np.float32]) -> list[tuple[slice, slice, NDArray[np.float32]]]:
    """Cut the bands into a lower and an upper half, each with the bins (rows) that it needs: half the products."""
    n = bands.shape[1]
    blocks = []
    for columns in (slice(0, n // 2), slice(n // 2, n)):
        rows = np.flatnonzero(bands[:, columns].any(axis=1))
        bins = slice(int(rows[0]), int(rows[-1]) + 1)
        blocks.append((bins, columns, np.ascontiguousarray(bands[bins, columns])))
    return blocks


def _emphasise(x: NDArray[np.float32], share: np.float32, before: NDArray[np.float32]) -> None:
    """Subtract a share of the sample before in each window (n, W); the first has itself before it (HTK, Kaldi)."""
    first = x[:, 0] * (1 - share)
    np.multiply(x, share, out=before)
    x.reshape(-1)[1:] -= before.reshape(-1)[:-1]  # as one row, across windows: much faster than row by row
    x[:, 0] = first


@dataclass(frozen=True, eq=False)
class _Work:
    """Arrays for a chunk of n windows.

    Attributes:
        windows: (n, W).
        before: (n, W).
        padded: (n, fft_size), zeros from W on; float64, as np.fft copies what is not.
        spectrum: (n, fft_size / 2 + 1).
        power: (n, fft_size / 2 + 1).
        imaginary: (n, fft_size / 2 + 1).
    """

    windows: NDArray[np.float32]
    before: NDArray[np.float32]
    padded: NDArray[np.float64]
    spectrum: NDArray[np.complex128]
    power: NDArray[np.float32]
    imaginary: NDArray[np.float32]

    @classmethod
    def of(cls, window: int, fft_size: int) -> _Work:
        """Make arrays for the windows of a chunk."""
        n = max(1, _CHUNK // fft_size)
        bins = (n, fft_size // 2 + 1)
        return cls(
            windows=np.empty((n, window), dtype=np.float32),
            before=np.empty((n, window), dtype=np.float32),
            padded=np.zeros((n, fft_size)),
            spectrum=np.empty(bins, dtype=np.complex128),
            power=np.empty(bins, dtype=np.float32),
            imaginary=np.empty(bins, dtype=np.float32),
        )

    def first(self, n: int) -> _Work:
        """Return the same arrays for n windows at most."""
        return _Work(**{name: array[:n] for name, array in vars(self).items()})


def _work(window: int, fft_size: int) -> _Work:
    """Return arrays that no other thread has; they are kept, as fresh memory would cost as much as the arithmetic."""
    work: _Work | None = getattr(_kept, "work", None)
    if work is None or (work.windows.shape[1], work.padded.shape[1]) != (window, fft_size):
        work = _kept.work = _Work.of(window, fft_size)
    return work


def _power(work: _Work) -> NDArray[np.float32]:
    """(n, fft_size / 2 + 1) squared magnitudes."""
    spectrum = np.fft.rfft(work.padded, out=work.spectrum) if _FFT_TAKES_OUT else np.fft.rfft(work.padded)
    np.square(spectrum.real, out=work.power)
    np.square(spectrum.imag, out=work.imaginary)
    return np.add(work.power, work.imaginary, out=work.power)


def _floored_log(values: NDArray[np.float32], floor: float) -> NDArray[np.float32]:
    np.maximum(values, np.float32(floor), out=values)
    return np.log(values, out=values)
