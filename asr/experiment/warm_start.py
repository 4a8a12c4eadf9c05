"""Begin with the weights of a model that is there already (fine-tuning), instead of random ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from asr.config import Component
from asr.corpus.inventory import Inventory
from asr.errors import ConfigError
from asr.recogniser.config import RecogniserConfig
from asr.recogniser.recogniser import Recogniser

SHARED = ("features", "stacking", "model")  # what the network's inputs and weights depend on
_ANEW = "init=null for random weights"


def check_fits(config: RecogniserConfig, source: Recogniser, name: str) -> None:
    """Check that a network can begin with the weights of another one.

    Args:
        config: of the recogniser that is to be trained.
        source: of the one that gives its weights.
        name: of the source, for messages.

    Raises:
        ConfigError: features, frame stacking or network are not those of the source; names each option. Or the source
            is an .onnx file, which does not hold the weights as training needs them.
    """
    if source.engines.network is None:
        raise ConfigError(
            f"init={name}: an .onnx file does not hold the weights; give the bundle of this model, or {_ANEW}"
        )
    kinds = [one.features.target for one in (source.config, config)]
    if kinds[0] != kinds[1]:
        raise ConfigError(f"init={name}: its features are {kinds[0]}, those of this recipe {kinds[1]}; give {_ANEW}")
    differing = [
        f"{key}={old.get(key)}"
        for part in SHARED
        for old, new in [(_options(source.config, part), _options(config, part))]
        for key in sorted({*old, *new})
        if key != "model.dropout" and old.get(key) != new.get(key)
    ]
    if differing:
        raise ConfigError(f"init={name}: these weights need {' '.join(differing)}; give these options too, or {_ANEW}")


def take_weights(model: nn.Module, inventory: Inventory, source: Recogniser) -> int:
    """Copy the source's weights into a network that is to be trained, where `check_fits` has passed.

    The normaliser is not copied: its statistics are those of the new training set.

    Args:
        model: gets the weights.
        inventory: its labels.
        source: gives them.

    Returns:
        How many labels, the blank among them, keep the random weights of the output layer: those that the source does
        not know; all, where one spells with characters and the other with labels.
    """
    ours, theirs = inventory, source.inventory
    places = {label: number for number, label in enumerate(theirs.labels)} if ours.unit == theirs.unit else {}
    known = [number for number, label in enumerate(ours.labels) if label in places]
    weights = _weights(source)
    if theirs.to_dict() != ours.to_dict():
        for key, rows in model.state_dict().items():
            if key.startswith("output."):
                old, weights[key] = weights[key], rows.clone()
                if rows.ndim and len(rows) == len(ours) and len(old) == len(theirs):  # a row a label
                    weights[key][known] = old[[places[ours.labels[number]] for number in known]]
    model.load_state_dict(weights)
    return len(ours) - len(known)


def _weights(source: Recogniser) -> dict[str, Tensor]:
    network = source.engines.network
    assert network is not None  # see `check_fits`
    return {name: torch.from_numpy(np.array(one)) for name, one in network.weights.items()}


def _options(config: RecogniserConfig, part: str) -> dict[str, object]:
    """All options of a component by their names on a command line, those of a component in it as well."""

    def walk(prefix: str, component: Component) -> Iterator[tuple[str, object]]:
        yield f"{prefix}._target_", component.target
        for key, value in component.options.items():
            if isinstance(value, Component):
                yield from walk(f"{prefix}.{key}", value)
            else:
                yield f"{prefix}.{key}", value

    return dict(walk(part, getattr(config, part).completed()))
