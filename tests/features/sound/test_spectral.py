from __future__ import annotations

import math
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.corpus.utterance import Utterance
from asr.errors import ConfigError, DataError
from asr.features.extractor import FrameExtractor
from asr.features.sound.mel import cosine_transform
from asr.features.sound.spectral import SpectralConfig, SpectralFeatures
from asr.features.sound.torchaudio_import import torchaudio_module
from tests.reference import spectral as reference

KALDI = {"window": "povey", "scale": 32768.0, "log_floor": 1.1920928955078125e-07}
LIKE_LIBROSA = {"edges": "centred", "triangles": "hertz", "preemphasis": 0.0, "remove_offset": False, "low_hz": 0.0}


def noise(n_samples: int) -> NDArray[np.float32]:
    return np.random.default_rng(n_samples).standard_normal(n_samples, dtype=np.float32)


def zeros(n_samples: int) -> NDArray[np.float32]:
    return np.zeros(n_samples, dtype=np.float32)


def sine(hertz: float, n_samples: int) -> NDArray[np.float32]:
    """At 16 kHz."""
    return np.sin(2 * np.pi * hertz * np.arange(n_samples) / 16000).astype(np.float32)


def test_frames_equal_the_reference_in_float64(voice):
    """Graves's 123 values against loops over the definitions."""
    features = SpectralFeatures(low_hz=0.0, energy=True, differences=2)
    bands = reference.mel_triangles(40, 512, 16000, 0, 8000)
    window = np.array([0.54 - 0.46 * math.cos(2 * math.pi * i / 399) for i in range(400)])  # HTK Book, chapter 5
    samples = voice.astype(np.float64)
    rows = [
        reference.log_mel_frame(samples[start : start + 400], bands, window, 0.97, 1e-10, 512)
        for start in range(0, len(samples) - 399, 160)
    ]
    static = np.array([[*bands_, energy] for bands_, energy in rows])
    first = reference.difference(static)
    expected = np.concatenate([static, first, reference.difference(first)], axis=1)
    frames = features.compute(voice)
    assert frames.shape == (48, 123)
    assert frames.dtype == np.float32
    np.testing.assert_allclose(frames, expected, atol=1e-4)


def full_scale(signal: NDArray[np.float32]) -> torch.Tensor:
    """(1, N) of 16-bit integers' size, as Kaldi takes them."""
    return torch.from_numpy(signal)[None] * 32768


@pytest.mark.parametrize("rate", [16000, 8000])
@pytest.mark.parametrize(("edges", "snip"), [("inside", True), ("mirrored", False)])
def test_filterbank_equals_kaldi(voice, rate, edges, snip):
    features = SpectralFeatures(rate=rate, edges=edges, energy=True, **KALDI)
    expected = torchaudio_module("torchaudio.compliance.kaldi").fbank(
        full_scale(voice), num_mel_bins=40, dither=0.0, sample_frequency=rate, use_energy=True, energy_floor=0.0,
        snip_edges=snip, htk_compat=True,  # htk_compat: energy last, as here
    )  # fmt: skip
    np.testing.assert_allclose(features.compute(voice), expected, atol=3e-5, rtol=0)


def test_mfcc_equals_kaldi(voice):
    features = SpectralFeatures(kind="mfcc", n_mels=23, lifter=22.0, **KALDI)
    expected = torchaudio_module("torchaudio.compliance.kaldi").mfcc(full_scale(voice), dither=0.0, energy_floor=0.0)
    np.testing.assert_allclose(features.compute(voice), expected, atol=3e-4, rtol=0)


@pytest.mark.parametrize(("scale", "norm"), [("htk", None), ("slaney", "slaney")])
def test_mfcc_equals_librosa(voice, scale, norm):
    features = SpectralFeatures(kind="mfcc", mel_scale=scale, area_norm=norm is not None, **LIKE_LIBROSA)
    power = librosa.feature.melspectrogram(
        y=voice, sr=16000, n_fft=512, hop_length=160, win_length=400, window=np.hamming(400), center=True,
        pad_mode="reflect", power=2.0, n_mels=40, fmin=0.0, fmax=8000.0, htk=scale == "htk", norm=norm,
    )  # fmt: skip
    expected = librosa.feature.mfcc(S=np.log(np.maximum(power, 1e-10)), n_mfcc=13).T
    np.testing.assert_allclose(features.compute(voice), expected, atol=5e-4)


