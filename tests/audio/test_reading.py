from __future__ import annotations

import errno
import os
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio import AudioInfo, audio_info, read_audio
from asr.audio.content import View
from asr.errors import DataError

FORMATS = {"WAV": ("PCM_16", "wav"), "FLAC": ("PCM_16", "flac"), "OGG": ("VORBIS", "ogg"), "OPUS": ("OPUS", "opus"),
           "MP3": ("MPEG_LAYER_III", "mp3")}  # fmt: skip


def write(folder: Path, kind: str, signal: np.ndarray, rate: int = 16000) -> Path:
    subtype, ending = FORMATS[kind]
    path = folder / f"sound.{ending}"
    soundfile.write(path, signal, rate, subtype=subtype, format="OGG" if kind == "OPUS" else kind)
    return path


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_read(tmp_path, tone, kind):
    path = write(tmp_path, kind, tone)
    assert audio_info(path) == AudioInfo(16000, 1, 32000, "OGG" if kind == "OPUS" else kind)
    signal = read_audio(path)
    assert signal.dtype == np.float32
    assert signal.shape == (32000,)
    if kind in ("WAV", "FLAC"):
        assert np.array_equal(signal, tone)
    else:  # lossy: the tone is there, at its place
        assert np.corrcoef(signal[1000:-1000], tone[1000:-1000])[0, 1] > 0.9


@pytest.mark.parametrize("kind", FORMATS)
def test_a_segment_is_that_part_of_the_whole(tmp_path, tone, kind):
    path = write(tmp_path, kind, tone)
    whole = read_audio(path)
    np.testing.assert_allclose(read_audio(path, start=0.5, duration=0.7), whole[8000:19200], atol=1e-6)
    np.testing.assert_allclose(read_audio(path, start=1.9), whole[30400:], atol=1e-6)
    np.testing.assert_allclose(read_audio(path, duration=0.1), whole[:1600], atol=1e-6)


def test_the_content_counts_not_the_name(tmp_path, tone):
    path = write(tmp_path, "FLAC", tone).rename(tmp_path / "sound.wav")
    assert np.array_equal(read_audio(path), tone)


@pytest.mark.parametrize(
    ("subtype", "step"), [("PCM_U8", 2**-7), ("PCM_24", 2**-23), ("FLOAT", 0.0), ("DOUBLE", 1e-7), ("ULAW", 0.02)]
)
def test_every_sample_type_has_full_scale_1(tmp_path, tone, subtype, step):
    path = tmp_path / "sound.wav"
    soundfile.write(path, tone, 16000, subtype=subtype)
    np.testing.assert_allclose(read_audio(path), tone, atol=step)


def test_a_channel_is_chosen(tmp_path, tone):
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([tone, -tone], axis=1), 16000)
    assert np.array_equal(read_audio(path, channel=0), tone)
    assert np.array_equal(read_audio(path, channel=1), -tone)
    with pytest.raises(DataError, match=r"stereo\.wav: has 2 channels; choose one .* \(0 or 1\), or .* mix"):
        read_audio(path)
    with pytest.raises(DataError, match=r"stereo\.wav: has no channel 2; it has 2, counted from 0"):
        read_audio(path, channel=2)
    mono = write(tmp_path, "WAV", tone)
    assert np.array_equal(read_audio(mono, channel=0), tone)
    with pytest.raises(DataError, match="has no channel 1; it has 1"):
        read_audio(mono, channel=1)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_another_rate_is_resampled(tmp_path, rate):
    tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    path = tmp_path / "sound.wav"
    soundfile.write(path, 0.5 * tone, rate)
    signal = read_audio(path, rate=16000)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    assert signal.shape == (16000,)
    np.testing.assert_allclose(signal[500:-500], expected[500:-500], atol=1e-3)


