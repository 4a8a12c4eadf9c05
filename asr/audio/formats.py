"""Names and file suffixes of the supported sound formats, for messages, `--help` and searches of folders."""

from __future__ import annotations

FORMATS = (
    "WAV, FLAC, OGG, Opus, MP3, AIFF, AU, CAF, RF64, W64, NIST SPHERE or, through ffmpeg, m4a, WebM, AMR, WMA, AAC"
)
SUFFIXES = frozenset(
    {
        ".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf",
        ".rf64", ".w64", ".sph", ".nist", ".m4a", ".mp4", ".webm", ".amr", ".wma", ".aac", ".spx",
    }
)  # fmt: skip
"""Suffixes of sound files, in lower case. `read_audio` ignores them: it detects the format from the content."""