def test_mfcc_equals_torchaudio(voice):
    transforms = torchaudio_module("torchaudio.transforms")
    features = SpectralFeatures(kind="mfcc", window="hann", **LIKE_LIBROSA)
    spectrogram = transforms.MelSpectrogram(
        sample_rate=16000, n_fft=512, win_length=400, hop_length=160, n_mels=40, f_min=0.0, f_max=8000.0,
        window_fn=lambda n: torch.hann_window(n, periodic=False),
    )  # fmt: skip
    dct = torchaudio_module("torchaudio.functional").create_dct(13, 40, norm="ortho")
    expected = spectrogram(torch.from_numpy(voice)).clamp(min=1e-10).log().T @ dct
    np.testing.assert_allclose(features.compute(voice), expected, atol=3e-4, rtol=0)


def test_cosine_transform_is_the_one_of_the_book():
    values = np.random.default_rng(0).standard_normal(26)
    expected = [reference.dct_coefficient(values, i) for i in range(13)]
    np.testing.assert_allclose(values @ cosine_transform(26, 13), expected, atol=1e-5)


def test_a_tone_stands_in_its_band():
    """440 Hz is 549.6 mel (2595 log10(1 + f / 700)); 24 bands from 0 to 8000 Hz (2840 mel) are 113.6 mel apart."""
    tone = sine(440, 16000)
    frames = SpectralFeatures(n_mels=24, low_hz=0.0).compute(tone)
    assert set(frames.argmax(axis=1).tolist()) == {4}  # the middle of band 4 stands at 5 * 113.6 = 568 mel


def test_silence_gives_the_floor():
    frames = SpectralFeatures(energy=True, differences=2, log_floor=1e-10).compute(zeros(1000))
    assert np.array_equal(frames[:, :41], np.full((4, 41), np.log(np.float32(1e-10))))
    assert np.array_equal(frames[:, 41:], np.zeros((4, 82)))
    assert np.isfinite(SpectralFeatures(kind="mfcc", energy=True).compute(zeros(1000))).all()


@settings(max_examples=60, deadline=None)
@given(
    n_samples=st.integers(1, 1500),
    kind=st.sampled_from(["filterbank", "mfcc"]),
    edges=st.sampled_from(["inside", "mirrored", "centred"]),
    differences=st.integers(0, 2),
    level=st.sampled_from([0.0, 1e-20, 1e-3, 1.0, 1e6]),
    energy=st.booleans(),
)
def test_any_length_and_level_gives_finite_frames(n_samples, kind, edges, differences, level, energy):
    features = SpectralFeatures(kind=kind, edges=edges, differences=differences, energy=energy)
    signal = np.float32(level) * noise(n_samples)
    frames = features.compute(signal)
    assert frames.shape == (features.n_frames(n_samples), features.dim)
    assert len(frames) >= 1
    assert np.isfinite(frames).all()


def test_an_empty_signal_is_refused():
    with pytest.raises(DataError, match="empty"):
        SpectralFeatures().compute(zeros(0))


def test_long_signals_are_cut_into_chunks_without_a_seam():
    signal = noise(160 * 700)
    features = SpectralFeatures()
    whole, late = features.compute(signal), features.compute(signal[160 * 300 :])
    np.testing.assert_allclose(whole[300:], late, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("edges", "first"), [("inside", 0.0125), ("mirrored", 0.005), ("centred", 0.0)]  # hand: middle of the first window
)  # fmt: skip
def test_positions_are_the_middles_of_the_windows(edges, first):
    features = SpectralFeatures(edges=edges)
    positions = features.positions(3)
    np.testing.assert_allclose(positions, [first, first + 0.010, first + 0.020], atol=1e-12)
    click = zeros(4000)
    click[int(positions[1] * 16000 + 160)] = 1.0  # in the middle of frame 2
    raw = SpectralFeatures(edges=edges, energy=True, remove_offset=False, window="hann", preemphasis=0.0).compute(click)
    assert int(raw[:, :40].sum(axis=1).argmax()) == 2


