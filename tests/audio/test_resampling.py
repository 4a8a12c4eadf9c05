from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.audio.resampling import change_speed, resample


def tone(hertz: float, rate: int) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(rate) / rate).astype(np.float32)


@pytest.mark.parametrize(("rate_in", "rate_out"), [(44100, 16000), (8000, 16000), (48000, 16000), (16000, 11025)])
def test_a_tone_stays_a_tone(rate_in, rate_out):
    out = resample(tone(1000, rate_in), rate_in, rate_out)
    np.testing.assert_allclose(out[500:-500], tone(1000, rate_out)[500:-500], atol=1e-5)


def test_what_the_new_rate_cannot_hold_is_gone():
    """9500 Hz would fold to 6500 Hz at 16 kHz; at most a millionth of its power may be left."""
    out = resample(tone(9500, 44100), 44100, 16000)
    assert np.square(out[500:-500]).mean() < 0.5e-6


def test_the_same_rate_is_left_alone():
    signal = tone(1000, 16000)
    assert resample(signal, 16000, 16000) is signal


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 3000), rate_in=st.sampled_from([8000, 11025, 16000, 44100, 48000, 96000]))
def test_lengths_are_rounded(n, rate_in):
    out = resample(np.ones(n, dtype=np.float32), rate_in, 16000)
    assert out.dtype == np.float32
    assert len(out) == max(1, round(n * 16000 / rate_in))
    assert np.isfinite(out).all()


@pytest.mark.parametrize("speed", [0.9, 1.1, 2.0])
def test_speed_moves_length_and_pitch(speed):
    out = change_speed(tone(1000, 16000), speed)
    assert len(out) == round(16000 / speed)
    expected = np.sin(2 * np.pi * 1000 * speed * np.arange(len(out)) / 16000)
    np.testing.assert_allclose(out[500:-500], expected[500:-500], atol=1e-4)
