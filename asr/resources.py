"""Locations of the package's files and of the user's cache.

`conf/` and `recipes/` lie beside the package in a checkout, and inside it in an installed wheel.
"""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

SHIPPED = _PACKAGE / "pretrained"
"""The folder with the recognisers, language models and word lists that come with the package."""


def resource(name: str) -> Path:
    """Return the path of the folder `conf` or `recipes`.

    >>> resource("conf").name
    'conf'
    """
    installed = _PACKAGE / "_resources" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def user_cache() -> Path:
    """Return the cache folder for computed features and embedded corpora.

    It is `$XDG_CACHE_HOME/ctc-asr`, or `~/.cache/ctc-asr` if the variable is not set. It need not exist.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ctc-asr"
