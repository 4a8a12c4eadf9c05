"""Begin with the weights of a model that is there already (fine-tuning), instead of random ones."""

from __future__ import annotations

from asr.config import completed
from asr.errors import ConfigError
from asr.recogniser.recogniser import Recogniser

SHARED = ("features", "stacking", "model")  # what the network's inputs and weights depend on
_ANEW = "init=null for random weights"


def take_weights(recogniser: Recogniser, source: Recogniser, name: str) -> int:
    """Copy the source's weights into a recogniser that is to be trained.

    The normaliser is not copied: its statistics are those of the new training set.

    Args:
        recogniser: gets the weights.
        source: gives them.
        name: of the source, for messages.

    Returns:
        How many labels, the blank among them, keep the random weights of the output layer: those that the source does
        not know; all, where one spells with characters and the other with labels.

    Raises:
        ConfigError: features, frame stacking or network are not those of the source; names each option.
    """
    kinds = [one.config["features"].get("_target_") for one in (source, recogniser)]
    if kinds[0] != kinds[1]:
        raise ConfigError(f"init={name}: its features are {kinds[0]}, those of this recipe {kinds[1]}; give {_ANEW}")
    differing = [
        f"{part}.{key}={old.get(key)}"
        for part in SHARED
        for old, new in [(completed(source.config[part]), completed(recogniser.config[part]))]
        for key in sorted({*old, *new})
        if key != "dropout" and old.get(key) != new.get(key)
    ]
    if differing:
        raise ConfigError(f"init={name}: these weights need {' '.join(differing)}; give these options too, or {_ANEW}")
    ours, theirs = recogniser.inventory, source.inventory
    places = {label: number for number, label in enumerate(theirs.labels)} if ours.unit == theirs.unit else {}
    known = [number for number, label in enumerate(ours.labels) if label in places]
    weights = source.model.state_dict()
    if theirs.to_dict() != ours.to_dict():
        for key, rows in recogniser.model.state_dict().items():
            if key.startswith("output."):
                old, weights[key] = weights[key], rows.clone()
                if rows.ndim and len(rows) == len(ours) and len(old) == len(theirs):  # a row a label
                    weights[key][known] = old[[places[ours.labels[number]] for number in known]]
    recogniser.model.load_state_dict(weights)
    return len(ours) - len(known)
