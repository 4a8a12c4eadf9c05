"""The models that come with the package; importing this does not import torch."""

from __future__ import annotations

from pathlib import Path

from asr.resources import SHIPPED


def pretrained_names() -> list[str]:
    """The bundles that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.safetensors"))


def pretrained_bundle(name: str) -> Path:
    """Where the bundle of this name is."""
    return SHIPPED / f"{name}.safetensors"
