"""The spectral features written down step by step, in float64, with loops: slow and easy to check against a book."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def log_mel_frame(
    window: Array, bands: Array, window_function: Array, preemphasis: float, floor: float, fft_size: int
) -> tuple[Array, float]:
    """Log band energies and log energy of one window (W,); bands are (fft_size / 2 + 1, n)."""
    x = window - window.mean()
    energy = math.log(max(float((x**2).sum()), floor))
    emphasised = np.array([x[i] - preemphasis * x[max(0, i - 1)] for i in range(len(x))]) * window_function
    times = np.arange(len(x))
    power = np.array(
        [abs((emphasised * np.exp(-2j * math.pi * k * times / fft_size)).sum()) ** 2 for k in range(fft_size // 2 + 1)]
    )
    return np.log(np.maximum(power @ bands, floor)), energy


def mel_triangles(n: int, fft_size: int, rate: int, low: float, high: float) -> Array:
    """HTK's bands: sides straight over mel = 1127 ln(1 + f / 700). (fft_size / 2 + 1, n)."""
    mel = [1127 * math.log(1 + hertz / 700) for hertz in (low, high)]
    ends = [mel[0] + i * (mel[1] - mel[0]) / (n + 1) for i in range(n + 2)]
    bands = np.zeros((fft_size // 2 + 1, n))
    for k in range(fft_size // 2 + 1):
        at = 1127 * math.log(1 + k * rate / fft_size / 700)
        for i in range(n):
            left, middle, right = ends[i : i + 3]
            if left < at <= middle:
                bands[k, i] = (at - left) / (middle - left)
            elif middle < at < right:
                bands[k, i] = (right - at) / (right - middle)
    return bands


def dct_coefficient(values: Array, i: int) -> float:
    """Coefficient i of the orthonormal DCT-II."""
    n = len(values)
    total = sum(values[j] * math.cos(math.pi * i * (j + 0.5) / n) for j in range(n))
    return total * math.sqrt((1 if i == 0 else 2) / n)


def difference(frames: Array) -> Array:
    """HTK's regression over +-2 frames (HTK Book, eq. 5.16), the end frames repeated."""
    last = len(frames) - 1
    return np.array(
        [
            sum(k * (frames[min(last, t + k)] - frames[max(0, t - k)]) for k in (1, 2)) / (2 * (1 + 4))
            for t in range(last + 1)
        ]
    )
