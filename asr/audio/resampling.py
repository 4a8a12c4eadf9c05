"""Change the sampling rate or the speed of a signal by band-limited resampling (soxr)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray


def resample(signal: NDArray[np.float32], rate_in: float, rate_out: float) -> NDArray[np.float32]:
    """Resample a signal; remove frequencies above the lower of the two Nyquist frequencies.

    Args:
        signal: (N,) float32.
        rate_in: sampling rate of the signal, in hertz.
        rate_out: sampling rate of the result, in hertz.

    Returns:
        (round(N * rate_out / rate_in),) float32, at least one sample.

    >>> resample(np.zeros(44100, dtype=np.float32), 44100, 16000).shape
    (16000,)
    """
    import soxr  # here, because most files need no resampling

    if rate_in == rate_out:
        return signal
    n_samples = max(1, round(len(signal) * rate_out / rate_in))
    out = np.asarray(soxr.resample(signal, rate_in, rate_out, quality="HQ"), dtype=np.float32)
    return _of_length(out, n_samples)


def resample_blocks(
    blocks: Iterable[NDArray[np.float32]], rate_in: float, rate_out: float
) -> Iterator[NDArray[np.float32]]:
    """Resample a signal that comes in consecutive blocks (n,) float32 of any size.

    Yields:
        Blocks of other sizes. Joined, they equal `resample` of the joined input bit for bit.
    """
    if rate_in == rate_out:
        yield from blocks
        return
    import soxr

    stream = soxr.ResampleStream(rate_in, rate_out, num_channels=1, dtype="float32", quality="HQ")
    n_in = n_out = 0
    last = np.zeros(1, dtype=np.float32)
    for block in blocks:
        n_in += len(block)
        out = stream.resample_chunk(np.ascontiguousarray(block))
        n_out += len(out)
        last = out[-1:] if len(out) else last
        yield out
    rest = stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
    n_missing = max(1, round(n_in * rate_out / rate_in)) - n_out
    yield _of_length(np.concatenate([last, rest]), n_missing + 1)[1:]


def change_speed(signal: NDArray[np.float32], speed: float) -> NDArray[np.float32]:
    """Make a signal faster (speed > 1) or slower; pitch and formants change too.

    This is the speed perturbation of Ko et al., "Audio augmentation for speech recognition", Interspeech 2015.

    Returns:
        (round(N / speed),) float32 at the same sampling rate.

    >>> change_speed(np.zeros(16000, dtype=np.float32), 1.25).shape
    (12800,)
    """
    return resample(signal, speed, 1.0)


def _of_length(signal: NDArray[np.float32], n_samples: int) -> NDArray[np.float32]:
    """Drop or repeat the last sample if soxr rounded the length differently."""
    if len(signal) >= n_samples:
        return signal[:n_samples]
    return np.pad(signal, (0, n_samples - len(signal)), mode="edge" if len(signal) else "constant")
