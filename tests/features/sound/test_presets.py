"""Every preset of conf/features and conf/augment builds, and says only what differs from the defaults."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from asr.config import Component, build
from asr.features.sound.augment import AugmentConfig, Augmenter
from asr.features.sound.spectral import SpectralConfig, SpectralFeatures

CONF = Path(__file__).resolve().parents[3] / "conf"
FEATURES = sorted((CONF / "features").glob("*.yaml"))
AUGMENT = sorted(path for path in (CONF / "augment").glob("*.yaml") if not path.stem.startswith("pen"))


def preset(path: Path, config: type) -> dict[str, Any]:
    """The dataclass's defaults with the preset's lines over them, as Hydra composes them."""
    lines = yaml.safe_load(path.read_text())
    base, own = lines.pop("defaults")
    assert own == "_self_"
    if base != "schema":  # a preset that goes on from another
        lines = yaml.safe_load(path.with_name(f"{base}.yaml").read_text()) | lines
        assert lines.pop("defaults") == ["schema", "_self_"]
    defaults = {field.name: getattr(config(), field.name) for field in fields(config)}
    for name, value in lines.items():
        assert name in defaults, f"{path.name}: {name}"
        assert value != defaults[name], f"{path.name}: {name} is the default"
        assert isinstance(value, type(defaults[name])) or defaults[name] is None, f"{path.name}: {name} is a {value!r}"
    return {**defaults, **lines}


def test_the_presets_are_there():
    assert {path.stem for path in FEATURES} >= {"graves2013", "kaldi", "mel64", "mfcc"}
    assert {path.stem for path in AUGMENT} >= {"light", "none", "strong"}


@pytest.mark.parametrize(
    ("name", "dim", "blocks"), [("graves2013", 123, 3), ("kaldi", 40, 1), ("mel64", 64, 1), ("mfcc", 42, 3)]
)
def test_feature_presets(name, dim, blocks):
    features = build(Component.of(preset(CONF / "features" / f"{name}.yaml", SpectralConfig)))
    assert isinstance(features, SpectralFeatures)
    assert (features.dim, features.blocks, features.rate) == (dim, blocks, 16000)


@pytest.mark.parametrize("path", AUGMENT, ids=lambda path: path.stem)
def test_augment_presets(path):
    augmenter = build(Component.of(preset(path, AugmentConfig)), seed=1, centres=np.linspace(100, 7000, 40))
    assert isinstance(augmenter, Augmenter)
    assert 1.0 in augmenter.speeds
