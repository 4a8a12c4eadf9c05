"""The header of a recogniser: a description that checkpoints, bundles and ONNX files hold beside the weights."""

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
    """Read the values that `Header.to_dict` returned.

    Args:
        path: the file, for messages.
        values: the values; they are checked here.

    Raises:
        CheckpointError: the values are no header, or a value is missing or malformed.
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
        raise CheckpointError(f"{path}: the description of the model is damaged: {one_line(error)}") from error


def _written_by(values: object) -> str:
    """Return the end of a message about another header: which program may have written it."""
    stated = values.get("format") if isinstance(values, dict) else None
    if stated == LANGUAGE_MODEL:
        return "it is a language model: give the model.lm of its run as decoder.lm= of a recogniser"
    number = re.fullmatch(r"ctc-asr-bundle-([1-9][0-9]{0,5})", stated) if isinstance(stated, str) else None
    if number and int(number[1]) > 1:
        return f"its format is {stated}, of a newer version of this package: install a newer ctc-asr"
    return "another program or version wrote it"


def check_plugins(path: Path, wanted: Sequence[str], allowed: Sequence[str]) -> None:
    """Raise a CheckpointError if a model needs modules that the user has not allowed.

    Args:
        path: the file of the model, for messages.
        wanted: the modules that the model names.
        allowed: the modules that the user allows.
    """
    missing = [name for name in wanted if name not in allowed]
    if missing:
        allow = " ".join(f"--plugin {shown(name)}" for name in missing)
        raise CheckpointError(
            f"{path} requires code from the modules {', '.join(map(shown, missing))}; if you trust it, allow it with "
            f"{allow} (in Python: plugins={missing})"
        )
