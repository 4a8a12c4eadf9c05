"""Make embedded corpora: a folder that is either complete or absent, with a card that records its configuration."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.errors import DataError
from asr.files import STALE_SECONDS, explained, locked, replace_folder, staging, sweep
from asr.plain_values import PlainFields
from asr.resources import user_cache
from data_prep.roots import given_path

CARD = "corpus.json"


def folder(root: str, name: str, identity: PlainFields) -> Path:
    """Return the folder of a corpus: `root`, or if that is empty, a folder for this identity in the user's cache."""
    if root:
        return given_path(root)
    return user_cache().absolute() / f"{name}-{hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Embedded:
    """An embedded corpus and its folder.

    Attributes:
        what: name of the corpus in messages, such as "embedded corpus".
        root: its folder.
        identity: everything that the corpus depends on, as plain JSON; the card stores it as `configuration`.
        listed: name of the card's entry with the listing of the complete corpus.
        listing: function that describes the files of a folder, such as their sizes.
    """

    what: str
    root: Path
    identity: PlainFields
    listed: str
    listing: Callable[[Path], Any]

    def is_complete(self) -> bool:
        """Return whether the folder holds the complete corpus; the listing of its files must match the card.

        A damaged corpus in the user's cache counts as missing.

        Raises:
            DataError: the folder was chosen by the user and holds something else, which is not overwritten.
        """
        root = self.root
        with explained(root, done="read", kept=""):
            if not root.exists() or (root.is_dir() and not any(root.iterdir())):
                return False
        made = self._card()
        if made is None or made["configuration"] != self.identity:
            if root.parent == user_cache().absolute():
                return False
            raise DataError(self._refusal(made))
        with suppress(OSError):
            return bool(made[self.listed] == self.listing(root))
        return False

    def _card(self) -> Mapping[str, Any] | None:
        """Read the card; return None if it is missing or damaged."""
        try:
            made = json.loads((self.root / CARD).read_bytes())
            return made if isinstance(made["configuration"], dict) and self.listed in made else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _refusal(self, made: Mapping[str, Any] | None) -> str:
        if made is None:
            return f"{self.root} is not the {self.what} (it has no readable {CARD}); set root= to a new or empty folder"
        changed = [key for key, value in self.identity.items() if made["configuration"].get(key) != value]
        return (
            f"{self.root} holds an {self.what} with another {', '.join(changed) or 'configuration'}; "
            "set root= to another folder, or delete this one to make it again"
        )

    def make(self, fill: Callable[[Path], None]) -> None:
        """Make the corpus in a temporary folder, then replace its folder.

        Several processes may do this at once: the corpus of one of them remains.

        Args:
            fill: function that writes all files into the folder that it gets, the card last.

        Raises:
            DataError: the folder cannot be written.
        """
        sweep(self.root.parent, STALE_SECONDS)
        with staging(self.root) as place:
            fill(place)
            with locked(self.root.parent):
                if not self.is_complete():  # otherwise another process was faster
                    replace_folder(place, self.root)
