from __future__ import annotations

import struct
import wave
from collections.abc import Callable
from pathlib import Path

import pytest

WriteWav = Callable[..., Path]


@pytest.fixture
def write_wav() -> WriteWav:
    """Write a WAV file with the standard library alone: silence of some length."""

    def write(path: Path, seconds: float = 0.1, rate: int = 16000, channels: int = 1) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(struct.pack("<h", 0) * round(seconds * rate) * channels)
        return path

    return write
