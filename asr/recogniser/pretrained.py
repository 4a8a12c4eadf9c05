"""Find the recognisers that come with the package."""

from __future__ import annotations

from pathlib import Path

from asr.resources import SHIPPED


def pretrained_names() -> list[str]:
    """Return the names of the recognisers that come with the package, sorted.

    >>> pretrained_names()[:2]
    ['an4', 'english_phones']
    """
    return sorted(path.stem for path in SHIPPED.glob("*.safetensors"))


def pretrained_bundle(name: str) -> Path:
    """Return the path of a recogniser that comes with the package.

    >>> pretrained_bundle("an4").name
    'an4.safetensors'
    """
    return SHIPPED / f"{name}.safetensors"
