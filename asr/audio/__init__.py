"""Sound in, at any rate: files that libsndfile reads, NIST SPHERE, what ffmpeg reads; arrays, bytes, streams."""

from __future__ import annotations

from asr.audio.reading import AudioInfo, audio_info, read_audio
from asr.audio.sources import Sound, is_one_sound, sound_of, sound_of_stream

__all__ = ["AudioInfo", "Sound", "audio_info", "is_one_sound", "read_audio", "sound_of", "sound_of_stream"]
