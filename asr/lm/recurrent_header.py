"""The header of a recurrent language model: a description that checkpoints and `.lm` files hold beside the weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from asr.config import Component, shown
from asr.errors import CheckpointError, ConfigError
from asr.lm.model import END, Unit

FORMAT = "ctc-asr-label-model-1"
KEY = "language_model"
"""The metadata entry of a `.lm` file that holds the header, as JSON."""

_LARGEST_HEADER = 16 << 20  # bytes
_LONGEST = 40  # characters of a symbol


@dataclass(frozen=True)
class LabelModelHeader:
    """The description of a recurrent language model.

    Attributes:
        symbols: the symbols by number; `END` is among them.
        unit: the unit of the symbols.
        model: the network, a `LabelModel`.
        about: lines for people: training texts, figures, licence.
    """

    symbols: tuple[str, ...]
    unit: Unit
    model: Component
    about: tuple[str, ...] = ()

    @property
    def end(self) -> int:
        """The number of `END`."""
        return self.symbols.index(END)

    def to_dict(self) -> dict[str, Any]:
        """Return the header as plain values, for JSON."""
        return {
            "format": FORMAT,
            "unit": self.unit,
            "symbols": list(self.symbols),
            "model": self.model.to_node(),
            "about": list(self.about),
        }

    @classmethod
    def from_dict(cls, values: object) -> LabelModelHeader:
        """Read the values that `to_dict` returned.

        Raises:
            CheckpointError: a value is missing or malformed.
        """
        if not isinstance(values, Mapping) or values.get("format") != FORMAT:
            stated = values.get("format") if isinstance(values, Mapping) else None
            raise CheckpointError(f"its format is {shown(stated)}; expected {FORMAT}, a recurrent language model")
        unit, symbols = values.get("unit"), _texts(values.get("symbols"), "symbols")
        if unit not in get_args(Unit):
            raise CheckpointError(f"its unit is {shown(unit)}; expected {', '.join(get_args(Unit))}")
        if len(set(symbols)) < len(symbols) or END not in symbols or not all(symbols):
            raise CheckpointError(f"its symbols are not all different, one is empty, or {END} is missing")
        try:
            model = Component.of(values.get("model"))
        except ConfigError as error:
            raise CheckpointError(f"the description of its network is malformed: {error}") from error
        return cls(symbols, cast(Unit, unit), model, _texts(values.get("about", []), "about", longest=2000))


def _texts(values: object, what: str, longest: int = _LONGEST * 5) -> tuple[str, ...]:
    if not isinstance(values, list | tuple) or not all(isinstance(one, str) and len(one) <= longest for one in values):
        raise CheckpointError(f"its {what} are not a list of short texts")
    return tuple(values)


def is_recurrent(path: Path) -> bool:
    """Return whether a file holds a recurrent model; reads only the header, and returns False for any other file."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(size, _LARGEST_HEADER)))
        return json.loads(header["__metadata__"][KEY])["format"] == FORMAT  # type: ignore[no-any-return]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
