"""Choose a decoder where a recogniser is used: by name, with options, or a class of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asr.config import Component, config_class, nearest, target
from asr.decoding.greedy import GreedyConfig
from asr.errors import ConfigError
from asr.plain_yaml import load_plain_yaml

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
    changed = [f"{key}={value}" for key, value in component.options.items() if defaults.get(key) != value]
    return DecoderChoice(",".join([name, *changed]), component)


def choose_decoder(options: Sequence[str], default: Component, plugins: Sequence[str] = ()) -> DecoderChoice:
    """Choose a decoder as on a command line.

    Args:
        options: `decoder=NAME` (or a class of the plugins' by its import path) and `decoder.OPTION=VALUE`; empty for
            the default.
        default: the decoder whose options are changed when no name is given.
        plugins: modules of the user's that may hold it.

    Raises:
        ConfigError: an unknown decoder or option; names the nearest known one.
    """
    component = default
    for key, value in (_parted(option) for option in options):
        if key == "decoder":
            component = _by_name(value, plugins)
    changes = {key.partition(".")[2]: _value(value) for key, value in map(_parted, options) if key != "decoder"}
    known = component.completed().options
    for name in changes:
        if component.target.startswith("asr.") and name not in known:
            raise ConfigError(f"there is no option 'decoder.{name}'{nearest(name, known)}")
    return named(component.with_options(**changes))


def _parted(option: str) -> tuple[str, str]:
    key, equals, value = option.partition("=")
    if not equals or not (key == "decoder" or key.startswith("decoder.")):
        raise ConfigError(f"'{option}': expected decoder=NAME or decoder.OPTION=VALUE")
    return key, value


def _by_name(name: str, plugins: Sequence[str]) -> Component:
    if name in DECODERS:
        return Component.of(DECODERS[name]())
    if "." in name:
        target(name, plugins)  # raises where it may not be loaded
        return Component(name, {})
    raise ConfigError(f"there is no decoder '{name}'{nearest(name, DECODERS)}; there is {', '.join(DECODERS)}")


def _value(text: str) -> object:
    """One YAML scalar or list: numbers, words, true, null."""
    try:
        return load_plain_yaml(text)
    except ValueError as error:
        raise ConfigError(f"'{text}' cannot be read as a value: {error}") from error
