from __future__ import annotations

import librosa
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.features.sound.differences import with_differences
from tests.reference import spectral as reference


def random_frames(n_frames: int, dim: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((n_frames, dim), dtype=np.float32)


def test_by_hand():
    """c = 0, 0, 10, 0, 0: d[0] = (1 * (0 - 0) + 2 * (10 - 0)) / 10, d[1] = (1 * (10 - 0) + 2 * (0 - 0)) / 10, ..."""
    frames = np.array([[0.0], [0.0], [10.0], [0.0], [0.0]], dtype=np.float32)
    out = with_differences(frames, 1)
    assert out[:, 0].tolist() == [0, 0, 10, 0, 0]
    assert out[:, 1].tolist() == [2, 1, 0, -1, -2]


def test_a_ramp_has_its_slope_and_no_bend():
    ramp = np.arange(20, dtype=np.float32)[:, None] * 3
    out = with_differences(ramp, 2)
    np.testing.assert_allclose(out[2:-2, 1], 3.0, rtol=1e-6)
    np.testing.assert_allclose(out[4:-4, 2], 0.0, atol=1e-6)


def test_one_frame_has_no_difference():
    assert with_differences(np.array([[5.0, -1.0]], dtype=np.float32), 2).tolist() == [[5, -1, 0, 0, 0, 0]]


@settings(deadline=None)
@given(n_frames=st.integers(1, 12), order=st.integers(0, 2))
def test_equals_the_reference(n_frames, order):
    frames = random_frames(n_frames, 3, seed=n_frames)
    blocks = [frames.astype(np.float64)]
    for _ in range(order):
        blocks.append(reference.difference(blocks[-1]))
    np.testing.assert_allclose(with_differences(frames, order), np.concatenate(blocks, axis=1), atol=1e-5)


def test_equals_librosa_away_from_the_ends():
    """librosa fits a line over 5 frames: the same formula; its ends differ (another line, not repeated frames)."""
    frames = random_frames(30, 4)
    expected = librosa.feature.delta(frames.T, width=5, order=1).T
    np.testing.assert_allclose(with_differences(frames, 1)[2:-2, 4:], expected[2:-2], atol=1e-5)
