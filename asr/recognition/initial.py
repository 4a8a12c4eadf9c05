"""Begin with the weights of a model that is there already (fine-tuning), instead of random ones."""

from __future__ import annotations

from asr.config import completed
from asr.errors import ConfigError
from asr.recognition.recogniser import Recogniser

SHARED = ("features", "stacking", "model")  # what the network's inputs and weights depend on


def take_weights(recogniser: Recogniser, source: Recogniser, name: str) -> bool:
    """Copy the source's weights into a recogniser that is to be trained.

    The normaliser is not copied: its statistics are those of the new training set.

    Args:
        recogniser: gets the weights.
        source: gives them.
        name: of the source, for messages.

    Returns:
        Whether the output layer came along; where the labels differ it keeps its random weights.

    Raises:
        ConfigError: features, frame stacking or network are not those of the source; names each option.
    """
    differing = [
        f"{part}.{key}={old.get(key)}"
        for part in SHARED
        for old, new in [(completed(source.config[part]), completed(recogniser.config[part]))]
        for key in sorted({*old, *new})
        if key != "dropout" and old.get(key) != new.get(key)
    ]
    if differing:
        raise ConfigError(f"init={name}: these weights need {' '.join(differing)}; give these options too")
    weights = source.model.state_dict()
    same_labels = source.inventory.to_dict() == recogniser.inventory.to_dict()
    if not same_labels:
        weights |= {key: value for key, value in recogniser.model.state_dict().items() if key.startswith("output.")}
    recogniser.model.load_state_dict(weights)
    return same_labels
