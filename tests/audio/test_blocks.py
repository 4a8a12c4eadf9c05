"""A recording in blocks gives the same samples, and the same complaints, as a recording read at once."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asr.audio import Sound, audio_info, opening, read_audio, sound_of
from asr.audio.blocks import SoundBlocks, sound_blocks
from asr.audio.resampling import resample, resample_blocks
from asr.errors import DataError

RATE = 16000
FORMATS = {
    "pcm.wav": {"format": "WAV", "subtype": "PCM_16"},
    "float.wav": {"format": "WAV", "subtype": "FLOAT"},
    "sound.flac": {"format": "FLAC"},
    "vorbis.ogg": {"format": "OGG", "subtype": "VORBIS"},
    "opus.ogg": {"format": "OGG", "subtype": "OPUS"},
    "sound.aiff": {"format": "AIFF", "subtype": "PCM_16"},
    "sound.mp3": {"format": "MP3"},
    "gsm.wav": {"format": "WAV", "subtype": "GSM610"},
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_BLOCK_SAMPLES", 6000)


def written(folder: Path, name: str, signal: NDArray[np.float32], rate: int = RATE) -> Path:
    path = folder / name
    soundfile.write(path, signal, rate, **FORMATS[name])
    return path


def together(blocks: SoundBlocks) -> NDArray[np.float32]:
    several = list(blocks)
    assert len(several) > 3
    assert all(block.dtype == np.float32 and block.ndim == 1 for block in several)
    return np.concatenate(several)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("rate", [RATE, 8000])
def test_blocks_are_the_file(tmp_path: Path, tone: NDArray[np.float32], name: str, rate: int):
    path = written(tmp_path, name, tone)
    expected = read_audio(path, rate=rate)
    with sound_blocks(path, rate) as blocks:
        assert blocks.seconds == audio_info(path).seconds
        assert np.array_equal(blocks.whole(), expected)
        tolerance = 5e-7 if name == "sound.mp3" else 0.0  # its decoder rounds differently after going back
        for _ in range(2):
            np.testing.assert_allclose(together(blocks), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("rate", [RATE, 11025])
def test_a_channel_of_a_segment(tmp_path: Path, tone: NDArray[np.float32], rate: int):
    path = written(tmp_path, "sound.flac", np.stack([tone, tone[::-1]], axis=1))
    for channel in (0, 1):
        with sound_blocks(path, rate, channel, start=0.25, duration=1.5) as blocks:
            assert blocks.seconds == 1.5
            assert np.array_equal(together(blocks), read_audio(path, 0.25, 1.5, channel, rate))


def test_chained_ogg(shared_cases: Path):
    for path in (shared_cases / "ogg_chained").glob("*_chained.ogg"):
        with sound_blocks(path, RATE) as blocks:
            for _ in range(2):
                assert np.array_equal(together(blocks), read_audio(path))


def test_a_sphere_file(tmp_path: Path, tone: NDArray[np.float32]):
    head = "NIST_1A\n   1024\nsample_rate -i 16000\nsample_n_bytes -i 2\nsample_byte_format -s2 01\nend_head\n"
    path = tmp_path / "sound.sph"
    path.write_bytes(head.encode().ljust(1024) + (tone * 32768).astype("<i2").tobytes())
    with sound_blocks(path, RATE) as blocks:
        for _ in range(2):
            assert np.array_equal(together(blocks), tone)


class Pipe(io.RawIOBase):
    """A stream that can be read once."""

    def __init__(self, data: bytes) -> None:
        self.file, self.name = io.BytesIO(data), "pipe"

    def read(self, size: int = -1) -> bytes:
        return self.file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        raise OSError("no seeking")


def test_every_form_of_a_source(tmp_path: Path, tone: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch):
    path = written(tmp_path, "sound.flac", tone)
    data = path.read_bytes()
    monkeypatch.setattr("asr.audio.content._MOST_IN_MEMORY", 10_000)
    monkeypatch.setattr("asr.audio.blocks._BLOCK_SAMPLES", 6000)
    sources: list[Any] = [str(path), data, {"bytes": data}, {"path": str(path)}, Pipe(data), Sound(tone, RATE)]
    sources += [(tone, RATE), {"array": tone, "sampling_rate": RATE}, (np.round(tone * 32767).astype(np.int16), RATE)]
    for source in sources:
        with sound_blocks(source, RATE) as blocks:
            first, second = together(blocks), together(blocks)
            assert np.array_equal(first, second)
            np.testing.assert_allclose(first, tone, rtol=0, atol=1e-4)
    with sound_blocks(list(tone), RATE, own_rate=RATE) as blocks:
        assert np.array_equal(together(blocks), tone)


@given(st.lists(st.integers(0, 700), min_size=1, max_size=8), st.sampled_from([8000, 22050, 32000, 44100, 48000]))
def test_resampling_in_blocks_is_resampling(sizes: list[int], rate: int):
    """Of 5 samples at 32 kHz soxr makes 3 at 16 kHz, where 2 are meant."""
    signal = np.random.default_rng(sum(sizes)).standard_normal(max(1, sum(sizes))).astype(np.float32)
    blocks = np.split(signal, np.cumsum(sizes)[:-1])
    assert np.array_equal(np.concatenate(list(resample_blocks(blocks, rate, RATE))), resample(signal, rate, RATE))


def failure(call: Any) -> str:
    with pytest.raises(DataError) as caught:
        call()
    return str(caught.value)


def consumed(path: Path, **options: Any) -> None:
    with sound_blocks(path, RATE, **options) as blocks:
        for _ in blocks:
            pass


def test_the_same_complaints(tmp_path: Path, tone: NDArray[np.float32]):
    bad = tone.copy()
    bad[20_001] = np.nan
    cut = tmp_path / "cut.flac"
    cut.write_bytes(written(tmp_path, "sound.flac", tone).read_bytes()[:30_000])
    paths = [
        written(tmp_path, "float.wav", bad),
        written(tmp_path, "sound.aiff", np.stack([tone, tone], axis=1)),
        cut,
        tmp_path / "missing.wav",
        tmp_path,
    ]
    for path in paths:
        assert failure(lambda path=path: consumed(path)) == failure(lambda path=path: read_audio(path))
    assert "sample 20001 is nan" in failure(lambda: consumed(paths[0]))


def test_a_segment_outside_the_file(tmp_path: Path, tone: NDArray[np.float32]):
    path = written(tmp_path, "sound.flac", tone)
    assert "outside the file" in failure(lambda: consumed(path, start=3.0))
    assert "has no channel 7" in failure(lambda: consumed(path, channel=7))


def test_six_hours_are_no_limit_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = written(tmp_path, "sound.flac", np.zeros(1000 * 6 * 3601, dtype=np.float32), rate=1000)
    with sound_blocks(path, 1000) as blocks:
        assert blocks.seconds > 6 * 3600
        assert sum(map(len, blocks)) == blocks.n_samples
        assert "6.0 hours in one piece" in failure(blocks.whole)


def test_an_error_in_the_block_is_not_blamed_on_the_file(tmp_path: Path, tone: NDArray[np.float32]):
    path = written(tmp_path, "sound.flac", tone)
    with pytest.raises(OSError, match="^somebody else's$"), sound_blocks(path, RATE):
        raise OSError("somebody else's")


MEASURED = """
import sys, resource
from asr.audio.blocks import sound_blocks
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for source in (sys.argv[1], open(sys.argv[1], "rb")):
    with sound_blocks(source, 16000, channel=1) as blocks:
        n = sum(len(block) for _ in range(2) for block in blocks)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is kilobytes on Linux")
def test_ten_minutes_take_the_memory_of_one(tmp_path: Path):
    """Decoded, they are 212 MB of two channels."""
    path = tmp_path / "long.wav"
    noise = (np.random.default_rng(0).standard_normal((44100, 2)) * 3000).astype(np.int16)
    with soundfile.SoundFile(path, "w", 44100, 2, subtype="PCM_16") as file:
        for _ in range(600):
            file.write(noise)
    used = subprocess.run([sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=True)
    assert int(used.stdout) < 60  # MiB; the stream itself lies in a temporary file


def test_integers_are_those_of_a_sound(tone: NDArray[np.float32]):
    for dtype in (np.int16, np.int32, np.uint8):
        whole = np.arange(0, 250, dtype=dtype)
        middle = 128 if dtype == np.uint8 else 0
        expected = ((whole.astype(np.float64) - middle) / (1 << 8 * whole.itemsize - 1)).astype(np.float32)
        assert np.array_equal(sound_of(whole, RATE).samples, expected)
