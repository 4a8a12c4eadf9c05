"""The matrices, against those of torchaudio (Kaldi's and its own), librosa and the definitions."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch

from asr.errors import ConfigError
from asr.features.sound.mel import cosine_transform, hertz_to_mel, lifter_weights, mel_bands, mel_to_hertz
from asr.features.sound.torchaudio_import import torchaudio_module
from asr.features.sound.window_steps import window_function
from tests.reference import spectral as reference

RANGES = [(40, 512, 16000, 0.0, 8000.0), (64, 512, 16000, 20.0, 8000.0), (26, 256, 8000, 100.0, 3800.0)]


@pytest.mark.parametrize(("n_mels", "fft_size", "rate", "low", "high"), RANGES)
def test_triangles_over_mel_are_kaldis_and_the_books(n_mels, fft_size, rate, low, high):
    bands = mel_bands(n_mels, fft_size, rate, low, high)
    assert (bands.shape, bands.dtype) == ((fft_size // 2 + 1, n_mels), np.float32)
    kaldi = torchaudio_module("torchaudio.compliance.kaldi").get_mel_banks
    expected = kaldi(n_mels, fft_size, rate, low, high, 100.0, -500.0, 1.0)[0].T.numpy()
    np.testing.assert_allclose(bands[:-1], expected, atol=2e-5)  # torchaudio computes them in float32
    np.testing.assert_allclose(bands, reference.mel_triangles(n_mels, fft_size, rate, low, high), atol=1e-7)


@pytest.mark.parametrize(("n_mels", "fft_size", "rate", "low", "high"), RANGES)
@pytest.mark.parametrize("scale", ["htk", "slaney"])
@pytest.mark.parametrize("area_norm", [False, True])
def test_triangles_over_hertz_are_librosas_and_torchaudios(n_mels, fft_size, rate, low, high, scale, area_norm):
    bands = mel_bands(n_mels, fft_size, rate, low, high, scale, "hertz", area_norm)
    expected = librosa.filters.mel(
        sr=rate, n_fft=fft_size, n_mels=n_mels, fmin=low, fmax=high, htk=scale == "htk",
        norm="slaney" if area_norm else None,
    ).T  # fmt: skip
    np.testing.assert_allclose(bands, expected, rtol=1e-6, atol=1e-7 * expected.max())
    theirs = torchaudio_module("torchaudio.functional").melscale_fbanks(
        fft_size // 2 + 1, low, high, n_mels, rate, norm="slaney" if area_norm else None, mel_scale=scale
    )
    np.testing.assert_allclose(bands, theirs, atol=2e-5 * expected.max())


def test_an_odd_rate_has_its_bins_where_they_belong():
    expected = librosa.filters.mel(sr=11025, n_fft=256, n_mels=20, fmin=0.0, fmax=5512.5, htk=True, norm=None).T
    np.testing.assert_allclose(mel_bands(20, 256, 11025, 0.0, 5512.5, triangles="hertz"), expected, atol=1e-6)


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_mel_and_hertz_are_librosas(scale):
    hertz = np.array([0.0, 1.0, 440.0, 999.0, 1000.0, 1001.0, 4000.0, 22050.0])
    mel = hertz_to_mel(hertz, scale)
    np.testing.assert_allclose(mel, librosa.hz_to_mel(hertz, htk=scale == "htk"))
    np.testing.assert_allclose(mel_to_hertz(mel, scale), hertz, atol=1e-9)


def test_narrow_bands_are_named():
    """Bands of 2840 / 101 = 28.1 mel: 0 ends at 35.8 Hz, 1 lies between 17.7 and 54.4 Hz; the first bin is 62.5 Hz."""
    with pytest.raises(ConfigError, match=r"n_mels=100: the bands 0, 1, 4, 7, 10, 15 \(from 0\) are narr"):
        mel_bands(100, 256, 16000, 0.0, 8000.0)
    with pytest.raises(ConfigError, match=r"the bands 0, 1, 2, 3, 4, 5, 6, 7, \.\.\. \(from 0\)"):
        mel_bands(300, 256, 16000, 0.0, 8000.0)


@pytest.mark.parametrize(("n_mels", "n_mfcc"), [(26, 13), (40, 40), (4, 1)])
def test_the_cosine_transform_is_torchaudios_and_the_books(n_mels, n_mfcc):
    matrix = cosine_transform(n_mels, n_mfcc)
    assert matrix.dtype == np.float32
    expected = torchaudio_module("torchaudio.functional").create_dct(n_mfcc, n_mels, norm="ortho")
    np.testing.assert_allclose(matrix, expected, atol=1e-5)  # torchaudio's angles are float32
    book = [[reference.dct_coefficient(unit, i) for i in range(n_mfcc)] for unit in np.eye(n_mels)]
    np.testing.assert_allclose(matrix, book, atol=1e-7)


def test_the_lifter_is_kaldis():
    expected = torchaudio_module("torchaudio.compliance.kaldi")._get_lifter_coeffs(13, 22.0)
    np.testing.assert_allclose(lifter_weights(13, 22.0), expected, rtol=1e-6)
    assert lifter_weights(5, 0.0).tolist() == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("length", [2, 3, 400, 401])
def test_window_functions_are_torchs(length):
    hann = torch.hann_window(length, periodic=False)
    expected = {
        "rectangular": torch.ones(length), "hamming": torch.hamming_window(length, periodic=False), "hann": hann,
        "povey": hann**0.85,
    }  # fmt: skip
    for name, weights in expected.items():
        ours = window_function(name, length)
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, weights, atol=2e-6)  # torch computes them in float32
