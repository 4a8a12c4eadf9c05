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

from asr.config import shown
from asr.decoding.choice import without_calibration
from asr.engines.pool import Engines
from asr.errors import ConfigError
from asr.printable import printable
from asr.recogniser.card import Card
from asr.recogniser.config import RecogniserConfig
from asr.recogniser.parts import decoder_of
from asr.recogniser.recogniser import Recogniser

_SAME = ("features", "normaliser", "stacking", "model")
_OF_TRAINING = "model.dropout"  # the option that recognition does not depend on


def averaged(recogniser: Recogniser, other: Recogniser, share: float) -> Recogniser:
    """Return a recogniser whose weights and normalisation statistics lie between those of two.

    Args:
        recogniser: the first model; the result has its configuration, its decoder and the facts of its card. The error
            rates on its card and the calibration of its decoder are dropped, because they are of other weights.
        other: the second model, with the same labels and options (of the decoder and dropout, it may have others).
        share: weight of `other`, from 0 (none of it) to 1 (nothing but it).

    Raises:
        ConfigError: `share` is outside 0 to 1; the models differ in more than their weights (the message names an
            option); or one came from an ONNX file, which does not hold the weights as they were trained.
    """
    if not 0 <= share <= 1:  # NaN fails too
        raise ConfigError(f"the share of the second model is {share:g}; expected a number from 0 to 1")
    _check_same(recogniser.config, other.config)
    network, second = recogniser.engines.network, other.engines.network
    if network is None or second is None:
        raise ConfigError("an .onnx file does not hold weights to average; give the model that it was made of")
    weights = _between(network.weights, second.weights, share)
    normaliser = recogniser.normaliser.with_state(
        _between(recogniser.normaliser.state_dict(), other.normaliser.state_dict(), share)
    )
    engines = Engines(replace(network, weights=weights))
    engine, choice = engines.for_work(1)
    mixed = replace(
        recogniser,
        normaliser=normaliser,
        engine=engine,
        engine_choice=choice,
        engines=engines,
        card=Card(recogniser.card.about),
    )
    return _untuned(mixed)


def _check_same(first: RecogniserConfig, second: RecogniserConfig) -> None:
    for part in _SAME:
        ours, theirs = (getattr(one, part).completed().flat(part) for one in (first, second))
        for key in sorted({*ours, *theirs} - {_OF_TRAINING}):
            if ours.get(key) != theirs.get(key):
                raise ConfigError(
                    f"the two models differ in {key} ({shown(ours.get(key))} and {shown(theirs.get(key))}); only models"
                    " that differ in nothing but their weights can be averaged"
                )
    if first.inventory != second.inventory:
        raise ConfigError("the two models differ in their labels; only models of the same labels can be averaged")


def _untuned(recogniser: Recogniser) -> Recogniser:
    """Return the recogniser without the calibration and the tuning of its decoders, which are of other weights."""
    config = recogniser.config.with_decoder(without_calibration(recogniser.config.decoder_choice))
    choice, decoder = without_calibration(recogniser.decoder_choice), recogniser.decoder
    if choice.component != recogniser.decoder_choice.component:
        decoder = decoder_of(config, choice)
    return replace(recogniser, config=config, decoder=decoder, decoder_choice=choice)


def _between(
    first: Mapping[str, NDArray[Any]], second: Mapping[str, NDArray[Any]], share: float
) -> dict[str, NDArray[Any]]:
    """Average the floats of the same name, in float64 and rounded once; arrays of other types must be equal."""
    if {name: (one.shape, one.dtype) for name, one in first.items()} != {
        name: (one.shape, one.dtype) for name, one in second.items()
    }:
        raise ConfigError("the networks of the two models differ in the shape or type of their weights")
    return {name: _mean(name, one, second[name], share) for name, one in first.items()}


def _mean(name: str, first: NDArray[Any], second: NDArray[Any], share: float) -> NDArray[Any]:
    if np.issubdtype(first.dtype, np.floating):
        return ((1 - share) * first.astype(np.float64) + share * second.astype(np.float64)).astype(first.dtype)
    if not np.array_equal(first, second):
        raise ConfigError(
            f"the two models differ in {printable(name)}, which has the type {first.dtype}; only floats can be averaged"
        )
    return first
