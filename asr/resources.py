"""Where `conf/` and `recipes/` are, beside the package in a checkout and inside it in a wheel; and what it ships."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

SHIPPED = _PACKAGE / "pretrained"
"""The folder of the recognisers, language models and word lists that come with the package."""


def resource(name: str) -> Path:
    """The folder `conf` or `recipes`."""
    installed = _PACKAGE / "_resources" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def user_cache() -> Path:
    """Where computed features and embedded corpora are kept; `XDG_CACHE_HOME` moves it."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ctc-asr"
