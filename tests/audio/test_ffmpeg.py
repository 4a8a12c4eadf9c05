"""Formats that ffmpeg reads: with a stand-in for it, and with the real one where it is installed."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio import AudioInfo, audio_info, ffmpeg, read_audio, sound_of
from asr.errors import DataError

FOREIGN = {
    "MP4": (b"\0\0\0 ftypM4A \0\0\0\0", "mov"),
    "WebM": (b"\x1aE\xdf\xa3\x9fB\x86\x81", "matroska"),
    "AMR": (b"#!AMR\n", "amr"),
    "WMA": (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    "AAC": (b"\xff\xf1\x60\x40", "aac"),
    "Speex": (b"OggS\0\x02" + bytes(20) + b"\x01\x50Speex   " + bytes(72), "ogg"),
}
Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a program called ffmpeg into PATH, where nothing else is; and a folder for its temporary files."""
    if os.name != "posix":
        pytest.skip("a script is no program here")
    programs = tmp_path / "programs"
    programs.mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))

    def install(code: str) -> None:
        program = programs / "ffmpeg"
        program.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{code}\n")
        program.chmod(0o755)

    return install


@pytest.fixture
def decoded(tmp_path: Path, tone: np.ndarray) -> str:
    """Code that writes the tone as ffmpeg does: a WAV file whose header does not tell its length."""
    file = io.BytesIO()
    soundfile.write(file, tone, 16000, format="WAV", subtype="PCM_16")
    content = file.getvalue()
    at = content.index(b"data") + 4
    (tmp_path / "decoded").write_bytes(content[:at] + b"\xff" * 4 + content[at + 4 :])
    return f"sys.stdout.buffer.write(open({str(tmp_path / 'decoded')!r}, 'rb').read())"


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_missing_ffmpeg_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str):
    monkeypatch.setenv("PATH", "")
    path = tmp_path / "sound"
    path.write_bytes(FOREIGN[kind][0] + bytes(500))
    for function in (audio_info, read_audio, sound_of):
        with pytest.raises(DataError, match=rf"sound: {kind} needs the program ffmpeg, which is not installed"):
            function(path)


@pytest.mark.parametrize("kind", FOREIGN)
def test_ffmpeg_gets_the_file_and_no_more(tmp_path: Path, tone: np.ndarray, install: Install, decoded: str, kind: str):
    install(f"json.dump(sys.argv[1:], open({str(tmp_path / 'arguments')!r}, 'w'))\n{decoded}")
    path = tmp_path / "-sound; x.flac"
    path.write_bytes(FOREIGN[kind][0] + bytes(500))
    assert audio_info(path) == AudioInfo(16000, 1, 32000, kind)
    assert np.array_equal(read_audio(path), tone)
    assert np.array_equal(read_audio(path, start=0.5, duration=0.5), tone[8000:16000])
    given = json.loads((tmp_path / "arguments").read_text())
    before = given[: given.index("-i")]
    assert given[given.index("-i") + 1] == f"file:{path}"
    assert before[before.index("-f") + 1] == FOREIGN[kind][1]
    assert before[before.index("-protocol_whitelist") + 1] == "file"
    assert "-nostdin" in before
    assert np.array_equal(sound_of(path.read_bytes()).samples, tone)
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("sys.exit(3)", r"that ffmpeg cannot read to its end \(status 3\); copy it again"),
        ("pass", r"cannot read to its end \(no sound\)"),
        (
            "print('[mov @ 0x55ab] moov atom not found\\nError', file=sys.stderr); sys.exit(1)",
            r"\(moov atom not found\)",
        ),
        ("DECODED; print('\\x1b[31mpartial file', file=sys.stderr)", r"\(\[31mpartial file\)"),
        ("os.kill(os.getpid(), 9)", r"\(status -9\)"),
        ("time.sleep(60)", "ffmpeg did not finish within 0.5 s; convert the file yourself"),
        (
            "DECODED; sys.stdout.buffer.write(bytes(900000000))",
            "longer than 0 hours, or larger than 4 GiB as WAV; split",
        ),
    ],
)
def test_what_ffmpeg_cannot_read_is_refused(
    tmp_path: Path, install: Install, decoded: str, monkeypatch: pytest.MonkeyPatch, code: str, message: str
):
    monkeypatch.setattr(ffmpeg, "_SECONDS", 0.5 if "sleep" in code else 60)
    monkeypatch.setattr(ffmpeg, "_LONGEST_SECONDS", 60)
    install(code.replace("DECODED", decoded))
    path = tmp_path / "sound.m4a"
    path.write_bytes(FOREIGN["MP4"][0])
    with pytest.raises(DataError, match=message) as caught:
        audio_info(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert not list((tmp_path / "temporary").iterdir())


def test_a_program_that_cannot_be_started(tmp_path: Path, install: Install):
    install("pass")
    (tmp_path / "programs" / "ffmpeg").write_bytes(b"#!/not/there\n")
    with pytest.raises(DataError, match="<bytes>: .*ffmpeg cannot be started .*; reinstall ffmpeg"):
        sound_of(FOREIGN["AMR"][0])


def test_no_room_for_what_it_decodes(tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch):
    install("pass")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(DataError, match="ffmpeg cannot decode it into .*gone .*; free some space there, or set TMPDIR"):
        sound_of(FOREIGN["AMR"][0])


@pytest.mark.skipif(sys.platform != "linux", reason="processes are bound on Linux only")
def test_its_memory_is_bound(install: Install):
    install("time.sleep(0.3); bytes(5 << 30)")
    with pytest.raises(DataError, match="Traceback|MemoryError"):
        sound_of(FOREIGN["AMR"][0])


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize(("ending", "delay"), [("m4a", 0), ("webm", 0), ("aac", 1024), ("wma", 0), ("mka", 0)])
def test_the_real_one(tmp_path: Path, tone: np.ndarray, ending: str, delay: int):
    source, path = tmp_path / "source.wav", tmp_path / f"sound.{ending}"
    soundfile.write(source, tone, 16000)
    written = subprocess.run(["ffmpeg", "-v", "error", "-i", str(source), str(path)], stdin=subprocess.DEVNULL)
    if written.returncode != 0:
        pytest.skip(f"this ffmpeg does not write {ending}")
    signal = read_audio(path)[delay:]
    assert np.corrcoef(signal[4000:28000], tone[4000:28000])[0, 1] > 0.8  # WMA's quality
    content = path.read_bytes()
    assert np.array_equal(sound_of(content).at(16000)[delay:], signal)
    with pytest.raises(DataError, match="that ffmpeg cannot read to its end"):
        sound_of(content[: len(content) // 2])
