"""Another sampling rate, another speed: both are one band-limited resampling by soxr."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray


def resample(signal: NDArray[np.float32], rate_in: float, rate_out: float) -> NDArray[np.float32]:
    """The signal at another rate; frequencies above the lower Nyquist frequency are removed.

    Args:
        signal: (N,) float32.
        rate_in: hertz, of the signal.
        rate_out: hertz, of the result.

    Returns:
        (round(N * rate_out / rate_in),) float32, at least one sample.
    """
    import soxr  # here, because most files need none

    if rate_in == rate_out:
        return signal
    n_samples = max(1, round(len(signal) * rate_out / rate_in))
    out = np.asarray(soxr.resample(signal, rate_in, rate_out, quality="HQ"), dtype=np.float32)
    return _of_length(out, n_samples)


def resample_blocks(
    blocks: Iterable[NDArray[np.float32]], rate_in: float, rate_out: float
) -> Iterator[NDArray[np.float32]]:
    """Resample a signal that comes in consecutive blocks (n,) float32 of any size.

    Returns:
        blocks of other sizes, which together equal `resample` of the blocks together, bit for bit.
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
    """Play it faster (speed > 1) or slower; pitch and formants move with it (Ko et al. 2015, speed perturbation).

    Returns:
        (round(N / speed),) float32 at the same nominal rate.
    """
    return resample(signal, speed, 1.0)


def _of_length(signal: NDArray[np.float32], n_samples: int) -> NDArray[np.float32]:
    """soxr may round the length the other way; the last sample is then dropped or repeated."""
    if len(signal) >= n_samples:
        return signal[:n_samples]
    return np.pad(signal, (0, n_samples - len(signal)), mode="edge" if len(signal) else "constant")