def test_sizes_and_settings():
    features = SpectralFeatures(kind="mfcc", energy=True, differences=2)
    assert (features.dim, features.blocks, features.frame_shift) == (42, 3, 0.01)
    assert isinstance(features, FrameExtractor)
    assert SpectralFeatures(**{k: v for k, v in features.settings().items() if k != "_target_"}).settings() == (
        features.settings()
    )


def test_reading_follows_the_segment_and_the_rate(tmp_path: Path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.linspace(-0.5, 0.5, 8000), 8000)
    features = SpectralFeatures(rate=8000)
    whole = Utterance("a", path)
    assert len(features.read(whole)) == 8000
    part = features.read(replace(whole, start=0.25, duration=0.5))
    np.testing.assert_allclose(part, features.read(whole)[2000:6000])
    # a duration without a start only tells the length of the file, and manifests round it
    assert len(features.read(replace(whole, duration=0.98))) == 8000
    assert len(SpectralFeatures(rate=16000).read(whole)) == 16000


def test_speed_moves_the_pitch():
    tone = sine(400, 16000)
    features = SpectralFeatures()
    faster = features.at_speed(tone, 1.25)
    assert len(faster) == 12800
    expected = sine(500, 12800)
    np.testing.assert_allclose(faster[500:-500], expected[500:-500], atol=1e-3, rtol=0)
    assert features.at_speed(tone, 1.0) is tone


def test_ink_is_refused(tmp_path: Path):
    stroke = Utterance("line", tmp_path / "a.inkml", kind="ink")
    with pytest.raises(DataError, match=r"a\.inkml: holds ink; these features read audio"):
        SpectralFeatures().check(stroke)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"kind": "mfc"}, "kind=mfc; expected one of filterbank, mfcc; did you mean 'mfcc'?"),
        ({"window": "haming"}, "did you mean 'hamming'?"),
        ({"edges": "outside"}, "edges=outside; expected one of inside, mirrored, centred"),
        ({"rate": 100}, "rate=100; expected 1000 to"),
        ({"window_seconds": 0.0}, "window_seconds=0.0; expected two samples"),
        ({"window_seconds": float("nan")}, "window_seconds=nan; expected two samples"),
        ({"shift_seconds": -0.01}, "shift_seconds=-0.01; expected 0.0005 to 1"),
        ({"low_hz": 8000.0}, "low_hz=8000.0; expected from 0 to below high_hz"),
        ({"high_hz": 9000.0}, "high_hz=9000.0; expected above 0, at most half the rate"),
        ({"n_mels": 300}, "narrower than a bin"),
        ({"n_mels": 300, "triangles": "hertz"}, "narrower than a bin"),
        ({"kind": "mfcc", "n_mfcc": 41}, r"n_mfcc=41; expected 1 to n_mels (40)"),
        ({"differences": 3}, "differences=3; expected 0, 1 or 2"),
        ({"preemphasis": 1.0}, "preemphasis=1.0; expected 0 to below 1"),
        ({"log_floor": 0.0}, "log_floor=0.0; expected above 0"),
        ({"mel_scale": "slaney"}, "slaney with triangles=hertz"),
    ],
)
def test_senseless_settings_are_refused(field, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        SpectralFeatures(**field)


def test_config_names_its_class():
    assert SpectralConfig()._target_ == "asr.features.sound.spectral.SpectralFeatures"


def test_threads_share_an_extractor(voice):
    """Each has working arrays of its own, for windows of any length."""
    extractors = [SpectralFeatures(), SpectralFeatures(window_seconds=0.05, kind="mfcc")]
    signals = [np.tile(np.roll(voice, 997 * i), 4) for i in range(16)]
    expected = [extractors[i % 2].compute(one) for i, one in enumerate(signals)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            got = list(pool.map(lambda i: extractors[i % 2].compute(signals[i]), range(16)))
            assert all(np.array_equal(one, other) for one, other in zip(got, expected, strict=True))


def test_digital_silence_with_an_offset_is_silence():
    """A constant of any height leaves the floor, with Kaldi's scale and floor as well."""
    for options in ({}, KALDI):
        features = SpectralFeatures(energy=True, **options)
        signal = np.concatenate([noise(4000) * np.float32(0.1), np.full(4000, 0.0123, dtype=np.float32)])
        assert (features.compute(signal)[26:] == np.log(np.float32(features.log_floor))).all()
