from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio import audio_info, read_audio, sound_of
from asr.audio.content import of_bytes
from asr.audio.ogg import check_pages, links
from asr.errors import DataError


def encoded(signal: np.ndarray, subtype: str, rate: int = 16000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, signal, rate, format="OGG", subtype=subtype)
    return file.getvalue()


@pytest.fixture(params=["VORBIS", "OPUS"])
def subtype(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ogg(tone: np.ndarray, subtype: str) -> bytes:
    return encoded(np.tile(tone, 5), subtype)


def test_whole_files_pass(ogg: bytes):
    content = of_bytes(ogg, "a.ogg")
    assert len(links(content, 0)) == 1
    check_pages(content, 0)


def test_every_changed_byte_is_noticed(ogg: bytes):
    for position in range(100, len(ogg), len(ogg) // 50):
        changed = bytearray(ogg)
        changed[position] ^= 0x01
        with pytest.raises(DataError, match="damaged Ogg page|truncated|cannot be read as audio .*; copy"):
            sound_of(bytes(changed))


def test_a_damaged_checksum_is_noticed_where_all_is_read(tmp_path: Path, ogg: bytes):
    changed = bytearray(ogg)
    changed[ogg.index(b"OggS", len(ogg) // 2) + 22] ^= 0x01
    path = tmp_path / "a.ogg"
    path.write_bytes(changed)
    with pytest.raises(DataError, match=r"a\.ogg: damaged Ogg page at byte \d+; copy it again"):
        read_audio(path)
    assert audio_info(path).frames == 160000  # looks at no checksums


def test_a_file_cut_between_pages_is_noticed(ogg: bytes):
    with pytest.raises(DataError, match="its last Ogg page is cut or not marked as the end; .*ffmpeg"):
        sound_of(ogg[: ogg.rfind(b"OggS")])
    continued = bytearray(ogg)
    continued[ogg.rfind(b"OggS") + 5] = 0x01  # "goes on from the page before" instead of "the last"
    with pytest.raises(DataError, match="not marked as the end"):
        sound_of(bytes(continued))
    assert len(sound_of(ogg + b"a tag behind the end").samples) == 160000


def test_files_one_behind_the_other_are_all_read(tmp_path: Path, tone: np.ndarray, subtype: str):
    """What `cat a.ogg b.ogg c.ogg` makes; the same twice has the same serial number twice."""
    parts = [encoded(tone, subtype), encoded(tone[:20000], subtype), encoded(tone, subtype)]
    path = tmp_path / "chained.ogg"
    path.write_bytes(b"".join([*parts, parts[-1]]))
    expected = np.concatenate([sound_of(part).samples for part in [*parts, parts[-1]]])
    assert audio_info(path).frames == len(expected) == 116000
    assert np.array_equal(read_audio(path), expected)
    for start, duration in ((1.5, 1.0), (2.5, 0.5), (3.0, 3.0), (0.0, 7.0), (7.0, None)):
        begin, end = round(start * 16000), None if duration is None else round((start + duration) * 16000)
        np.testing.assert_allclose(read_audio(path, start, duration), expected[begin:end], atol=1e-4)


def test_a_cut_or_damaged_file_among_several_is_noticed(tone: np.ndarray, subtype: str):
    one = encoded(tone, subtype)
    without_end = one[: one.rfind(b"OggS")]
    with pytest.raises(DataError, match="truncated: the Ogg stream before byte"):
        sound_of(without_end + one)
    with pytest.raises(DataError, match="truncated: its last Ogg page is cut"):
        sound_of(one + without_end)
    with pytest.raises(DataError, match="truncated: its last Ogg page is cut"):
        sound_of(one + one[:-1])
    with pytest.raises(DataError, match="damaged Ogg page at byte"):
        sound_of(one[:-1] + one)


def test_streams_that_do_not_fit_together_are_refused(tone: np.ndarray, subtype: str):
    two = np.stack([tone, tone], axis=1)
    with pytest.raises(DataError, match="16000 Hz with 1 channels, then 16000 Hz with 2 channels.; split it"):
        sound_of(encoded(tone, subtype) + encoded(two, subtype), channel=0)
    with pytest.raises(DataError, match="16000 Hz with 1 channels, then 8000 Hz"):
        sound_of(encoded(tone, subtype) + encoded(tone, subtype, 8000))


def test_pages_without_number_are_refused_at_once(ogg: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("asr.audio.ogg._MOST_PAGES", 1000)
    page = b"OggS" + bytes(22) + b"\0"
    with pytest.raises(DataError, match="<bytes>: has more than 1000 Ogg pages; split it"):
        sound_of(ogg[: ogg.index(b"OggS", 4)] + page * 1001)
