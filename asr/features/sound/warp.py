"""Vocal tract length perturbation: the bands of an utterance as a longer or shorter vocal tract would fill them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

KNEE_HZ = 4800.0  # the formants that matter lie below; above, the axis bends so that its end stays where it is


def warped_hertz(hertz: NDArray[np.float64], factor: float, top: float) -> NDArray[np.float64]:
    """Where the frequencies of a warped axis come from.

    Jaitly and Hinton 2013, "Vocal Tract Length Perturbation (VTLP) improves speech recognition", section 3: a straight
    line of slope `factor` from 0 to a knee, and another from there to (top, top).

    Args:
        hertz: any shape, 0 to top.
        factor: above 0; above 1, a value comes from a higher frequency, as if the vocal tract were longer.
        top: hertz that stay where they are, above 0.
    """
    knee = min(KNEE_HZ, 0.6 * top) * min(factor, 1.0) / factor
    upper = top - (top - knee * factor) / (top - knee) * (top - hertz)
    return np.where(hertz <= knee, hertz * factor, upper)


def warp_bands(
    frames: NDArray[np.float32], centres: NDArray[np.float64], factor: float, blocks: int
) -> NDArray[np.float32]:
    """Interpolate between the bands of each difference block, which are linear in them; other values stay.

    Args:
        frames: (T, F), not normalised; left as they are.
        centres: (n,) hertz of the first n values of a block, rising, n >= 2.
        factor: see `warped_hertz`.
        blocks: difference blocks of F / blocks >= n values.

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
