from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio import AudioInfo, audio_info, read_audio
from asr.errors import DataError

SAMPLES = np.arange(-700, 700, dtype=np.int16)
FIELDS = {
    "sample_count": "-i 1400",
    "sample_n_bytes": "-i 2",
    "channel_count": "-i 1",
    "sample_byte_format": "-s2 01",
    "sample_rate": "-i 16000",
    "sample_coding": "-s3 pcm",
}


def sphere(fields: dict[str, str | None], samples: bytes, size: int = 1024) -> bytes:
    """A SPHERE file; `fields` go over `FIELDS`, None leaves one out."""
    lines = [f"{name} {value}" for name, value in {**FIELDS, **fields}.items() if value is not None]
    head = "\n".join(["NIST_1A", f"{size:7d}", "; made by a test", *lines, "end_head", ""])
    return head.encode().ljust(size, b" ") + samples


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sa1.wav"  # as TIMIT calls them


@pytest.mark.parametrize(("order", "dtype"), [("01", "<i2"), ("10", ">i2")])
@pytest.mark.parametrize("size", [1024, 2048])
def test_both_byte_orders(path, order, dtype, size):
    path.write_bytes(sphere({"sample_byte_format": f"-s2 {order}"}, SAMPLES.astype(dtype).tobytes(), size))
    assert audio_info(path) == AudioInfo(16000, 1, 1400, "SPHERE")
    assert np.array_equal(read_audio(path) * 32768, SAMPLES)
    assert np.array_equal(read_audio(path, start=0.01, duration=0.02) * 32768, SAMPLES[160:480])


def test_channels_are_interleaved(path):
    two = np.stack([SAMPLES, SAMPLES[::-1]], axis=1)
    path.write_bytes(sphere({"channel_count": "-i 2"}, two.tobytes()))
    assert np.array_equal(read_audio(path, channel=1) * 32768, SAMPLES[::-1])
    with pytest.raises(DataError, match="has 2 channels; choose one"):
        read_audio(path)


@pytest.mark.parametrize("coding", ["ulaw", "mu-law"])
def test_mu_law_is_that_of_libsndfile(path, coding):
    """All 256 codes, against libsndfile's decoder of the same bytes."""
    codes = bytes(range(256))
    fields = {"sample_coding": f"-s{len(coding)} {coding}", "sample_n_bytes": "-i 1", "sample_count": "-i 256"}
    path.write_bytes(sphere({**fields, "sample_byte_format": "-s1 1", "sample_rate": "-i 8000"}, codes))
    raw = path.with_name("codes.raw")
    raw.write_bytes(codes)
    expected, _ = soundfile.read(raw, samplerate=8000, channels=1, subtype="ULAW", format="RAW", dtype="float32")
    assert audio_info(path).rate == 8000
    assert np.array_equal(read_audio(path, rate=8000), expected)


def test_the_count_may_be_missing_and_more_bytes_may_follow(path):
    path.write_bytes(sphere({"sample_count": None}, SAMPLES.tobytes()))
    assert audio_info(path).frames == 1400
    path.write_bytes(sphere({}, SAMPLES.tobytes() + b"more"))
    assert len(read_audio(path)) == 1400


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"sample_coding": "-s26 pcm,embedded-shorten-v2.00"},
            "sample_coding 'pcm,embedded-shorten-v2.00' is not supported",
        ),
        ({"sample_coding": "-s4 alaw"}, "sample_coding 'alaw' is not supported .*; convert it with `sph2pipe -f wav`"),
        ({"sample_n_bytes": "-i 4"}, "4-byte pcm samples is not supported"),
        ({"sample_byte_format": "-s4 0123"}, "sample_byte_format '0123'; expected 01 or 10"),
        ({"sample_byte_format": None}, "sample_byte_format ''; expected 01 or 10"),
        ({"sample_rate": None}, "its SPHERE header has no sample_rate; copy it again"),
        ({"sample_coding": "-s9 \x1b[31m"}, r"sample_coding '\\x1b\[31m' is not supported"),
        ({"sample_rate": "-i \x07"}, r"sample_rate '\\x07'; expected a whole number"),
        ({"sample_coding": "-s9 " + 500 * "x"}, "sample_coding 'x{40}' is not supported"),
        ({"sample_rate": "-i 1e4"}, "sample_rate '1e4'; expected a whole number above 0"),
        ({"channel_count": "-i 0"}, "channel_count '0'; expected a whole number above 0"),
        ({"sample_count": "-i -5"}, "sample_count '-5'; expected a whole number"),
        ({"sample_count": "-i 99999999999999999999"}, "sample_count '99999999999999999999'; expected"),
        ({"sample_count": "-i 999999999999"}, "says 999999999999 samples, 1400 are there"),
        ({"sample_rate": "-i 999999999"}, "a rate of 999999999 Hz"),
    ],
)
def test_headers_that_cannot_be_are_refused(path, fields, message):
    path.write_bytes(sphere(fields, SAMPLES.tobytes()))
    with pytest.raises(DataError, match=message) as caught:
        read_audio(path)
    assert str(path) in str(caught.value)


def test_cut_files_are_refused(path):
    content = sphere({}, SAMPLES.tobytes())
    for length, message in {
        10: "expected NIST_1A and the header's size at its start",
        600: r"truncated inside its SPHERE header \(600 of 1024 bytes\)",
        1024: "says 1400 samples, 0 are there",
        len(content) - 1: "says 1400 samples, 1399 are there; copy it again",
    }.items():
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match=message):
            audio_info(path)


def test_a_header_of_any_size_is_not_read(path):
    path.write_bytes(b"NIST_1A\n9999999\n" + bytes(2000))
    with pytest.raises(DataError, match="claims a size of 9999999 bytes"):
        audio_info(path)
    path.write_bytes(sphere({}, b"").replace(b"end_head", b"no_head!"))
    with pytest.raises(DataError, match="no end_head"):
        audio_info(path)


def test_real_files_hold_what_the_wave_files_hold(shared_data):
    """The 20 SPHERE originals of the TIMIT sample beside their RIFF copies."""
    root = shared_data / "timit_sample"
    originals = sorted((root / "sph_samples").rglob("*.sph"))
    assert len(originals) == 20
    for path in originals:
        expected, rate = soundfile.read(root / "timit" / path.parent.name / f"{path.stem}.wav", dtype="float32")
        assert audio_info(path) == AudioInfo(rate, 1, len(expected), "SPHERE")
        assert np.array_equal(read_audio(path), expected)
