"""Decode formats that libsndfile does not support (m4a, WebM, AMR and others) with the program ffmpeg, if installed.

The files may come from anywhere, so ffmpeg is restricted: it gets the format of the file, may open no other file, and
has limits of time, memory and disk space.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from asr.audio.content import Content
from asr.errors import DataError

_SECONDS = 120.0  # time limit; an hour of speech takes about five seconds
_LONGEST_SECONDS = 6 * 3600
_MOST_MEMORY = 4 << 30  # bytes of address space; ffmpeg uses far less memory
_MOST_OUTPUT = (4 << 30) - (1 << 20)  # bytes on disk; the sizes in a WAV file have 32 bits
_BLOCK = 1 << 20
_TOLD = 200  # characters shown of ffmpeg's message


def decoded(content: Content, kind: str, demuxer: str) -> Content:
    """Decode a file with ffmpeg.

    Args:
        content: the file.
        kind: name of its format in error messages.
        demuxer: ffmpeg's name of its format.

    Returns:
        A WAV file of 16-bit samples: a temporary file that is deleted when it is closed.

    Raises:
        DataError: ffmpeg is not installed, cannot read the file, or exceeds a limit.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise DataError(
            f"{content.name}: {kind} needs the program ffmpeg, which is not installed; install it, or convert the file"
            " elsewhere with `ffmpeg -i FILE NEW.flac`"
        )
    try:
        output = tempfile.TemporaryFile(prefix="asr-ffmpeg-")  # noqa: SIM115  (the caller closes it)
    except OSError as error:
        raise _no_room(content, error) from error
    try:
        with tempfile.TemporaryDirectory(prefix="asr-ffmpeg-") as folder:
            source = content.path or _written(content, Path(folder) / "source")
            told, status = _run(_command(program, demuxer, source.absolute()), output, content.name)
        _check(content.name, kind, output, told or (f"status {status}" if status else ""))
    except OSError as error:
        output.close()
        raise _no_room(content, error) from error
    except BaseException:
        output.close()
        raise
    return Content(content.name, output, output.seek(0, 2))


def _check(name: str, kind: str, output: IO[bytes], told: str) -> None:
    """Raise a DataError unless the whole file was decoded; ffmpeg decodes what is left of a cut file and reports it."""
    size = output.seek(0, 2)
    output.seek(28)
    bytes_a_second = int.from_bytes(output.read(4), "little")
    if told or not bytes_a_second:
        raise DataError(
            f"{name}: {kind} that ffmpeg cannot read to its end ({told or 'no sound'}); copy it again, or save what is"
            " left with `ffmpeg -i FILE NEW.flac`"
        )
    if size / bytes_a_second > _LONGEST_SECONDS or size >= _MOST_OUTPUT:
        raise DataError(
            f"{name}: is longer than {_LONGEST_SECONDS // 3600} hours, or larger than 4 GiB as WAV; split it"
        )


def _no_room(content: Content, error: OSError) -> DataError:
    return DataError(
        f"{content.name}: ffmpeg cannot decode it into {tempfile.gettempdir()} ({error.strerror}); free some space"
        " there, or set TMPDIR to another folder"
    )


def _command(program: str, demuxer: str, source: Path) -> list[str]:
    return [
        *(program, "-nostdin", "-hide_banner", "-v", "error", "-xerror", "-threads", "1"),
        *("-protocol_whitelist", "file", "-f", demuxer, "-i", f"file:{source}"),
        *("-map", "0:a:0", "-t", str(_LONGEST_SECONDS + 1), "-fs", str(_MOST_OUTPUT)),
        *("-c:a", "pcm_s16le", "-f", "wav", "-bitexact", "pipe:1"),
    ]


def _run(command: list[str], output: IO[bytes], name: str) -> tuple[str, int]:
    """Run ffmpeg; return the first line of its messages, and its exit status."""
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=said)
        except OSError as error:
            raise DataError(f"{name}: {command[0]} cannot be started ({error.strerror}); reinstall ffmpeg") from error
        try:
            _limit(process.pid)
            status = process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            raise DataError(f"{name}: ffmpeg did not finish within {_SECONDS:g} s; convert the file yourself") from None
        finally:
            process.kill()
            process.wait()
        said.seek(0)
        first = said.readline(4096).decode("utf-8", "replace")
    plain = re.sub(r"\[[^\]]* @ 0x[0-9a-f]+\] ", "", first)  # name and address of ffmpeg's component
    return "".join(c if c.isprintable() else " " for c in plain).strip()[:_TOLD], status


def _limit(pid: int) -> None:
    """Limit the memory and the file size of a running process, where the system supports it (Linux)."""
    if sys.platform == "linux":
        import resource

        with contextlib.suppress(ProcessLookupError, PermissionError, ValueError):  # it has ended, or has lower limits
            resource.prlimit(pid, resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (_MOST_OUTPUT, _MOST_OUTPUT))


def _written(content: Content, path: Path) -> Path:
    """Write content that is in memory to a file, because ffmpeg has to seek in it."""
    with path.open("wb") as file:
        for position in range(0, content.size, _BLOCK):
            file.write(content.at(position, _BLOCK))
    return path
