from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio import audio_info, read_audio, sound_of
from asr.errors import DataError, DataWarning

FORMAT = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)  # PCM, one channel
SAMPLES = np.arange(-800, 800, dtype=np.int16)
CHUNKED = ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF"]


def wave(*chunks: tuple[bytes, bytes], order: str = "<") -> bytes:
    """A RIFF file of these chunks."""
    body = b"".join(
        name + struct.pack(f"{order}I", len(content)) + content + bytes(len(content) % 2) for name, content in chunks
    )
    return (b"RIFF" if order == "<" else b"RIFX") + struct.pack(f"{order}I", 4 + len(body)) + b"WAVE" + body


def encoded(kind: str, subtype: str = "PCM_16", endian: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, SAMPLES, 16000, format=kind, subtype=subtype, endian=endian)
    return file.getvalue()


def integers(content: bytes) -> np.ndarray:
    """The samples on the grid of 16 bits."""
    return sound_of(content).samples * 32768


def put(content: bytes, position: int, new: bytes) -> bytes:
    return content[:position] + new + content[position + len(new) :]


@pytest.mark.parametrize("kind", CHUNKED)
def test_every_format_is_read_and_a_cut_one_refused(tmp_path: Path, kind: str):
    content = encoded(kind)
    path = tmp_path / "sound"
    path.write_bytes(content)
    assert audio_info(path).format == kind
    assert np.array_equal(read_audio(path) * 32768, SAMPLES)
    assert np.array_equal(read_audio(path, start=0.01, duration=0.02) * 32768, SAMPLES[160:480])
    assert np.array_equal(integers(content), SAMPLES)
    for there in (len(content) - 1, len(content) - 1000):
        path.write_bytes(content[:there])
        with pytest.raises(DataError, match=r"sound: truncated: its header says 32\d\d bytes of samples, \d+ are"):
            audio_info(path)


@pytest.mark.parametrize("kind", CHUNKED)
def test_a_file_without_samples_is_refused(kind: str):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(0), 16000, format=kind, subtype="PCM_16")
    with pytest.raises(DataError, match="<bytes>: holds no samples; record it again"):
        sound_of(file.getvalue())


def unfinished() -> dict[str, bytes]:
    """Files whose header says 0 bytes of samples, as a writer leaves it that could not go back."""
    wav, rf64, w64, aiff, au, caf = (encoded(kind) for kind in ("WAV", "RF64", "W64", "AIFF", "AU", "CAF"))
    rifx = encoded("WAV", endian="BIG")
    no_size = bytes(4)
    return {
        "WAV": put(wav, wav.index(b"data") + 4, no_size),
        "WAV, RIFF too": put(put(wav, wav.index(b"data") + 4, no_size), 4, no_size),
        "RIFX": put(put(rifx, rifx.index(b"data") + 4, no_size), 4, no_size),
        "RF64": put(rf64, 20, bytes(24)),
        "W64": put(w64, w64.index(b"data") + 16, bytes(8)),
        "AIFF": put(put(aiff, aiff.index(b"SSND") + 4, no_size), aiff.index(b"COMM") + 10, no_size),
        "AU": put(au, 8, no_size),
        "CAF": put(caf, caf.index(b"data") + 4, bytes(8)),
    }


@pytest.mark.parametrize("name", unfinished())
def test_samples_are_read_that_the_header_does_not_count(name: str):
    with pytest.warns(DataWarning, match="<bytes>: its header says 0 bytes of samples, but 32.. are there; all of"):
        assert np.array_equal(integers(unfinished()[name]), SAMPLES)


def streamed() -> dict[str, bytes]:
    """Files whose header says that the samples reach up to the end, each in its format's way."""
    wav, rf64, w64, aiff, au, caf = (encoded(kind) for kind in ("WAV", "RF64", "W64", "AIFF", "AU", "CAF"))
    return {
        "WAV of ffmpeg": put(wav, wav.index(b"data") + 4, b"\xff\xff\xff\xff"),
        "WAV of sox": put(wav, wav.index(b"data") + 4, b"\x00\xf0\xff\x7f"),
        "RF64": put(rf64, 28, b"\xff" * 8),
        "W64 of ffmpeg": put(w64, w64.index(b"data") + 16, struct.pack("<Q", (1 << 63) - 1)),
        "AIFF of sox": put(aiff, aiff.index(b"SSND") + 4, b"\x7f\xff\x00\x08"),
        "AU": put(au, 8, b"\xff\xff\xff\xff"),
        "CAF": put(caf, caf.index(b"data") + 4, b"\xff" * 8),
    }


