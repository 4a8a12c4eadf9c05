"""Average the weights of two models, one of which was trained on from the other.

A model that is trained on for new material forgets some of the old. The weights between the two models often read both
better than either (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", arXiv 2109.01903).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.engines.pool import Engines
from asr.errors import ConfigError
from asr.recogniser.card import Card
from asr.recogniser.recogniser import Recogniser

_SAME = ("features", "normaliser", "stacking", "inventory")


def averaged(recogniser: Recogniser, other: Recogniser, share: float) -> Recogniser:
    """Return a recogniser whose weights and normalisation statistics lie between those of two.

    Args:
        recogniser: the first model; the result has its configuration, its default decoder and the facts of its card.
            The error rates on its card are dropped, because the weights are others.
        other: the second model, with the same features, labels and shapes of weights.
        share: weight of `other`, from 0 (none of it) to 1 (nothing but it).

    Raises:
        ConfigError: `share` is outside 0 to 1; the models differ in more than their weights; or one came from an ONNX
            file, which does not hold the weights as they were trained.
    """
    if not 0 <= share <= 1:  # NaN fails too
        raise ConfigError(f"the share of the second model is {share:g}; expected a number from 0 to 1")
    for part in _SAME:
        if getattr(recogniser.config, part) != getattr(other.config, part):
            raise ConfigError(f"the two models differ in their {part}; only weights of the same parts can be averaged")
    network, second = recogniser.engines.network, other.engines.network
    if network is None or second is None:
        raise ConfigError("an .onnx file does not hold weights to average; give the model that it was made of")
    weights = _between(network.weights, second.weights, share)
    normaliser = recogniser.normaliser.with_state(
        _between(recogniser.normaliser.state_dict(), other.normaliser.state_dict(), share)
    )
    engines = Engines(replace(network, weights=weights))
    engine, choice = engines.for_work(1)
    card = Card(recogniser.card.about)
    return replace(recogniser, normaliser=normaliser, engine=engine, engine_choice=choice, engines=engines, card=card)


def _between(
    first: Mapping[str, NDArray[Any]], second: Mapping[str, NDArray[Any]], share: float
) -> dict[str, NDArray[np.float32]]:
    """Average the arrays of the same name; computed in float64, rounded once."""
    if {name: one.shape for name, one in first.items()} != {name: one.shape for name, one in second.items()}:
        raise ConfigError("the networks of the two models differ in shape; only weights of one shape can be averaged")
    return {
        name: ((1 - share) * one.astype(np.float64) + share * second[name].astype(np.float64)).astype(np.float32)
        for name, one in first.items()
    }
