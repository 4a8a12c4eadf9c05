"""Start training from the weights of an existing model (fine-tuning) instead of random weights."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from asr.corpus.inventory import Inventory
from asr.errors import ConfigError
from asr.recogniser.config import RecogniserConfig
from asr.recogniser.recogniser import Recogniser

SHARED = ("features", "stacking", "model")  # the groups that determine the network's inputs and weights
_RANDOM = "init=null for random weights"


def check_fits(config: RecogniserConfig, source: Recogniser, name: str) -> None:
    """Check that training can start from the weights of another recogniser.

    Args:
        config: the recogniser to train.
        source: the recogniser whose weights to use.
        name: the name of the source, for messages.

    Raises:
        ConfigError: features, frame stacking or network differ from those of the source (lists each option); or the
            source is an .onnx file, from which weights for training cannot be read.
    """
    if source.engines.network is None:
        raise ConfigError(
            f"init={name}: an .onnx file has no weights for training; give the bundle of this model, or {_RANDOM}"
        )
    kinds = [one.features.target for one in (source.config, config)]
    if kinds[0] != kinds[1]:
        raise ConfigError(f"init={name}: its features are {kinds[0]}, those of this recipe {kinds[1]}; give {_RANDOM}")
    differing = [
        f"{key}={old.get(key)}"
        for part in SHARED
        for old, new in [[getattr(one, part).completed().flat(part) for one in (source.config, config)]]
        for key in sorted({*old, *new})
        if key != "model.dropout" and old.get(key) != new.get(key)
    ]
    if differing:
        raise ConfigError(f"init={name}: its weights need {' '.join(differing)}; give these options too, or {_RANDOM}")


def take_weights(model: nn.Module, inventory: Inventory, source: Recogniser) -> int:
    """Copy the weights of `source` into a network; `check_fits` must have passed.

    The normaliser is not copied: its statistics are those of the new training set.

    Args:
        model: the network that gets the weights.
        inventory: the labels of the network.
        source: the recogniser whose weights are copied.

    Returns:
        The number of labels, with the blank, that keep the random weights of the output layer because the source does
        not have them. These are all labels if one inventory has characters and the other has phoneme labels.
    """
    ours, theirs = inventory, source.inventory
    places = {label: number for number, label in enumerate(theirs.labels)} if ours.unit == theirs.unit else {}
    known = [number for number, label in enumerate(ours.labels) if label in places]
    weights = _weights(source)
    if theirs.to_dict() != ours.to_dict():
        for key, rows in model.state_dict().items():
            if key.startswith("output."):
                old, weights[key] = weights[key], rows.clone()
                if rows.ndim and len(rows) == len(ours) and len(old) == len(theirs):  # one row for each label
                    weights[key][known] = old[[places[ours.labels[number]] for number in known]]
    model.load_state_dict(weights)
    return len(ours) - len(known)


def _weights(source: Recogniser) -> dict[str, Tensor]:
    network = source.engines.network
    assert network is not None  # see `check_fits`
    return {name: torch.from_numpy(np.array(one)) for name, one in network.weights.items()}
