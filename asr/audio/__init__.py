"""Read recordings: sound files (by libsndfile, as NIST SPHERE, or by ffmpeg), arrays, bytes and streams.

Each name is imported when it is first used, so that `--help` does not load the readers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asr.audio.reading import AudioInfo, audio_info, read_audio
    from asr.audio.sources import Sound, is_one_sound, sound_of, sound_of_stream

__all__ = ["AudioInfo", "Sound", "audio_info", "is_one_sound", "read_audio", "sound_of", "sound_of_stream"]

_MODULES = {
    "reading": ("AudioInfo", "audio_info", "read_audio"),
    "sources": ("Sound", "is_one_sound", "sound_of", "sound_of_stream"),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"asr.audio.{module}"), name)
    raise AttributeError(f"module 'asr.audio' has no attribute {name!r}")