@pytest.mark.parametrize(
    ("start", "duration", "message"),
    [
        (2.0, None, "the segment 2 to 2 s lies outside the file, which ends at 2 s"),
        (1.5, 0.6, "the segment 1.5 to 2.1 s lies outside"),
        (-0.1, None, "expected start >= 0"),
        (0.5, 0.0, "expected start >= 0 and duration > 0"),
        (float("nan"), 1.0, "a segment from nan s"),
        (0.0, float("inf"), "for inf s"),
    ],
)
def test_a_segment_outside_the_file_is_refused(tmp_path, tone, start, duration, message):
    path = write(tmp_path, "WAV", tone)
    with pytest.raises(DataError, match=message) as caught:
        read_audio(path, start=start, duration=duration)
    assert str(path) in str(caught.value)


def test_times_rounded_in_a_manifest_pass(tmp_path, tone):
    path = write(tmp_path, "WAV", tone)
    assert len(read_audio(path, start=1.0, duration=1.004)) == 16000
    assert len(read_audio(path, start=1.0, duration=1e-9)) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, tone, value):
    tone[1234] = value
    path = tmp_path / "bad.wav"
    soundfile.write(path, tone, 16000, subtype="FLOAT")
    with pytest.raises(DataError, match=rf"bad\.wav: sample 1234 is {value}; write the file again"):
        read_audio(path)
    with pytest.raises(DataError, match="sample 1234 is"):
        read_audio(path, start=0.05)
    assert len(read_audio(path, start=0.5)) == 24000


@pytest.mark.parametrize("value", [3e38, -2e9])
def test_samples_that_no_sound_has_are_refused(tmp_path, tone, value):
    tone[1234] = value
    tone[1235] = 1e9  # the largest that passes
    path = tmp_path / "loud.wav"
    soundfile.write(path, tone, 16000, subtype="FLOAT")
    with pytest.raises(DataError, match=re.escape(f"loud.wav: sample 1234 is {np.float32(value)}; write the file")):
        read_audio(path)
    assert len(read_audio(path, start=1235 / 16000)) == 32000 - 1235


@pytest.mark.parametrize("kind", FORMATS)
def test_a_name_need_not_be_utf8(tmp_path, tone, kind):
    path = write(tmp_path, kind, tone)
    named = tmp_path / os.fsdecode(b"caf\xe9.wav")
    try:
        path.rename(named)
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    assert audio_info(named).frames == 32000
    assert len(read_audio(named)) == 32000


def test_files_that_are_no_sound_are_refused(tmp_path):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("transcripts are not sound\n" * 20)
    (tmp_path / "samples.raw").write_bytes(bytes(3200))
    soundfile.write(tmp_path / "nothing.wav", np.zeros(0), 16000)
    soundfile.write(tmp_path / "sound.voc", np.zeros(100), 16000)
    for name, message in {
        "missing.wav": "no such file; check the path",
        "empty.wav": r"is empty \(0 bytes\)",
        "text.wav": r"cannot be read as audio \(Format not recognised\); expected WAV, FLAC, OGG",
        "samples.raw": "cannot be read as audio",
        "nothing.wav": "holds no samples",
        "sound.voc": "the format VOC is not supported; convert it to WAV",
        ".": "not a file; name a sound file",
    }.items():
        for function in (audio_info, read_audio):
            with pytest.raises(DataError, match=message) as caught:
                function(tmp_path / name)
            assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nul\0.wav", "its name holds a NUL character; check the path"),
        ("x" * 256 + ".wav", "longer than this system allows; check the path"),
        ("x/" * 3000 + "a.wav", "longer than this system allows; check the path"),
        ("\ud800.wav", "its name holds a character that .* do not have; check the path"),
        ("empty.wav/a.wav", "Not a directory"),
    ],
)
def test_names_that_no_file_has_are_refused(tmp_path, name, message):
    """Each in one sentence of ours: Python's own differ between its versions."""
    (tmp_path / "empty.wav").touch()
    for function in (audio_info, read_audio):
        with pytest.raises(DataError, match=message) as caught:
            function(os.path.join(tmp_path, name))
        assert str(caught.value).startswith(f"{os.path.join(tmp_path, name)}: cannot be read: ")
        assert "\n" not in str(caught.value)


