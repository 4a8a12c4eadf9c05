"""The second backend gives the frames of the first, one signal at a time and many at once."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.config import Component, build
from asr.errors import ConfigError, DataError, MissingExtra
from asr.features.sound.framing import EDGES
from asr.features.sound.spectral import SpectralConfig, SpectralFeatures
from asr.features.sound.torchaudio_backend import TorchaudioSteps

GRAVES = {"low_hz": 0.0, "energy": True, "differences": 2}
SETTINGS: dict[str, dict[str, Any]] = {
    "graves2013": GRAVES,
    "kaldi": {"window": "povey", "scale": 32768.0, "log_floor": 1.1920928955078125e-07, "edges": "mirrored"},
    "mfcc": {"kind": "mfcc", "n_mels": 26, "energy": True, "differences": 2, "lifter": 22.0},
    "mel64": {"n_mels": 64},
    "librosa": {
        "edges": "centred", "triangles": "hertz", "mel_scale": "slaney", "area_norm": True, "preemphasis": 0.0,
        "remove_offset": False, "window": "hann", "low_hz": 0.0,
    },
    "odd": {"rate": 11025, "triangles": "hertz", "window": "rectangular", "kind": "mfcc", "n_mels": 20},
}  # fmt: skip


def both(**options: Any) -> tuple[SpectralFeatures, SpectralFeatures]:
    return SpectralFeatures(**options), SpectralFeatures(**options, backend="torchaudio")


def assert_same(frames: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    """To 1e-5 of the range."""
    assert frames.dtype == np.float32
    assert frames.shape == expected.shape
    np.testing.assert_allclose(frames, expected, rtol=0, atol=1e-5 * max(float(np.ptp(expected)), 1.0))


def signals(voice: NDArray[np.float32], lengths: list[int]) -> list[NDArray[np.float32]]:
    return [np.roll(voice, 701 * i)[:length] for i, length in enumerate(lengths)]


@pytest.mark.parametrize("name", SETTINGS)
def test_frames_are_the_same(voice, name):
    numpy, torchaudio = both(**SETTINGS[name])
    assert_same(torchaudio.compute(voice), numpy.compute(voice))


@pytest.mark.parametrize("name", SETTINGS)
def test_the_matrices_are_torchaudios_and_the_same(name):
    numpy, _ = both(**SETTINGS[name])
    steps = TorchaudioSteps(numpy, numpy.framing)
    np.testing.assert_allclose(steps.bands, numpy._steps.bands, atol=1e-6 * numpy._steps.bands.max())
    np.testing.assert_allclose(steps.window, numpy._steps.window, atol=1e-7)
    if numpy._steps.cepstra is not None:
        np.testing.assert_allclose(steps.cepstra, numpy._steps.cepstra, atol=1e-6 * abs(numpy._steps.cepstra).max())


def test_ranges_are_float64_for_torchaudio_alone():
    SpectralFeatures(backend="torchaudio")
    assert torch.arange(3.0).dtype == torch.linspace(0, 1, 3).dtype == torch.float32


@pytest.mark.parametrize("name", SETTINGS)
def test_a_batch_is_its_signals(voice, name):
    numpy, torchaudio = both(**SETTINGS[name])
    several = signals(voice, [1, 399, 400, 401, 8000, 200, 5000])
    frames = torchaudio.compute_batch(several)
    assert len(frames) == len(several)
    for one, signal in zip(frames, several, strict=True):
        assert_same(one, numpy.compute(signal))
    for one, other in zip(numpy.compute_batch(several), several, strict=True):
        assert np.array_equal(one, numpy.compute(other))


@settings(max_examples=50, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 150), min_size=1, max_size=6),
    edges=st.sampled_from(EDGES),
    differences=st.integers(0, 2),
    energy=st.booleans(),
)
def test_no_signal_changes_another(lengths, edges, differences, energy):
    numpy, torchaudio = both(
        rate=1000, window_seconds=0.016, shift_seconds=0.005, n_mels=4, low_hz=0.0, edges=edges, energy=energy,
        differences=differences,
    )  # fmt: skip
    random = np.random.default_rng(len(lengths))
    several = [random.standard_normal(length, dtype=np.float32) for length in lengths]
    for frames, signal in zip(torchaudio.compute_batch(several), several, strict=True):
        assert_same(frames, numpy.compute(signal))


def test_batches_without_anything():
    numpy, torchaudio = both()
    assert numpy.compute_batch([]) == torchaudio.compute_batch([]) == []
    for features in (numpy, torchaudio):
        with pytest.raises(DataError, match="the signal is empty"):
            features.compute_batch([np.ones(500, dtype=np.float32), np.zeros(0, dtype=np.float32)])


def test_a_device_that_is_not_there_is_told(voice):
    numpy, torchaudio = both()
    with pytest.raises(ConfigError, match="device=cuda: backend=numpy computes on the cpu; choose features.backend=to"):
        numpy.compute_batch([voice], device="cuda")
    for device in ("gpu", "cuda:99"):
        with pytest.raises(ConfigError, match=f"device={device}: torch cannot compute there: "):
            torchaudio.compute_batch([voice], device=device)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", SETTINGS)
def test_a_gpu_gives_the_same_frames(voice, name):
    numpy, torchaudio = both(**SETTINGS[name])
    several = signals(voice, [1, 400, 8000, 5000])
    for frames, signal in zip(torchaudio.compute_batch(several, device="cuda"), several, strict=True):
        assert_same(frames, numpy.compute(signal))


def test_the_backend_is_a_setting_and_numpy_where_it_is_not_named():
    numpy, torchaudio = both()
    assert (numpy.settings()["backend"], torchaudio.settings()["backend"]) == ("numpy", "torchaudio")
    saved = Component(SpectralConfig._target_, {"n_mels": 20})  # written before there were two
    assert saved.completed().options["backend"] == "numpy"
    assert build(saved).backend == "numpy"
    with pytest.raises(ConfigError, match="backend=torch; expected one of numpy, torchaudio; did you mean 'torchaudio"):
        SpectralFeatures(backend="torch")


@pytest.mark.parametrize("missing", ["torch", "torchaudio"])
def test_a_missing_package_is_told_with_its_line(monkeypatch, missing):
    monkeypatch.delitem(sys.modules, "asr.features.sound.torchaudio_backend")
    monkeypatch.setitem(sys.modules, missing, None)  # makes its import fail
    with pytest.raises(MissingExtra) as error:
        SpectralFeatures(backend="torchaudio")
    expected = f"features.backend=torchaudio needs {missing}; install it: pip install 'ctc-asr[train]'"
    assert str(error.value) == expected


def test_numpy_needs_neither():
    script = (
        "import sys; sys.modules['torch'] = sys.modules['torchaudio'] = None\n"
        "import numpy as np; from asr.features.sound.spectral import SpectralFeatures\n"
        "from asr.features.sound.augment import Augmenter\n"
        "frames = SpectralFeatures(kind='mfcc', differences=2).compute(np.ones(800, dtype=np.float32))\n"
        "print(Augmenter().mask(Augmenter().plan(0, 'u'), frames).shape)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("(3, 39)\n", "")
