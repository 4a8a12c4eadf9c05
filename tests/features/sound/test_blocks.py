"""A signal that arrives in blocks gives the frames of the whole signal."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.errors import DataError
from asr.features.extractor import Streaming
from asr.features.sound.differences import differences_of_blocks, with_differences
from asr.features.sound.framing import EDGES, Framing
from asr.features.sound.spectral import SpectralFeatures

CUTS = st.lists(st.integers(0, 60), max_size=12)  # lengths of the blocks before the last
SMALL = {"rate": 1000, "window_seconds": 0.016, "shift_seconds": 0.005, "n_mels": 4, "low_hz": 0.0}


def noise(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(7).standard_normal(shape, dtype=np.float32)


def cut(values: NDArray[np.float32], lengths: list[int]) -> list[NDArray[np.float32]]:
    """Consecutive blocks of these lengths, empty where there is nothing left, and the rest."""
    return np.split(values, np.minimum(np.cumsum(lengths), len(values)))


@settings(max_examples=300, deadline=None)
@given(
    n_samples=st.integers(1, 200),
    lengths=CUTS,
    window=st.integers(1, 20),
    shift=st.integers(1, 30),
    edges=st.sampled_from(EDGES),
)
def test_stretches_of_blocks_hold_the_windows(n_samples, lengths, window, shift, edges):
    framing = Framing(window, shift, edges)
    signal = np.arange(1, n_samples + 1).astype(np.float32)
    expected = framing.windows(signal)
    assert len(expected) == framing.n_frames(n_samples)
    got = list(framing.padded_blocks(iter(cut(signal, lengths))))
    assert all((len(one) - window) % shift == 0 for one in got)
    windows = [np.lib.stride_tricks.sliding_window_view(one, window)[::shift] for one in got]
    assert np.array_equal(np.concatenate(windows), expected)


@settings(max_examples=200, deadline=None)
@given(n_frames=st.integers(1, 40), lengths=CUTS, order=st.integers(0, 2))
def test_differences_of_blocks_are_the_differences(n_frames, lengths, order):
    frames = noise(n_frames, 3)
    got = list(differences_of_blocks([one for one in cut(frames, lengths) if len(one)], order))
    assert all(len(one) for one in got)
    assert np.array_equal(np.concatenate(got), with_differences(frames, order))


@settings(max_examples=200, deadline=None)
@given(
    n_samples=st.integers(1, 300),
    lengths=CUTS,
    edges=st.sampled_from(EDGES),
    differences=st.integers(0, 2),
    energy=st.booleans(),
    kind=st.sampled_from(["filterbank", "mfcc"]),
    backend=st.sampled_from(["numpy", "numpy", "torchaudio"]),
)
def test_frames_of_blocks_are_the_frames(n_samples, lengths, edges, differences, energy, kind, backend):
    features = SpectralFeatures(
        **SMALL, edges=edges, differences=differences, energy=energy, kind=kind, n_mfcc=3, backend=backend
    )
    signal = noise(n_samples)
    expected = features.compute(signal)
    got = list(features.compute_blocks(iter(cut(signal, lengths))))
    assert all(len(one) for one in got)
    np.testing.assert_allclose(np.concatenate(got), expected, atol=1e-5 * max(1.0, float(np.ptp(expected))))


def test_a_block_longer_than_the_pieces_it_is_taken_in(voice):
    features = SpectralFeatures(edges="centred", differences=1)
    signal = np.tile(voice, 20)
    got = np.concatenate(list(features.compute_blocks([signal])))
    np.testing.assert_allclose(got, features.compute(signal), atol=1e-4)


def test_frames_come_as_soon_as_their_samples_are_there(voice):
    """A window of 400 samples every 160, and 4 frames to either side for second differences."""
    asked = 0

    def blocks() -> Iterator[NDArray[np.float32]]:
        nonlocal asked
        for begin in range(0, len(voice), 80):
            asked = begin + 80
            yield voice[begin : begin + 80]

    for differences in (0, 2):
        seen = 0
        for frames in SpectralFeatures(differences=differences).compute_blocks(blocks()):
            seen += len(frames)
            if asked < len(voice):
                assert (seen - 1 + 2 * differences) * 160 + 400 > asked - 80
        assert seen == 48


@pytest.mark.parametrize("blocks", [[], [np.zeros(0, dtype=np.float32)] * 3])
def test_no_samples_at_all_are_refused(blocks):
    with pytest.raises(DataError, match="the signal is empty"):
        list(SpectralFeatures().compute_blocks(blocks))


def test_blocks_of_several_channels_are_a_mistake():
    with pytest.raises(ValueError, match=r"a signal is \(N,\), got \(10, 2\)"):
        list(SpectralFeatures().compute_blocks([noise(10, 2)]))


def test_memory_does_not_grow_with_the_length():
    features = SpectralFeatures(differences=2)
    assert isinstance(features, Streaming)
    block = noise(16000)

    def peak(seconds: int) -> int:
        tracemalloc.start()
        for _ in features.compute_blocks(block for _ in range(seconds)):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(2)
    assert peak(60) < peak(5) + 100_000  # bytes; the frames of a minute are 3 million
