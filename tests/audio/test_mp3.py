from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from asr.audio import sound_of
from asr.errors import DataError


def encoded(signal: np.ndarray, mode: str, rate: int = 16000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, signal, rate, format="MP3", bitrate_mode=mode)
    return file.getvalue()


def without_length(content: bytes) -> bytes:
    """Without the first frame, which holds the Xing or Info header; frames of one encoder begin alike."""
    return content[content.index(content[:2], 4) :]


@pytest.mark.parametrize("mode", ["CONSTANT", "AVERAGE", "VARIABLE"])
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_that_does_not_tell_its_length_is_read_whole(tone: np.ndarray, mode: str, rate: int, channels: int):
    """The length that libsndfile guesses is wrong for variable rates; here silence at first makes it very wrong."""
    signal = np.concatenate([np.zeros(32000, dtype=np.float32), tone])
    content = encoded(np.stack([signal] * channels, axis=1), mode, rate)
    expected = sound_of(content, channel=0).samples
    assert len(expected) == 64000
    read = sound_of(without_length(content), channel=0).samples
    assert len(read) >= 64000  # and what the encoder put before and behind, which the lost frame told
    middle = expected[40000:41000]
    offset = min(range(3000), key=lambda k: float(np.abs(read[k + 40000 : k + 41000] - middle).max()))
    np.testing.assert_allclose(read[offset + 4000 : offset + 60000], expected[4000:60000], atol=1e-4)


def test_tags_may_stand_around_it(tone: np.ndarray):
    content = without_length(encoded(tone, "VARIABLE"))
    expected = sound_of(content).samples
    tag = b"ID3\x03\0\0" + bytes([0, 0, 1, 2]) + bytes(130)
    for tagged in (tag + content, content + b"TAG" + bytes(125), content + b"APETAGEX" + bytes(24), content + bytes(7)):
        assert np.array_equal(sound_of(tagged).samples, expected)


def test_a_length_that_is_told_counts(tone: np.ndarray):
    content = encoded(tone, "VARIABLE")
    tag = b"ID3\x03\0\0" + bytes([0, 0, 1, 2]) + bytes(130)
    assert len(sound_of(tag + content).samples) == 32000
    with pytest.raises(DataError, match="truncated"):
        sound_of(content[:-500])


def test_a_cut_file_without_length_is_refused(tone: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    content = without_length(encoded(tone, "VARIABLE"))
    for there in (len(content) - 1, len(content) // 2):
        with pytest.raises(DataError, match="<bytes>: MP3 without its length .*, damaged or cut. needs .* ffmpeg"):
            sound_of(content[:there])
