"""The configuration of a recogniser: everything that is needed to build it, except the weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from asr.config import Component, shown
from asr.corpus.inventory import Inventory
from asr.decoding.choice import DecoderChoice, named
from asr.errors import ConfigError
from asr.saved_targets import with_current_targets

PARTS = ("features", "normaliser", "stacking", "model", "decoder")  # the components, in the order of the signal


@dataclass(frozen=True)
class RecogniserConfig:
    """The parts and options of a recogniser.

    Attributes:
        inventory: the labels.
        features: the computation of frames.
        normaliser: the normalisation of frames.
        stacking: the joining of neighbouring frames.
        model: the network.
        decoder: the default decoder; another one may be chosen when the recogniser is used.
        plugins: modules of the user that hold classes of these components.
        chosen_on: the split on which the options of the default decoder were tuned; None if they were not.
    """

    inventory: Inventory
    features: Component
    normaliser: Component
    stacking: Component
    model: Component
    decoder: Component
    plugins: tuple[str, ...] = ()
    chosen_on: str | None = None

    @property
    def decoder_choice(self) -> DecoderChoice:
        """The default decoder, and the split on which it was tuned."""
        return named(self.decoder, self.chosen_on)

    def with_decoder(self, choice: DecoderChoice) -> RecogniserConfig:
        """Return the same configuration with another default decoder."""
        return replace(self, decoder=choice.component, chosen_on=choice.chosen_on)

    def to_dict(self) -> dict[str, Any]:
        """Return the components and plugins as plain values, for a checkpoint or a bundle, without the inventory."""
        chosen_on = {} if self.chosen_on is None else {"chosen_on": self.chosen_on}
        parts = {part: getattr(self, part).to_node() for part in PARTS}
        return parts | {"plugins": list(self.plugins)} | chosen_on

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], inventory: Inventory) -> RecogniserConfig:
        """Read the values that `to_dict` returned, in this version or an earlier one.

        Raises:
            ConfigError: a component is missing or malformed, or the plugins are no module names.
        """
        current = with_current_targets(dict(values))
        missing = [part for part in PARTS if not isinstance(current.get(part), dict)]
        if missing:
            raise ConfigError(f"the configuration of a recogniser lacks {', '.join(missing)}")
        plugins = current.get("plugins")
        names = plugins if isinstance(plugins, list) else [None]
        if not all(isinstance(name, str) and re.fullmatch(r"\w+(\.\w+)*", name) for name in names):
            raise ConfigError(f"plugins={shown(plugins)}; expected a list of module names")
        parts = {part: Component.of(current[part]) for part in PARTS}
        return cls(inventory, **parts, plugins=tuple(plugins), chosen_on=split_name(current.get("chosen_on")))


def split_name(value: object) -> str | None:
    """Check the name of the split on which a decoder was tuned, and return it.

    Raises:
        ConfigError: the value is neither None nor a name of at most 60 letters, digits, dots and hyphens.
    """
    if value is not None and not (isinstance(value, str) and re.fullmatch(r"[\w.-]{1,60}", value)):
        raise ConfigError(f"chosen_on={shown(value)}; expected the name of a split, such as dev")
    return value
