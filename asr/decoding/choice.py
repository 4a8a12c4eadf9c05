"""Choose the decoder of a recogniser: by name, by options, or as a class of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from asr.config import Component, config_class
from asr.decoding.beam import BeamConfig
from asr.decoding.files import file_stem, with_plain_names
from asr.decoding.greedy import GreedyConfig
from asr.decoding.lexicon import LexiconConfig
from asr.decoding.marks import file_options
from asr.decoding.own_words import OwnWords
from asr.presets import Group, choose

DECODERS: dict[str, type] = {"greedy": GreedyConfig, "beam": BeamConfig, "lexicon": LexiconConfig}
"""The decoders of this package by name."""

_SHORT = {"lm": "--lm", "boost": "--words", "lexicon": "--only-words"}
"""Options of decoders, and the command-line options that set them and choose a fitting decoder; see `OwnWords`."""

Wish: TypeAlias = str | Sequence[str] | Component | OwnWords | None
"""A request for a decoder: its name, options as on a command line, a component, or the user's own words; None for the
default."""


@dataclass(frozen=True)
class DecoderChoice:
    """A decoder, its name and the origin of its options.

    Attributes:
        name: the name of the decoder (or its class) and the options that differ from the defaults, as in
            `beam,beam=20`; file names contain it.
        component: the class and the options.
        chosen_on: the split on which the options were tuned; None if they are given or defaults.
    """

    name: str
    component: Component
    chosen_on: str | None = None

    def reported(self) -> DecoderChoice:
        """Return the choice for a result file, in which files are named without their folders."""
        return replace(self, component=with_plain_names(self.component))


def named(component: Component, chosen_on: str | None = None) -> DecoderChoice:
    """Give a decoder its name.

    Args:
        component: the class and the options of the decoder.
        chosen_on: see `DecoderChoice`.

    >>> named(Component.of(BeamConfig(beam=20))).name
    'beam,beam=20'
    """
    schema = config_class(component.target)
    by_target = {Component.of(config()).target: name for name, config in DECODERS.items()}
    name = by_target.get(component.target, component.target.rpartition(".")[2])
    defaults = {} if schema is None else dict(Component.of(schema()).options)
    files = file_options(component)
    changed = [
        _named_option(key, value, key in files)
        for key, value in component.options.items()
        if key != "calibration" and defaults.get(key) != value  # a calibration does not change the text
    ]
    return DecoderChoice(",".join([name, *changed]), component, chosen_on)


def _named_option(key: str, value: Any, is_file: bool) -> str:
    """Return an option for the name of a decoder; of a list or a group only the option's name, for brevity."""
    if isinstance(value, list | tuple | dict | Component):
        return key
    if isinstance(value, float):
        return f"{key}={value:g}"
    return f"{key}={file_stem(value) if is_file and isinstance(value, str) else value}"


def choose_decoder(options: Sequence[str], default: Component, plugins: Sequence[str] = ()) -> DecoderChoice:
    """Choose a decoder by options of a command line; see `asr.presets.choose`.

    Args:
        options: `decoder=NAME` (for a plugin's class, its import path) and `decoder.OPTION=VALUE`; empty for the
            default.
        default: the decoder whose options are changed if no name is given.
        plugins: modules of the user that may hold the decoder.

    Raises:
        ConfigError: a decoder or an option is unknown (the message names the nearest known one), or a value has
            another type.

    >>> choose_decoder(["decoder=beam", "decoder.beam=20"], Component.of(GreedyConfig())).name
    'beam,beam=20'
    """
    return named(choose(Group("decoder", DECODERS, _SHORT), options, default, plugins))


def decoder_for(wish: Wish, default: DecoderChoice, plugins: Sequence[str] = ()) -> DecoderChoice:
    """Choose the decoder that a user asks for.

    If the options of a tuned decoder change, its calibration no longer holds and is removed.

    Args:
        wish: the request, see `Wish`.
        default: the decoder of the model; it is returned unchanged if the request equals it.
        plugins: modules of the user that may hold the decoder.

    Raises:
        ConfigError: a decoder or an option is unknown, or a value has another type.
    """
    if wish is None:
        return default
    if isinstance(wish, Component):
        return named(wish)
    if isinstance(wish, OwnWords):
        if by_name := [one for one in wish.options if one.startswith("decoder=")]:
            wish.check(choose_decoder(by_name, default.component, plugins).component, by_name[-1])
        wish = wish.decoder(default.component)
    chosen = choose_decoder([f"decoder={wish}"] if isinstance(wish, str) else wish, default.component, plugins)
    if _is_tuned_otherwise(chosen.component, default.component):
        chosen = without_calibration(chosen)
    return default if chosen.component == default.component.completed() else chosen


def without_calibration(choice: DecoderChoice) -> DecoderChoice:
    """Return a decoder without its calibration, which was fitted to other weights or options, and as not tuned."""
    calibrated = bool(choice.component.options.get("calibration"))
    return named(choice.component.with_options(calibration=[]) if calibrated else choice.component)


def _is_tuned_otherwise(component: Component, tuned: Component) -> bool:
    """Return whether a decoder has the calibration of a tuned decoder but other options, for which it is wrong."""
    calibration = tuned.options.get("calibration")
    if not calibration or component.options.get("calibration") != calibration:
        return False
    return component != tuned.completed()
