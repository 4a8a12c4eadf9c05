"""Check all options of a run, and report all errors together, before the corpus is read."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from asr.config import Faults, build
from asr.corpus.inventory import BLANK, Inventory
from asr.engines.torch import build_module
from asr.errors import ConfigError
from asr.experiment.run_config import RunConfig
from asr.experiment.warm_start import check_fits
from asr.features.extractor import FrameExtractor
from asr.features.sound.augment import Augmenter
from asr.recogniser.parts import parts_of
from asr.recogniser.recogniser import Recogniser
from asr.scoring.named_rates import check_rates


def check_options(config: RunConfig, source: Recogniser | None = None) -> None:
    """Check the options of all groups, with a network of shapes without weights.

    Args:
        config: the configuration of the run.
        source: the model of `init`, whose weights training starts from; None for random weights.

    Raises:
        ConfigError: lists every invalid option.
    """
    faults = Faults()
    with faults.noted("scoring"):
        check_rates(config.scoring.rates, config.inventory.unit)
    with faults.noted("schedule"):
        build(config.schedule, config.plugins)
    with faults.noted("optimizer"):
        build(config.optimizer, config.plugins, parameters=[nn.Parameter(torch.zeros(1))])
    try:
        inventory = Inventory((BLANK,), config.inventory.unit, config.inventory.fold)  # type: ignore[arg-type]
        parts = parts_of(config.recogniser(inventory))
    except ConfigError as error:
        faults.add(error)
        _check_without_features(config, faults)
    else:
        with faults.noted("model"):
            build_module(config.model, parts.n_features, len(inventory), config.plugins, device="meta")
        with faults.noted():
            build_augmenter(config, parts.extractor)
        if source is not None:
            with faults.noted():
                check_fits(config.recogniser(inventory), source, str(config.init))
    faults.check()


def _check_without_features(config: RunConfig, faults: Faults) -> None:
    """Check the model and the augmentation if the features are invalid, so that their sizes are unknown.

    Frames of `hidden` values fit every cell, and a single frequency band fits every augmentation.
    """
    hidden = config.model.completed().options.get("hidden")
    n_features = hidden if isinstance(hidden, int) and 1 <= hidden <= 2**20 else 1
    with faults.noted("model"):
        build_module(config.model, n_features, 1, config.plugins, device="meta")
    with faults.noted("augment"):
        build(config.augment, config.plugins, seed=0, blocks=1, centres=np.ones(1))


def build_augmenter(config: RunConfig, extractor: FrameExtractor) -> Augmenter:
    """Build the augmenter, which changes the training utterances in each epoch.

    Args:
        config: the configuration of the run.
        extractor: the feature extractor, whose blocks and frequencies the augmenter needs.

    Raises:
        ConfigError: an option is out of range, or `loss.consistency` is set without masks.
    """
    faults = Faults()
    with faults.noted("augment"):
        augmenter: Augmenter = build(
            config.augment, config.plugins,
            seed=config.training.seed, blocks=extractor.blocks, centres=extractor.centres,
        )  # fmt: skip
    faults.check()
    if config.loss.consistency and not augmenter.masks_anything:
        raise ConfigError(
            "loss.consistency compares two masked views of an utterance, but nothing is masked; set"
            " augment.time_masks and augment.time_mask_frames, or augment=strong"
        )
    return augmenter
