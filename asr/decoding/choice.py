"""Choose a decoder where a recogniser is used: by name, with options, or a class of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asr.config import Component, config_class
from asr.decoding.greedy import GreedyConfig
from asr.presets import Group, choose

DECODERS: dict[str, type] = {"greedy": GreedyConfig}
"""The decoders of this package by name."""


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


def named(component: Component) -> DecoderChoice:
    """Describe a decoder that a configuration holds."""
    schema = config_class(component.target)
    by_target = {Component.of(config()).target: name for name, config in DECODERS.items()}
    name = by_target.get(component.target, component.target.rpartition(".")[2])
    defaults = {} if schema is None else dict(Component.of(schema()).options)
    changed = [
        f"{key}={value}"
        for key, value in component.options.items()
        if key != "calibration" and defaults.get(key) != value  # it changes no text, and its numbers name nothing
    ]
    return DecoderChoice(",".join([name, *changed]), component)


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
    return named(choose(Group("decoder", DECODERS), options, default, plugins))
