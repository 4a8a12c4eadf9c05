"""Sound files damaged at random: samples or an error of ours, at once, never anything else."""

from __future__ import annotations

import io
import struct
import time
import warnings
from collections import Counter

import numpy as np
import pytest
import soundfile

from asr.audio import sound_of
from asr.errors import DataError
from asr.seeds import generator
from tests.mutations import mutated

SLOWEST = 2.0  # seconds; a hundred times what they take, for machines that are busy
FORMATS = {
    "WAV": "PCM_16", "WAV ": "IMA_ADPCM", "WAV  ": "GSM610", "WAVEX": "FLOAT", "RF64": "PCM_16", "W64": "PCM_16",
    "AIFF": "PCM_16", "AIFF ": "IMA_ADPCM", "AU": "PCM_16", "CAF": "PCM_16", "CAF ": "ALAC_16", "FLAC": "PCM_16",
    "OGG": "VORBIS", "OGG ": "OPUS", "MP3": "MPEG_LAYER_III",
}  # fmt: skip


def encoded(kind: str) -> bytes:
    seconds = np.arange(1600) / 16000
    file = io.BytesIO()
    soundfile.write(file, 0.3 * np.sin(2 * np.pi * 440 * seconds), 16000, format=kind.strip(), subtype=FORMATS[kind])
    return file.getvalue()


def special(kind: str) -> bytes:
    """Files that are put right before libsndfile reads them."""
    if kind == "SPHERE":
        fields = "sample_count -i 1600\nsample_n_bytes -i 2\nchannel_count -i 1\nsample_byte_format -s2 01\n"
        head = f"NIST_1A\n   1024\n{fields}sample_rate -i 16000\nsample_coding -s3 pcm\nend_head\n"
        return head.encode().ljust(1024) + np.arange(1600, dtype="<i2").tobytes()
    if kind == "chained":
        return encoded("OGG") + encoded("OGG ")
    if kind == "streamed FLAC":
        flac = encoded("FLAC")
        return flac[:21] + bytes([flac[21] & 0xF0]) + bytes(4) + flac[26:]
    if kind == "streamed MP3":
        mp3 = encoded("MP3")
        return mp3[mp3.index(mp3[:2], 4) :]
    wave = encoded("WAV")
    if kind == "unfinished":
        return wave[:40] + bytes(4) + wave[44:]
    assert kind == "two chunks"
    return wave[:40] + struct.pack("<I", 1000) + wave[44:1044] + b"data" + struct.pack("<I", 2200) + wave[1044:]


SPECIAL = ("SPHERE", "chained", "streamed FLAC", "streamed MP3", "unfinished", "two chunks")


def survivals(kind: str, n_mutations: int) -> Counter[str]:
    """Read a file after each of many mutations."""
    content = encoded(kind) if kind in FORMATS else special(kind)
    seen: Counter[str] = Counter()
    for k in range(n_mutations):
        began = time.perf_counter()
        told = refusal(mutated(content, generator("audio mutations", kind, k)))
        assert time.perf_counter() - began < SLOWEST, (kind, k)
        assert told is None or (told.startswith("<bytes>: ") and "\n" not in told), (kind, k, told)
        seen["read" if told is None else "refused"] += 1
    return seen


def refusal(content: bytes) -> str | None:
    """What is said of a file that is not read; of one that is, the samples must be sound."""
    try:
        samples = sound_of(content, channel=0).samples
    except DataError as error:
        return str(error)
    assert np.isfinite(samples).all()
    return None


def check(kind: str, n_mutations: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")  # a mutation may look like a format of ffmpeg, which would be slow
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seen = survivals(kind, n_mutations)
    assert min(seen["read"], seen["refused"]) > n_mutations // 100


@pytest.mark.parametrize("kind", [*FORMATS, *SPECIAL])
def test_damaged_files_are_read_or_refused(kind: str, monkeypatch: pytest.MonkeyPatch):
    check(kind, 200, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*FORMATS, *SPECIAL])
def test_many_damaged_files_are_read_or_refused(kind: str, monkeypatch: pytest.MonkeyPatch):
    check(kind, 5000, monkeypatch)


@pytest.mark.parametrize("kind", [*FORMATS, *SPECIAL])
def test_every_cut_is_read_or_refused(kind: str, monkeypatch: pytest.MonkeyPatch):
    """No cut file gives its beginning in silence, but for formats without any length in them."""
    monkeypatch.setenv("PATH", "")
    content = encoded(kind) if kind in FORMATS else special(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = sound_of(content).samples
    for there in range(1, len(content), max(1, len(content) // 40)):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                samples = sound_of(content[:there]).samples
            except DataError:
                continue
        assert told or len(samples) == len(whole), (kind, there)
