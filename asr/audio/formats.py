"""The names of the sound formats that are read here: what messages and `--help` say, what folders are searched for."""

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
"""Names that sound files have, in small letters; `read_audio` itself goes by the content."""
