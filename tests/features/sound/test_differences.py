from __future__ import annotations

import librosa
import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.features.sound.differences import with_differences
from tests.reference import spectral as reference


def test_by_hand():
    """c = 0, 0, 10, 0, 0: d[0] = (1 * (0 - 0) + 2 * (10 - 0)) / 10, d[1] = (1 * (10 - 0) + 2 * (0 - 0)) / 10, ..."""
    frames = torch.tensor([[0.0], [0.0], [10.0], [0.0], [0.0]])
    out = with_differences(frames, 1)
    assert out[:, 0].tolist() == [0, 0, 10, 0, 0]
    assert out[:, 1].tolist() == [2, 1, 0, -1, -2]


def test_a_ramp_has_its_slope_and_no_bend():
    ramp = torch.arange(20.0)[:, None] * 3
    out = with_differences(ramp, 2)
    torch.testing.assert_close(out[2:-2, 1], torch.full((16,), 3.0))
    torch.testing.assert_close(out[4:-4, 2], torch.zeros(12))


def test_one_frame_has_no_difference():
    assert with_differences(torch.tensor([[5.0, -1.0]]), 2).tolist() == [[5, -1, 0, 0, 0, 0]]


@settings(deadline=None)
@given(n_frames=st.integers(1, 12), order=st.integers(0, 2))
def test_equals_the_reference(n_frames, order):
    frames = torch.randn(n_frames, 3, generator=torch.Generator().manual_seed(n_frames))
    blocks = [frames.double().numpy()]
    for _ in range(order):
        blocks.append(reference.difference(blocks[-1]))
    np.testing.assert_allclose(with_differences(frames, order), np.concatenate(blocks, axis=1), atol=1e-5)


def test_equals_librosa_away_from_the_ends():
    """librosa fits a line over 5 frames: the same formula; its ends differ (another line, not repeated frames)."""
    frames = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    expected = librosa.feature.delta(frames.T.numpy(), width=5, order=1).T
    np.testing.assert_allclose(with_differences(frames, 1)[2:-2, 4:], expected[2:-2], atol=1e-5)
