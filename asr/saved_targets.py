"""Current import paths of classes that have moved since a configuration was saved.

Bundles, checkpoints and run folders keep the `_target_` that they were written with.
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
    """Return a copy of plain values in which every `_target_` of a moved class is replaced by its current path.

    >>> with_current_targets({"features": {"_target_": "asr.features.pen.PenFeatures"}})
    {'features': {'_target_': 'asr.features.pen.extractor.PenFeatures'}}
    """
    if isinstance(node, dict):
        values = {key: with_current_targets(value) for key, value in node.items()}
        target = values.get("_target_")
        return values | {"_target_": _MOVED.get(target, target)} if isinstance(target, str) else values
    return [with_current_targets(one) for one in node] if isinstance(node, list) else node
