"""The pen presets of conf/features and conf/augment build, and say only what differs from the defaults."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from asr.config import Component, build
from asr.features.pen.augment import PenAugmentConfig, PenAugmenter
from asr.features.pen.extractor import PenConfig, PenFeatures

CONF = Path(__file__).resolve().parents[3] / "conf"


def preset(path: Path, config: type) -> dict[str, Any]:
    """The dataclass's defaults with the preset's lines over them, as Hydra composes them."""
    lines = yaml.safe_load(path.read_text())
    assert lines.pop("defaults") == ["pen_schema", "_self_"]
    defaults = {field.name: getattr(config(), field.name) for field in fields(config)}
    for name, value in lines.items():
        assert name in defaults, f"{path.name}: {name}"
        assert value != defaults[name], f"{path.name}: {name} is the default"
        assert isinstance(value, type(defaults[name])), f"{path.name}: {name} is a {value!r}"
    return {**defaults, **lines}


@pytest.mark.parametrize(
    ("name", "kind", "dim"),
    [
        ("pen", "plain", 10),
        ("pen_offsets", "offsets", 3),
        ("pen_graves2009", "graves2009", 25),
        ("pen_curves", "curves", 10),
    ],
)
def test_feature_presets(name, kind, dim):
    features = build(Component.of(preset(CONF / "features" / f"{name}.yaml", PenConfig)))
    assert isinstance(features, PenFeatures)
    assert (features.kind, features.dim, features.blocks, features.centres) == (kind, dim, 1, None)


@pytest.mark.parametrize("name", ["pen_light", "pen_strong"])
def test_augment_presets(name):
    node = preset(CONF / "augment" / f"{name}.yaml", PenAugmentConfig)
    augmenter = build(Component.of(node), seed=1, blocks=1, centres=None)
    assert isinstance(augmenter, PenAugmenter)
    assert augmenter.speeds == [1.0]
