"""The description of a recogniser in a file, beside its weights; in checkpoints, bundles and ONNX files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.config import shown
from asr.corpus.inventory import Inventory
from asr.errors import AsrError, CheckpointError, one_line
from asr.lm.recurrent_header import FORMAT as LANGUAGE_MODEL
from asr.recogniser.card import Card
from asr.recogniser.config import RecogniserConfig

FORMAT = "ctc-asr-bundle-1"


@dataclass(frozen=True)
class Header:
    """The description of a recogniser and of its weights."""

    config: RecogniserConfig
    card: Card

    def to_dict(self) -> dict[str, Any]:
        """Return the header as plain values."""
        return {
            "format": FORMAT,
            "config": self.config.to_dict(),
            "inventory": self.config.inventory.to_dict(),
            "card": self.card.to_dict(),
        }


def read_header(path: Path, values: object) -> Header:
    """Read what `Header.to_dict` wrote.

    Args:
        path: of the file, for messages.
        values: plain values, from anywhere.

    Raises:
        CheckpointError: they are no such header.
    """
    wanted = ("config", "inventory")
    if (
        not isinstance(values, dict)
        or values.get("format") != FORMAT
        or not all(isinstance(values.get(part), dict) for part in wanted)
        or not isinstance(values.get("card") or {}, dict)
    ):
        raise CheckpointError(f"{path} is not a '{FORMAT}' model; {_written_by(values)}")
    try:
        config = RecogniserConfig.from_dict(values["config"], Inventory.from_dict(values["inventory"]))
        return Header(config, Card.from_dict(values.get("card") or {}))
    except AsrError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise CheckpointError(f"{path}: what it says of its model is damaged: {one_line(error)}") from error


def _written_by(values: object) -> str:
    """Say who may have written another header."""
    told = values.get("format") if isinstance(values, dict) else None
    if told == LANGUAGE_MODEL:
        return "it is a language model, which helps a recogniser: give the model.lm of its run as decoder.lm="
    number = re.fullmatch(r"ctc-asr-bundle-([1-9][0-9]{0,5})", told) if isinstance(told, str) else None
    if number and int(number[1]) > 1:
        return f"it says {told}, which a newer version of this package wrote: install a newer ctc-asr"
    return "it was written by another program or version"


def check_plugins(path: Path, wanted: Sequence[str], allowed: Sequence[str]) -> None:
    """Raise a CheckpointError where a model needs modules that the user has not allowed."""
    missing = [name for name in wanted if name not in allowed]
    if missing:
        allow = " ".join(f"--plugin {shown(name)}" for name in missing)
        raise CheckpointError(
            f"{path} needs code of the modules {', '.join(map(shown, missing))}; if you trust it, allow it: {allow} "
            f"(in Python: plugins={missing})"
        )
