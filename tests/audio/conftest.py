"""Sounds that the tests of this room share."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture
def tone() -> NDArray[np.float32]:
    """(32000,) two seconds of 440 Hz at 16 kHz with a little noise, on the grid of 16-bit samples."""
    random = np.random.default_rng(0)
    signal = 0.3 * np.sin(2 * np.pi * 440 * np.arange(32000) / 16000) + 0.05 * random.standard_normal(32000)
    return (np.round(signal * 32768) / 32768).astype(np.float32)
