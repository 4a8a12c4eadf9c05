"""Sound files in: WAV, FLAC, OGG, Opus, MP3 (soundfile) and NIST SPHERE (our own reader), at any rate."""

from __future__ import annotations

from asr.audio.reading import AudioInfo, audio_info, read_audio

__all__ = ["AudioInfo", "audio_info", "read_audio"]
