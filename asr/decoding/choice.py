"""Choose a decoder where a recogniser is used: by name, with options, or a class of one's own."""

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
"""The options of commands that set an option of a decoder and choose the decoder that has it; see `OwnWords`."""

Wish: TypeAlias = str | Sequence[str] | Component | OwnWords | None
"""A decoder as a user asks for it: its name, options as on a command line, a component, or the user's own words;
None for the default."""


@dataclass(frozen=True)
class DecoderChoice:
    """A decoder and how it came to be chosen.

    Attributes:
        name: its name in this package, or its class, with the options that were changed; stands in the names of files.
        component: its class and its options.
        chosen_on: the split on which its options were tuned; None when they were given or left as they are.
    """

    name: str
    component: Component
    chosen_on: str | None = None

    def reported(self) -> DecoderChoice:
        """Return the choice as a result reports it: with the names of its files, without their folders."""
        return replace(self, component=with_plain_names(self.component))


def named(component: Component, chosen_on: str | None = None) -> DecoderChoice:
    """Describe a decoder that a configuration holds.

    Args:
        component: its class and its options.
        chosen_on: see `DecoderChoice`.
    """
    schema = config_class(component.target)
    by_target = {Component.of(config()).target: name for name, config in DECODERS.items()}
    name = by_target.get(component.target, component.target.rpartition(".")[2])
    defaults = {} if schema is None else dict(Component.of(schema()).options)
    files = file_options(component)
    changed = [
        _named_option(key, value, key in files)
        for key, value in component.options.items()
        if key != "calibration" and defaults.get(key) != value  # it changes no text, and its numbers name nothing
    ]
    return DecoderChoice(",".join([name, *changed]), component, chosen_on)


def _named_option(key: str, value: Any, is_file: bool) -> str:
    """Return an option as the decoder's name shows it; for a list or a group only the option's name, for brevity."""
    if isinstance(value, list | tuple | dict | Component):
        return key
    if isinstance(value, float):
        return f"{key}={value:g}"
    return f"{key}={file_stem(value) if is_file and isinstance(value, str) else value}"


def choose_decoder(options: Sequence[str], default: Component, plugins: Sequence[str] = ()) -> DecoderChoice:
    """Choose a decoder as on a command line; see `asr.presets.choose`.

    Args:
        options: `decoder=NAME` (or a class of the plugins' by its import path) and `decoder.OPTION=VALUE`; empty for
            the default.
        default: the decoder whose options are changed when no name is given.
        plugins: modules of the user's that may hold it.

    Raises:
        ConfigError: an unknown decoder or option, a value of another type; names the nearest known one.
    """
    return named(choose(Group("decoder", DECODERS, _SHORT), options, default, plugins))


def decoder_for(wish: Wish, default: DecoderChoice, plugins: Sequence[str] = ()) -> DecoderChoice:
    """Choose the decoder that a user wishes.

    Args:
        wish: see `Wish`.
        default: the model's own; it stays, with the split that it was chosen on, where the wish changes nothing.
        plugins: modules of the user's that may hold it.

    Raises:
        ConfigError: as `choose_decoder`.
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
        chosen = named(chosen.component.with_options(calibration=[]))
    return default if chosen.component == default.component.completed() else chosen


def _is_tuned_otherwise(component: Component, tuned: Component) -> bool:
    """Whether a decoder has the calibration of a tuned one, but other options, which make it false."""
    calibration = tuned.options.get("calibration")
    if not calibration or component.options.get("calibration") != calibration:
        return False
    return component != tuned.completed()
