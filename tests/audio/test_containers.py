from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio import audio_info, read_audio
from asr.audio.containers import check_mp3_length, check_ogg_end, check_ogg_pages, check_wave
from asr.errors import DataError


def wave(*chunks: tuple[bytes, bytes], order: str = "<") -> bytes:
    """A RIFF file of these chunks."""
    body = b"".join(
        name + struct.pack(f"{order}I", len(content)) + content + bytes(len(content) % 2) for name, content in chunks
    )
    return (b"RIFF" if order == "<" else b"RIFX") + struct.pack(f"{order}I", 4 + len(body)) + b"WAVE" + body


FORMAT = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)  # PCM, one channel


def test_other_chunks_are_stepped_over(tmp_path: Path):
    samples = np.arange(-50, 50, dtype="<i2")
    content = wave((b"LIST", b"odd"), (b"fmt ", FORMAT), (b"data", samples.tobytes()), (b"id3 ", b"tail"))
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert np.array_equal(read_audio(path) * 32768, samples)
    path.write_bytes(content[:-20])
    with pytest.raises(DataError, match="truncated: its header promises 200 bytes of samples, 192 are there"):
        check_wave(path)


def test_big_endian_wave(tmp_path: Path):
    samples = np.arange(100, dtype=">i2")
    path = tmp_path / "a.wav"
    path.write_bytes(wave((b"fmt ", struct.pack(">HHIIHH", 1, 1, 16000, 32000, 2, 16)), (b"data", samples.tobytes()),
                          order=">"))  # fmt: skip
    assert np.array_equal(read_audio(path) * 32768, samples)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(DataError, match="promises 200 bytes of samples, 150 are there"):
        read_audio(path)


@pytest.mark.parametrize("promised", [0xFFFFFFFF, 0x7FFFF000])
def test_a_wave_written_into_a_pipe_is_read_to_its_end(tmp_path: Path, promised: int):
    """ffmpeg and sox cannot go back to fill in the length, and put these."""
    samples = np.arange(100, dtype="<i2").tobytes()
    path = tmp_path / "a.wav"
    path.write_bytes(wave((b"fmt ", FORMAT)) + b"data" + struct.pack("<I", promised) + samples)
    assert len(read_audio(path)) == 100


def test_a_wave_without_samples_is_refused(tmp_path: Path):
    path = tmp_path / "a.wav"
    for content in (wave((b"fmt ", FORMAT)), wave(), b"RIFF\x04\0\0\0WAVE" + b"junk\0\0\0\0" * 2000):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.wav: "):
            audio_info(path)


@pytest.fixture(params=["VORBIS", "OPUS"])
def ogg(tmp_path: Path, tone: np.ndarray, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "a.ogg"
    soundfile.write(path, np.tile(tone, 5), 16000, format="OGG", subtype=request.param)
    return path


def test_whole_ogg_files_pass(ogg):
    check_ogg_end(ogg)
    check_ogg_pages(ogg)


def test_every_changed_byte_of_an_ogg_file_is_noticed(ogg):
    content = ogg.read_bytes()
    for position in range(100, len(content), len(content) // 50):
        changed = bytearray(content)
        changed[position] ^= 0x01
        ogg.write_bytes(changed)
        with pytest.raises(DataError, match="damaged at byte"):
            check_ogg_pages(ogg)


def test_an_ogg_file_cut_between_pages_is_noticed(ogg):
    content = ogg.read_bytes()
    ogg.write_bytes(content[: content.rfind(b"OggS")])
    with pytest.raises(DataError, match="last Ogg page is cut or not marked as the end; .*ffmpeg"):
        audio_info(ogg)
    continued = bytearray(content)
    continued[content.rfind(b"OggS") + 5] = 0x01  # "goes on from the page before" instead of "the last"
    ogg.write_bytes(continued)
    with pytest.raises(DataError, match="not marked as the end"):
        check_ogg_end(ogg)
    ogg.write_bytes(content + b"a tag behind the end")
    assert audio_info(ogg).frames == 160000


def test_an_mp3_must_tell_its_length(tmp_path: Path, tone: np.ndarray):
    path = tmp_path / "a.mp3"
    soundfile.write(path, tone, 16000, format="MP3", bitrate_mode="VARIABLE")
    content = path.read_bytes()
    check_mp3_length(path)
    tag = b"ID3\x03\0\0" + bytes([0, 0, 1, 2]) + bytes(130)  # a size of seven bits a byte: 1 * 128 + 2
    path.write_bytes(tag + content)
    assert len(read_audio(path)) == 32000
    untold = bytearray(content)
    untold[content.find(b"Xing") + 7] &= 0xFE  # the flag that says the number of frames follows
    path.write_bytes(untold)
    with pytest.raises(DataError, match="does not tell its length"):
        check_mp3_length(path)
    path.write_bytes(content[content.find(content[:2], 4) :])  # without the first frame, which holds the header
    with pytest.raises(DataError, match=r"a\.mp3: an MP3 file that does not tell its length .*ffmpeg"):
        audio_info(path)
