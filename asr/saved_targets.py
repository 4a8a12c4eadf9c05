"""Where the classes that a saved configuration names are today.

A bundle, a checkpoint or a run folder keeps the `_target_` that it was written with; a class may have moved since.
"""

from __future__ import annotations

from typing import Any

_MOVED = {
    "asr.features.spectral.SpectralFeatures": "asr.features.sound.spectral.SpectralFeatures",  # since 0.2.0
    "asr.features.augment.Augmenter": "asr.features.sound.augment.Augmenter",
    "asr.features.pen.PenFeatures": "asr.features.pen.extractor.PenFeatures",
    "asr.features.pen_augment.PenAugmenter": "asr.features.pen.augment.PenAugmenter",
}


def with_current_targets(node: Any) -> Any:
    """Return the same plain values with every `_target_` of a class that has moved replaced by its present one."""
    if isinstance(node, dict):
        values = {key: with_current_targets(value) for key, value in node.items()}
        target = values.get("_target_")
        return values | {"_target_": _MOVED.get(target, target)} if isinstance(target, str) else values
    return [with_current_targets(one) for one in node] if isinstance(node, list) else node