def test_a_file_that_may_not_be_read_is_refused(tmp_path, tone, monkeypatch):
    path = write(tmp_path, "WAV", tone)

    def refuse(*_: object) -> None:  # root may read all, so permissions alone are no test
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"sound\.wav: cannot be read: you may not read it; change its permissions"):
        read_audio(path)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG"])
def test_a_medium_that_fails_is_told_of(tmp_path, tone, monkeypatch, kind):
    """libsndfile takes a failing disk for the end of the file; here the file is one that it reads through Python."""
    path = write(tmp_path, kind, tone).rename(tmp_path / "sound.raw")
    read = View.readinto

    def failing(self: View, buffer: memoryview) -> int:
        self.error = OSError(errno.EIO, "Input/output error")
        return 0 if self.tell() > 200 else read(self, buffer)

    monkeypatch.setattr(View, "readinto", failing)
    with pytest.raises(DataError, match=r"sound\.raw: cannot be read: Input/output error"):
        read_audio(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe: not a file"):
        read_audio(tmp_path / "pipe")


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.99])
def test_a_cut_file_is_refused(tmp_path, tone, kind, share):
    path = write(tmp_path, kind, tone)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match="truncated|cannot be read as audio"):
        read_audio(path)


@pytest.mark.parametrize("kind", ["FLAC", "OGG", "OPUS"])
def test_a_damaged_file_is_refused(tmp_path, tone, kind):
    """The formats that carry checksums; 16 bytes are changed in the middle."""
    path = write(tmp_path, kind, tone)
    content = bytearray(path.read_bytes())
    middle = 2 * len(content) // 3
    content[middle : middle + 16] = bytes(byte ^ 0x5A for byte in content[middle : middle + 16])
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        read_audio(path)


def test_a_forged_length_does_not_allocate(tmp_path, tone):
    """A FLAC header that promises 2^36 - 1 samples (1193 hours, 275 GB), and one that promises 5 hours."""
    path = write(tmp_path, "FLAC", tone)
    content = bytearray(path.read_bytes())
    content[21] |= 0x0F  # total samples: the last 36 bits of the 8 bytes from byte 18 on (FLAC format, STREAMINFO)
    content[22:26] = b"\xff" * 4
    path.write_bytes(content)
    with pytest.raises(DataError, match="1193.0 hours in one piece; at most 6 are supported; give start and duration"):
        read_audio(path)
    content[21] &= 0xF0
    content[22:26] = struct.pack(">I", 5 * 3600 * 16000)
    path.write_bytes(content)
    with pytest.raises(DataError, match="truncated"):
        read_audio(path)


@pytest.mark.parametrize(("rate", "named"), [(1, "1 Hz"), (4_000_000_000, "4000000000 Hz|cannot be read as audio")])
def test_a_senseless_rate_is_refused(tmp_path, tone, rate, named):
    path = write(tmp_path, "WAV", tone)
    content = bytearray(path.read_bytes())
    content[24:28] = struct.pack("<I", rate)
    path.write_bytes(content)
    with pytest.raises(DataError, match=named):
        audio_info(path)


def test_real_files(shared_data):
    """AN4: the whole corpus is 16 kHz mono FLAC; this recording's length by its own README tool, soundfile."""
    paths = sorted((shared_data / "an4" / "an4" / "wav" / "an4test_clstk").rglob("*.flac"))
    assert len(paths) == 130
    for path in paths[:5]:
        expected, rate = soundfile.read(path, dtype="float32")
        assert audio_info(path) == AudioInfo(rate, 1, len(expected), "FLAC")
        assert np.array_equal(read_audio(path), expected)
