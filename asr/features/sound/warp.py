"""Vocal tract length perturbation: warp the bands of an utterance to imitate a longer or shorter vocal tract."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

KNEE_HZ = 4800.0  # the important formants are below; above, the axis is bent so that its end stays in place


def warped_hertz(hertz: NDArray[np.float64], factor: float, top: float) -> NDArray[np.float64]:
    """Return the original frequency of each frequency of a warped axis.

    Jaitly and Hinton 2013, "Vocal Tract Length Perturbation (VTLP) improves speech recognition", section 3: a straight
    line of slope `factor` from 0 to a knee, and another from there to (top, top).

    Args:
        hertz: frequencies of any shape, 0 to `top`.
        factor: above 0; with a factor above 1, values come from higher frequencies, as with a longer vocal tract.
        top: frequency in hertz that stays in place, above 0.

    >>> warped_hertz(np.array([0.0, 1000.0, 8000.0]), 1.1, 8000.0).round(1).tolist()
    [0.0, 1100.0, 8000.0]
    """
    knee = min(KNEE_HZ, 0.6 * top) * min(factor, 1.0) / factor
    upper = top - (top - knee * factor) / (top - knee) * (top - hertz)
    return np.where(hertz <= knee, hertz * factor, upper)


def warp_bands(
    frames: NDArray[np.float32], centres: NDArray[np.float64], factor: float, blocks: int
) -> NDArray[np.float32]:
    """Warp the bands of each difference block by linear interpolation; other values do not change.

    Args:
        frames: (T, F), not normalised; not modified.
        centres: (n,) centres in hertz of the first n values of a block, increasing, n >= 2.
        factor: see `warped_hertz`.
        blocks: number of difference blocks, each of F / blocks >= n values.

    Returns:
        (T, F) float32.
    """
    bands = np.interp(warped_hertz(centres, factor, float(centres[-1])), centres, np.arange(len(centres)))
    lower = np.minimum(bands.astype(np.int64), len(centres) - 2)
    share = (bands - lower).astype(np.float32)
    source = frames.reshape(len(frames), blocks, -1)
    warped = source.copy()
    below = source[:, :, lower]
    warped[:, :, : len(centres)] = below + share * (source[:, :, lower + 1] - below)
    return warped.reshape(frames.shape)
