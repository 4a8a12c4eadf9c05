"""Does a WAV file hold the samples that its header promises? libsndfile silently reads what is left of a cut one."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

from asr.errors import DataError

_UNKNOWN_SIZE = 0x7FFF_0000  # programs that write into a pipe put a size of at least this
_MOST_CHUNKS = 1000


def check_wave_size(path: Path) -> None:
    """Raise DataError where a RIFF file's data chunk reaches beyond the end of the file; other files pass."""
    size = os.stat(path).st_size
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] not in (b"RIFF", b"RIFX") or head[8:] != b"WAVE":
            return
        data = _data_chunk(file, size, ">" if head[:4] == b"RIFX" else "<")
    if data is None:
        raise DataError(f"{path}: truncated: a WAV file without samples (no data chunk); copy it again")
    begin, promised = data
    if promised < _UNKNOWN_SIZE and begin + promised > size:
        raise DataError(
            f"{path}: truncated: its header promises {promised} bytes of samples, {size - begin} are there;"
            " copy it again"
        )


def _data_chunk(file: BinaryIO, size: int, order: str) -> tuple[int, int] | None:
    """Where the samples begin, and how many bytes they should have."""
    position = 12
    for _ in range(_MOST_CHUNKS):
        if position + 8 > size:
            return None
        file.seek(position)
        name, length = struct.unpack(f"{order}4sI", file.read(8))
        if name == b"data":
            return position + 8, length
        position += 8 + length + length % 2
    return None