@pytest.mark.parametrize("name", streamed())
def test_a_stream_is_read_to_its_end_without_a_warning(name: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(integers(streamed()[name]), SAMPLES)


def test_other_chunks_are_stepped_over(tmp_path: Path):
    samples = SAMPLES.astype("<i2").tobytes()
    content = wave((b"LIST", b"odd"), (b"fmt ", FORMAT), (b"data", samples), (b"id3 ", b"tail"))
    assert np.array_equal(integers(content), SAMPLES)
    with pytest.raises(DataError, match="truncated: its header says 3200 bytes of samples, 3192 are there"):
        sound_of(content[:-20])


def test_big_endian_wave():
    content = wave((b"fmt ", struct.pack(">HHIIHH", 1, 1, 16000, 32000, 2, 16)),
                   (b"data", SAMPLES.astype(">i2").tobytes()), order=">")  # fmt: skip
    assert np.array_equal(integers(content), SAMPLES)
    with pytest.raises(DataError, match="says 3200 bytes of samples, 3150 are there"):
        sound_of(content[:-50])


@pytest.mark.parametrize("order", ["<", ">"])
def test_several_data_chunks_are_read_as_one(order: str):
    raw = SAMPLES.astype(f"{order}i2").tobytes()
    head = (b"fmt ", struct.pack(f"{order}HHIIHH", 1, 1, 16000, 32000, 2, 16))
    for parts in ([raw[:1000], raw[1000:]], [b"", raw], [raw, b""], [raw[:2], b"", raw[2:]]):
        content = wave(head, *((b"data", part) for part in parts), (b"LIST", b"more"), order=order)
        with pytest.warns(DataWarning, match="<bytes>: has more than one data chunk; .* in order"):
            assert np.array_equal(integers(content), SAMPLES)
    cut = wave(head, (b"data", raw[:1000]), (b"data", raw[1000:]), order=order)[:-10]
    with pytest.raises(DataError, match="truncated: its header says 2200 bytes of samples, 2190 are there"):
        sound_of(cut)


def test_a_tag_may_stand_before_any_format(tmp_path: Path, tone: np.ndarray):
    tag = b"ID3\x03\0\0" + bytes([0, 0, 1, 2]) + bytes(130)  # a size of seven bits a byte: 1 * 128 + 2
    for kind in (*CHUNKED, "FLAC"):
        assert np.array_equal(integers(tag + encoded(kind)), SAMPLES)
    path = tmp_path / "tagged.wav"
    path.write_bytes(tag * 2 + encoded("WAV"))
    assert np.array_equal(read_audio(path) * 32768, SAMPLES)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(DataError, match="says 3200 bytes of samples, 3193 are there"):
        read_audio(path)


def test_a_wave_without_samples_is_refused():
    empty = wave((b"fmt ", FORMAT))
    for content in (
        empty,
        wave(),
        b"RIFF\x04\0\0\0WAVE" + b"junk\0\0\0\0" * 2000,
        empty + b"data" + bytes(4),
        empty + b"data" + bytes(4) + b"LIST\x04\0\0\0INFO",  # what follows are chunks, not samples
    ):
        with pytest.raises(DataError, match="<bytes>: holds no samples"):
            sound_of(content)


def test_compressed_samples_are_counted_too():
    for subtype in ("IMA_ADPCM", "ULAW"):
        content = encoded("WAV", subtype)
        expected = sound_of(content).samples
        with pytest.warns(DataWarning, match="0 bytes"):
            assert np.array_equal(sound_of(put(content, content.index(b"data") + 4, bytes(4))).samples, expected)
