from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.features.sound.differences import with_differences
from asr.features.sound.spectral import SpectralFeatures
from asr.features.sound.warp import warp_bands, warped_hertz


def noise(n_samples: int) -> NDArray[np.float32]:
    return np.random.default_rng(n_samples).standard_normal(n_samples, dtype=np.float32)


@pytest.mark.parametrize("factor", [0.8, 0.95, 1.0, 1.05, 1.2])
def test_the_axis_is_that_of_jaitly_and_hinton(factor):
    """Section 3, with F_hi = 4800 and S / 2 = 8000, one frequency at a time."""
    for hertz in (0.0, 100.0, 3000.0, 4799.0, 5000.0, 7000.0, 8000.0):
        if hertz <= 4800 * min(factor, 1) / factor:
            expected = hertz * factor
        else:
            slope = (8000 - 4800 * min(factor, 1)) / (8000 - 4800 * min(factor, 1) / factor)
            expected = 8000 - slope * (8000 - hertz)
        assert warped_hertz(np.array([hertz]), factor, 8000.0)[0] == pytest.approx(expected)


@pytest.mark.parametrize("factor", [0.7, 0.9, 1.1, 1.3])
@pytest.mark.parametrize("top", [4000.0, 8000.0])
def test_the_axis_rises_from_end_to_end(factor, top):
    warped = warped_hertz(np.linspace(0, top, 1000), factor, top)
    assert warped[0] == 0
    assert warped[-1] == pytest.approx(top)
    assert (np.diff(warped) > 0).all()


@pytest.mark.parametrize("settings", [{"n_mels": 64}, {"n_mels": 40, "triangles": "hertz", "mel_scale": "slaney"}])
def test_a_tone_moves_to_where_the_warped_tone_is(settings):
    """The frames of 1000 Hz, warped by 1.5, look like the frames of 667 Hz."""
    features = SpectralFeatures(**settings)
    seconds = np.arange(8000) / 16000
    tone, lower = (
        features.compute(np.sin(2 * math.pi * hertz * seconds).astype(np.float32)) for hertz in (1000.0, 1000.0 / 1.5)
    )
    warped = warp_bands(tone, features.centres, 1.5, 1)
    assert abs(int(warped[10].argmax()) - int(lower[10].argmax())) <= 1
    assert int(tone[10].argmax()) - int(lower[10].argmax()) >= 3


def test_nothing_moves_at_factor_one_and_the_energy_never_does():
    features = SpectralFeatures(n_mels=30, energy=True, differences=2)
    frames = features.compute(noise(8000))
    assert np.allclose(warp_bands(frames, features.centres, 1.0, 3), frames, atol=1e-5)
    warped = warp_bands(frames, features.centres, 1.1, 3)
    assert np.array_equal(warped[:, 30::31], frames[:, 30::31])
    assert not np.allclose(warped, frames)


def test_differences_of_warped_frames_are_warped_differences():
    frames = SpectralFeatures(n_mels=30, differences=2).compute(noise(16000))
    static = SpectralFeatures(n_mels=30)
    warped = warp_bands(frames, static.centres, 0.9, 3)
    expected = with_differences(warp_bands(frames[:, :30], static.centres, 0.9, 1), 2)
    assert np.allclose(warped, expected, atol=1e-4)


def test_cepstra_have_no_centres():
    assert SpectralFeatures(kind="mfcc").centres is None


def test_the_centres_lie_evenly_on_the_mel_scale():
    centres = SpectralFeatures(n_mels=40).centres
    mel = 2595 * np.log10(1 + centres / 700)
    assert np.ptp(np.diff(mel[5:])) < 0.15 * np.diff(mel).mean()
