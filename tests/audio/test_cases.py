"""The small inputs that went wrong, from the folder of cases beside the checkout."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from asr.audio import audio_info, read_audio, sound_of
from asr.errors import DataError, DataWarning


@pytest.mark.parametrize("name", ["opus_chained.ogg", "vorbis_chained.ogg"])
def test_both_halves_of_chained_ogg(shared_cases: Path, name: str):
    path = shared_cases / "ogg_chained" / name
    signal = read_audio(path)
    assert audio_info(path).frames == len(signal) == 2 * 30400
    np.testing.assert_allclose(signal[:30400], signal[30400:], atol=0.02)  # twice the same recording


def test_containers_hold_the_same_samples(shared_cases: Path):
    expected = read_audio(shared_cases / "wav_messages" / "prefix_id3.wav")
    assert expected.shape == (30400,)
    for name in ("AIFF_PCM_16.aiff", "AU_PCM_16.au", "CAF_PCM_16.caf", "RF64_PCM_16.wav", "W64_PCM_16.wav",
                 "flac_streamed.flac"):  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.array_equal(read_audio(shared_cases / "containers_refused" / name), expected)


def test_an_mp3_without_its_length_is_read_whole(shared_cases: Path):
    """libsndfile says 23,904 samples; mpg123 decodes 56 frames of 576 and drops 529 samples of its own delay."""
    assert len(read_audio(shared_cases / "containers_refused" / "mp3_noxing.mp3")) == 56 * 576 - 529


@pytest.mark.parametrize("name", ["m4a.m4a", "webm.webm"])
def test_other_containers_need_ffmpeg(shared_cases: Path, name: str):
    """These two hold a beginning and no sound."""
    with pytest.raises(DataError, match="ffmpeg, which is not installed|that ffmpeg cannot read to its end"):
        read_audio(shared_cases / "containers_refused" / name)


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("wav_size_zero/data_zero_riff_ok.wav", "its header says 0 bytes of samples, but 60800 are there"),
        ("wav_size_zero/sizes_zero.wav", "its header says 0 bytes of samples, but 60800 are there"),
        ("wav_messages/empty_data_first.wav", "has more than one data chunk"),
        ("wav_messages/two_data.wav", "has more than one data chunk"),
    ],
)
def test_all_samples_of_odd_wave_files(shared_cases: Path, name: str, warning: str):
    expected = read_audio(shared_cases / "wav_messages" / "prefix_id3.wav")
    with pytest.warns(DataWarning, match=warning):
        assert np.array_equal(read_audio(shared_cases / name), expected)
    with pytest.warns(DataWarning, match=warning):
        assert np.array_equal(sound_of((shared_cases / name).read_bytes()).samples, expected)


def test_no_escape_sequence_reaches_a_message(shared_cases: Path):
    with pytest.raises(DataError, match=r"sample_coding '\\x1b\[31m' is not supported") as caught:
        read_audio(shared_cases / "damaged" / "escape_in_sphere_header.sph")
    assert str(caught.value).isprintable()
