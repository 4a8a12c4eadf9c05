"""What a recogniser is: everything that must be known, beside its weights, to build it again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asr.config import Component, shown
from asr.corpus.inventory import Inventory
from asr.errors import ConfigError
from asr.saved_targets import with_current_targets

PARTS = ("features", "normaliser", "stacking", "model", "decoder")  # the components, in the order of the signal


@dataclass(frozen=True)
class RecogniserConfig:
    """What a recogniser is.

    Attributes:
        inventory: the labels.
        features: how frames are computed.
        normaliser: how frames are normalised.
        stacking: how neighbouring frames are joined.
        model: the network.
        decoder: the default decoder; another one may be chosen when the recogniser is used.
        plugins: modules of the user's that hold classes of these components.
    """

    inventory: Inventory
    features: Component
    normaliser: Component
    stacking: Component
    model: Component
    decoder: Component
    plugins: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the components and plugins as a checkpoint or a bundle keeps them; the inventory stands beside."""
        return {part: getattr(self, part).to_node() for part in PARTS} | {"plugins": list(self.plugins)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], inventory: Inventory) -> RecogniserConfig:
        """Read what `to_dict` wrote, in this version or an earlier one.

        Raises:
            ConfigError: a component is missing or no node.
        """
        current = with_current_targets(dict(values))
        missing = [part for part in PARTS if not isinstance(current.get(part), dict)]
        if missing:
            raise ConfigError(f"the configuration of a recogniser has no {', '.join(missing)}")
        plugins = current.get("plugins")
        names = plugins if isinstance(plugins, list) else [None]
        if not all(isinstance(name, str) and re.fullmatch(r"\w+(\.\w+)*", name) for name in names):
            raise ConfigError(f"plugins={shown(plugins)}; expected a list of module names")
        return cls(inventory, **{part: Component.of(current[part]) for part in PARTS}, plugins=tuple(plugins))
