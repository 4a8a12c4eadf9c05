"""Compute frames, without differences, from samples in numpy: the steps that `SpectralFeatures` lists."""

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

_CHUNK = 1 << 17  # samples per FFT call: they fit into a core's cache, and numpy's call overhead stays small
_FFT_TAKES_OUT = int(np.__version__.partition(".")[0]) >= 2
_kept = threading.local()


def window_function(name: str, length: int) -> NDArray[np.float32]:
    """Return the window function `name`, one of `options.WINDOWS`: (length,) weights, length >= 2."""
    if name == "rectangular":
        return np.ones(length, dtype=np.float32)
    angles = 2 * np.pi / (length - 1) * np.arange(length)
    if name == "hamming":
        return np.asarray(0.54 - 0.46 * np.cos(angles), dtype=np.float32)
    hann = 0.5 - 0.5 * np.cos(angles)
    return np.asarray(hann**0.85 if name == "povey" else hann, dtype=np.float32)


class WindowSteps:
    """The computation of frames from samples; it has no changing state, so threads may share it.

    Args:
        config: the settings of the features.
        framing: the positions of the windows.

    Raises:
        ConfigError: a band is so narrow that it contains no FFT bin.
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
        """Return `power @ self.bands`, (n, n_mels), skipping weights that are 0."""
        out = np.empty((len(power), self.bands.shape[1]), dtype=np.float32)
        for bins, columns, weights in self._band_blocks:
            out[:, columns] = power[:, bins] @ weights
        return out

    def _prepare(self, samples: NDArray[np.float32], work: _Work) -> NDArray[np.float32] | None:
        """Fill `work.padded` with the input of the FFT; return the energies (n,) if the features include them."""
        config, x = self.config, work.windows
        np.copyto(x, sliding_window_view(samples * np.float32(config.scale), x.shape[1])[:: self.framing.shift])
        if config.remove_offset:
            x -= x[:, :1].copy()  # first, so that a constant signal becomes exactly 0 and rounding errors stay small
            x -= (x @ self._average)[:, None]
        energy = np.einsum("nw,nw->n", x, x) if config.energy else None
        if config.preemphasis > 0:
            _emphasise(x, np.float32(config.preemphasis), work.before)
        x *= self.window
        work.padded[:, : x.shape[1]] = x
        return energy


def _blocks(bands: NDArray[np.float32]) -> list[tuple[slice, slice, NDArray[np.float32]]]:
    """Split the bands into a lower and an upper half, each with the bins (rows) that it needs; saves half the work."""
    n = bands.shape[1]
    blocks = []
    for columns in (slice(0, n // 2), slice(n // 2, n)):
        rows = np.flatnonzero(bands[:, columns].any(axis=1))
        bins = slice(int(rows[0]), int(rows[-1]) + 1)
        blocks.append((bins, columns, np.ascontiguousarray(bands[bins, columns])))
    return blocks


def _emphasise(x: NDArray[np.float32], share: np.float32, before: NDArray[np.float32]) -> None:
    """Subtract a share of the previous sample in each window (n, W); the first is its own predecessor (HTK, Kaldi)."""
    first = x[:, 0] * (1 - share)
    np.multiply(x, share, out=before)
    x.reshape(-1)[1:] -= before.reshape(-1)[:-1]  # all windows as one row, which is much faster than row by row
    x[:, 0] = first


@dataclass(frozen=True, eq=False)
class _Work:
    """Reused arrays for a chunk of n windows.

    Attributes:
        windows: (n, W).
        before: (n, W).
        padded: (n, fft_size), zeros from W on; float64, because np.fft would copy any other type.
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
        """Allocate the arrays of a chunk."""
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
        """Return views of the arrays for the first n windows."""
        return _Work(**{name: array[:n] for name, array in vars(self).items()})


def _work(window: int, fft_size: int) -> _Work:
    """Return this thread's arrays; they are kept, because allocating them would take as long as the arithmetic."""
    work: _Work | None = getattr(_kept, "work", None)
    if work is None or (work.windows.shape[1], work.padded.shape[1]) != (window, fft_size):
        work = _kept.work = _Work.of(window, fft_size)
    return work


def _power(work: _Work) -> NDArray[np.float32]:
    """Return the power spectrum, (n, fft_size / 2 + 1)."""
    spectrum = np.fft.rfft(work.padded, out=work.spectrum) if _FFT_TAKES_OUT else np.fft.rfft(work.padded)
    np.square(spectrum.real, out=work.power)
    np.square(spectrum.imag, out=work.imaginary)
    return np.add(work.power, work.imaginary, out=work.power)


def _floored_log(values: NDArray[np.float32], floor: float) -> NDArray[np.float32]:
    np.maximum(values, np.float32(floor), out=values)
    return np.log(values, out=values)
