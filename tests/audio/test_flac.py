from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from asr.audio import sound_of
from asr.errors import DataError


def streamed(signal: np.ndarray, subtype: str = "PCM_16", rate: int = 16000) -> bytes:
    """A FLAC file whose header does not tell its length, as an encoder leaves it that could not go back."""
    file = io.BytesIO()
    soundfile.write(file, signal, rate, format="FLAC", subtype=subtype)
    content = bytearray(file.getvalue())
    content[21] &= 0xF0  # total samples: the last 36 bits of the 8 bytes from byte 18 on (RFC 9639, 8.2)
    content[22:26] = bytes(4)
    return bytes(content)


@pytest.mark.parametrize("n_samples", [1, 15, 16, 200, 4095, 4096, 4097, 8192, 32000, 700_000])
def test_a_stream_is_read_to_its_end(tone: np.ndarray, n_samples: int):
    """700,000 samples make frame numbers of two bytes."""
    signal = np.resize(tone, n_samples)
    assert np.array_equal(sound_of(streamed(signal)).samples, signal)


@pytest.mark.parametrize(
    ("subtype", "rate", "channels"), [("PCM_24", 44100, 1), ("PCM_S8", 8000, 1), ("PCM_16", 11025, 6)]
)
def test_streams_of_every_kind(tone: np.ndarray, subtype: str, rate: int, channels: int):
    signal = np.stack([tone] * channels, axis=1)
    sound = sound_of(streamed(signal, subtype, rate), channel=0)
    assert sound.rate == rate
    np.testing.assert_allclose(sound.samples, tone, atol=2**-7)


def test_a_cut_stream_is_refused(tone: np.ndarray):
    content = streamed(tone)
    for there in (len(content) - 1, len(content) // 2, 100):
        with pytest.raises(DataError, match="truncated: its header has no length, and its last frame is cut"):
            sound_of(content[:there])


def test_a_damaged_stream_is_refused(tone: np.ndarray):
    content = bytearray(streamed(tone))
    content[len(content) // 2] ^= 0x10
    with pytest.raises(DataError, match="damaged|truncated"):
        sound_of(bytes(content))
